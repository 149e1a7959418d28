"""What Label Studio has, whole or only what changed since, as rows of :mod:`.exported`."""

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
"""When a task was changed last, and each of its annotations by number."""
_TIMES = "api/projects/{}/pizhu-times"  # what `labeling/server/inside` adds to Label Studio
_ROUNDS = 3
_IDS = 400  # numbers in one address; those over 15 kB fail
_FEW = 2000  # above this, exporting everything is the faster way


def server_time(client: Client, project: int) -> datetime:
    """What time it is on the server."""
    answer = client.projects.with_raw_response.get(project)
    # Not the latest change: where Label Studio takes local time for UTC, that can lie hours ahead.
    date = {name.lower(): value for name, value in answer.headers.items()}.get("date")
    if date is None:
        raise LabelingError("Label Studio's responses have no Date header; does a proxy remove it?")
    return parsedate_to_datetime(date).astimezone(UTC)


def user_names(client: Client) -> dict[int, str]:
    """What to call each user: the first name where it is set and no other user's, else the email."""
    users = [(int(user.id), str(user.first_name or ""), str(user.email)) for user in client.users.list()]
    shared = Counter(first for _, first, _ in users)
    return {number: first if first and shared[first] == 1 else email for number, first, email in users}


def fetch_all(client: Client, project: int, known: Mapping[int, Row], progress: Progress) -> dict[int, Row]:
    """Every task, and those ``known`` that are there no more, marked deleted."""
    found = {row["task"]: row for row in _export(client, project, None, progress)}
    # An export is made in parts, so a task may slip through while others are deleted.
    return _updated({**known, **found}, client, project, _there(known) - found.keys(), progress)


def fetch_changes(client: Client, project: int, known: Mapping[int, Row], progress: Progress) -> dict[int, Row] | None:
    """``known`` brought up to date by fetching only the tasks that are not as they were.

    Which these are is told by the time that every task and annotation bears, not by what is later than some moment:
    the server's clock may have been wrong then, or be wrong now.

    Returns:
        All tasks, those marked deleted that are there no more; None where the server is none of pizhu's, so that only
        its own lists would tell, which take as long as everything.
    """
    rows = dict(known)
    for _ in range(_ROUNDS):
        progress("Asking what changed", 0)
        there = _times(client, project)
        if there is None:
            return None
        asked = {number for number in _there(rows) | there.keys() if _of(rows.get(number)) != there.get(number)}
        if not asked:
            break
        rows = _updated(rows, client, project, asked, progress)
    return rows  # people may be at work; the next pull sees the rest


def _updated(
    rows: Mapping[int, Row], client: Client, project: int, asked: Collection[int], progress: Progress
) -> dict[int, Row]:
    """The rows with those asked for as they are now; the ones that the server does not have are marked deleted."""
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


def _there(rows: Mapping[int, Row]) -> set[int]:
    return {number for number, row in rows.items() if not row.get("deleted")}


def _of(row: Row | None) -> Times | None:
    """The times that a known task bears; None where there is none of it."""
    if row is None or row.get("deleted"):
        return None
    given = {annotation["id"]: datetime.fromisoformat(annotation["updated_at"]) for annotation in row["annotations"]}
    return datetime.fromisoformat(row["updated_at"]), given


def _times(client: Client, project: int) -> dict[int, Times] | None:
    """The times that every task of the project bears; None where the server was not started by pizhu."""
    from label_studio_sdk.core.api_error import ApiError

    try:
        told = request(client, "GET", _TIMES.format(project))
    except ApiError as error:
        if error.status_code == 404:
            return None
        raise
    given = {
        int(task): {int(number): datetime.fromisoformat(at) for number, at in times.items()}
        for task, times in told["annotations"].items()
    }
    return {int(task): (datetime.fromisoformat(at), given.get(int(task), {})) for task, at in told["tasks"].items()}


def _export(client: Client, project: int, numbers: Iterable[int] | None, progress: Progress) -> list[Row]:
    # The SDK's own argument for numbers is ignored.
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
        return [to_row(task) for task in json.loads(b"".join(parts), parse_constant=_no_number)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise LabelingError("Label Studio's export broke off, or is none; pull again") from None


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON's")
