"""Fetches a project's tasks from Label Studio, all or only those that changed, as rows of :mod:`.exported`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ...base.errors import LabelingError
from ...base.progress import Progress
from .client import Client, request
from .exported import Row, to_row

Times = tuple[datetime, dict[int, datetime]]
"""When a task was last changed, and when each of its annotations was, by number."""
_TIMES = "api/projects/{}/pizhu-times"  # `labeling/server/inside` adds it to Label Studio
_ROUNDS = 3
_IDS = 400  # task numbers in one URL; URLs over 15 kB fail
_FEW = 2000  # above this, exporting everything is faster


def server_time(client: Client, project: int) -> datetime:
    """The time on the server, in UTC."""
    response = client.projects.with_raw_response.get(project)
    # Not the time of the latest change: if Label Studio takes local time for UTC, that can be hours ahead.
    date = {name.lower(): value for name, value in response.headers.items()}.get("date")
    if date is None:
        raise LabelingError("Label Studio's responses have no Date header; does a proxy remove it?")
    return parsedate_to_datetime(date).astimezone(UTC)


def user_names(client: Client) -> dict[int, str]:
    """What to call each user, by number: the first name if it is set and unique, else the email."""
    users = [(int(user.id), str(user.first_name or ""), str(user.email)) for user in client.users.list()]
    shared = Counter(first for _, first, _ in users)
    return {number: first if first and shared[first] == 1 else email for number, first, email in users}


def fetch_all(client: Client, project: int, known: Mapping[int, Row], progress: Progress) -> dict[int, Row]:
    """Every task, and those of ``known`` that no longer exist, marked deleted."""
    found = {row["task"]: row for row in _export(client, project, None, progress)}
    # Label Studio exports in parts, so an export may miss a task while others are being deleted.
    return _updated({**known, **found}, client, project, _existing(known) - found.keys(), progress)


def fetch_changes(client: Client, project: int, known: Mapping[int, Row], progress: Progress) -> dict[int, Row] | None:
    """Bring ``known`` up to date by fetching only the tasks that changed.

    A task has changed if its time or that of one of its annotations differs from the known one. Comparing with the time
    of the last pull would not do: the server's clock may have been wrong then, or may be wrong now.

    Returns:
        All tasks, with those that no longer exist marked deleted; None if pizhu did not start the server: asking its
        own lists for changes takes as long as fetching everything.
    """
    rows = dict(known)
    for _ in range(_ROUNDS):
        progress("Asking what changed", 0)
        times = _times(client, project)
        if times is None:
            return None
        stale = {
            number for number in _existing(rows) | times.keys() if _times_of(rows.get(number)) != times.get(number)
        }
        if not stale:
            break
        rows = _updated(rows, client, project, stale, progress)
    return rows  # people may be labelling right now; the next pull fetches the rest


def _updated(
    rows: Mapping[int, Row], client: Client, project: int, asked: Collection[int], progress: Progress
) -> dict[int, Row]:
    """``rows`` with the tasks ``asked`` for fetched again; those that the server no longer has are marked deleted."""
    found: dict[int, Row] = {}
    if len(asked) > _FEW:
        found = {row["task"]: row for row in _export(client, project, None, progress)}
    else:
        numbers = sorted(asked)
        for start in range(0, len(numbers), _IDS):
            part = _export(client, project, numbers[start : start + _IDS], progress)
            found.update((row["task"], row) for row in part)
    gone = {number: {**rows[number], "deleted": True} for number in asked if number in rows and number not in found}
    return {**rows, **found, **gone}


def _existing(rows: Mapping[int, Row]) -> set[int]:
    return {number for number, row in rows.items() if not row.get("deleted")}


def _times_of(row: Row | None) -> Times | None:
    """The times of a known task; None if it is unknown or deleted."""
    if row is None or row.get("deleted"):
        return None
    given = {annotation["id"]: datetime.fromisoformat(annotation["updated_at"]) for annotation in row["annotations"]}
    return datetime.fromisoformat(row["updated_at"]), given


def _times(client: Client, project: int) -> dict[int, Times] | None:
    """The times of every task of the project; None if pizhu did not start the server."""
    from label_studio_sdk.core.api_error import ApiError

    try:
        content = request(client, "GET", _TIMES.format(project))
    except ApiError as error:
        if error.status_code == 404:
            return None
        raise
    given = {
        int(task): {int(number): datetime.fromisoformat(at) for number, at in times.items()}
        for task, times in content["annotations"].items()
    }
    return {int(task): (datetime.fromisoformat(at), given.get(int(task), {})) for task, at in content["tasks"].items()}


def _export(client: Client, project: int, numbers: Iterable[int] | None, progress: Progress) -> list[Row]:
    # The server ignores the SDK's own argument for task numbers.
    chosen = {} if numbers is None else {"request_options": {"additional_query_parameters": {"ids[]": list(numbers)}}}
    parts: list[bytes] = []
    size = 0
    progress("Receiving answers (MB)", 0)
    for part in client.projects.exports.download_sync(
        id=project, export_type="JSON", download_all_tasks=True, **chosen
    ):
        parts.append(part)
        size += len(part)
        progress("Receiving answers (MB)", round(size / 1e6, 1))
    try:
        return [to_row(task) for task in json.loads(b"".join(parts), parse_constant=_reject_constant)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise LabelingError("Label Studio's export is incomplete or damaged; pull again") from None


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
