"""What Label Studio has, whole or only what changed since, as rows of :mod:`.exported`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from ...base.errors import LabelingError
from ...base.progress import Progress
from .client import Client
from .exported import Row, to_row

OVERLAP = timedelta(minutes=1)
"""How far back of the last time it is asked: what was being written then, and clocks of a server that differ."""
_ROUNDS = 3
_IDS = 400  # numbers in one address; those over 15 kB fail
_FEW = 2000  # above this, exporting everything is the faster way
_PAGE = 10_000


def server_time(client: Client, project: int) -> datetime:
    """What time it is on the server."""
    answer = client.projects.with_raw_response.get(project)
    # Not the latest change: where Label Studio takes local time for UTC, that can lie hours ahead.
    date = {name.lower(): value for name, value in answer.headers.items()}.get("date")
    if date is None:
        raise LabelingError("Label Studio's answers bear no date; does something between here and there remove it?")
    return parsedate_to_datetime(date)


def user_names(client: Client) -> dict[int, str]:
    """What to call each user: the first name where it is set and no other user's, else the email."""
    users = list(client.users.list())
    shared = Counter(user.first_name for user in users)
    return {
        int(user.id): user.first_name if user.first_name and shared[user.first_name] == 1 else str(user.email)
        for user in users
    }


def fetch_all(client: Client, project: int, known: Mapping[int, Row], progress: Progress) -> dict[int, Row]:
    """Every task, and those ``known`` that are there no more, marked deleted."""
    found = {row["task"]: row for row in _export(client, project, None, progress)}
    # An export is made in parts, so a task may slip through while others are deleted.
    return _updated({**known, **found}, client, project, _there(known) - found.keys(), progress)


def fetch_changes(
    client: Client, project: int, known: Mapping[int, Row], since: datetime, progress: Progress
) -> dict[int, Row] | None:
    """``known`` brought up to date by asking for what changed since ``since`` (the server's time) alone.

    Returns:
        All tasks, those marked deleted that are there no more; None where what the server tells does not add up.
    """
    rows = dict(known)
    for _ in range(_ROUNDS):
        progress("Asking what changed", 0)
        listed = _list(client, project, since)
        expected = {number for number in _there(rows) if _time(rows[number]) >= since}
        asked = _stale(rows, listed) | expected - listed.keys()
        rows = _updated(rows, client, project, asked, progress)
        if _adds_up(rows, client, project):
            return rows
        if not asked:
            break
    else:
        return rows  # people are at work; the next pull sees the rest
    # Nothing moves, and yet the counts differ: tasks were deleted, or a backup was restored.
    listed = _list(client, project, None)
    rows = _updated(rows, client, project, _stale(rows, listed) | _there(rows) - listed.keys(), progress)
    return rows if _adds_up(rows, client, project) else None


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


def _stale(rows: Mapping[int, Row], listed: Mapping[int, datetime]) -> set[int]:
    there = _there(rows)
    return {number for number, at in listed.items() if number not in there or _time(rows[number]) != at}


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["updated_at"])


def _adds_up(rows: Mapping[int, Row], client: Client, project: int) -> bool:
    """Whether the server counts as many tasks, answers and skips as there are in ``rows``."""
    there = [rows[number]["annotations"] for number in _there(rows)]
    skips = [bool(annotation["was_cancelled"]) for given in there for annotation in given]
    told = client.projects.get(project)
    counts = (told.task_number, told.total_annotations_number, told.skipped_annotations_number)
    return counts == (len(there), skips.count(False), skips.count(True))


def _list(client: Client, project: int, since: datetime | None) -> dict[int, datetime]:
    """When each task was last changed, of all tasks or of those changed since."""
    query = {}
    if since is not None:
        wanted = {
            "filter": "filter:tasks:updated_at",
            "operator": "greater_or_equal",
            "type": "Datetime",
            "value": f"{since:%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        query = {"query": json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})}
    listed = client.tasks.list(project=project, fields="task_only", include="id,updated_at", page_size=_PAGE, **query)
    return {int(task.id): task.updated_at for task in listed}


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
        return [to_row(task) for task in json.loads(b"".join(parts))]
    except (ValueError, KeyError, TypeError):
        raise LabelingError("Label Studio's export broke off; pull again") from None
