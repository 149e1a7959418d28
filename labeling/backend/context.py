"""Finds the report around a task: Label Studio sends single sentences, but the model reads whole reports."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...base.errors import DataError, PizhuError
from ...data.labels import LabelSet
from ...data.rebuild import reports_from_records
from ...data.records import Record
from ...data.report import Report
from ..studio.access import Access
from ..studio.client import connect
from ..studio.tasks import NO_NEXT, to_record

FETCH_SECONDS = 20.0
"""How long Label Studio may take to send a report's sentences; it waits 100 seconds for a prediction."""
REFETCH_SECONDS = 60.0
"""When to fetch an incomplete report again: a push may have been in progress."""
KEPT = 256  # reports


@dataclass(frozen=True)
class Surroundings:
    """A report rebuilt from its tasks.

    Attributes:
        report: the sentences with their headings.
        ids: the sentences' task data ids in order; None for one that is context only.
        whole: whether every sentence of the report is present, so that the model reads it as `pizhu annotate` would.
        made: when it was made, in monotonic seconds.
    """

    report: Report
    ids: tuple[str | None, ...]
    whole: bool
    made: float = field(default_factory=time.monotonic)


def surroundings(tasks: Iterable[Mapping[str, Any]], labels: LabelSet) -> Surroundings:
    """Rebuild a report from the data of its tasks.

    Each task holds the sentence before it, so gaps show; the sentence before a gap's end is added as context.

    Raises:
        DataError: pizhu did not make the tasks.
    """
    rows = sorted(((to_record(data), data.get("after")) for data in tasks), key=lambda row: row[0]["start"])
    records: list[Record] = []
    ids: list[str | None] = []
    # Tasks from an early pizhu do not hold their headings, although their paths name some.
    led = any("lead" in row for row, _ in rows) or not any(row["headings"] for row, _ in rows)
    whole = bool(rows) and led and rows[-1][1] == NO_NEXT
    before = ""
    for row, _ in rows:
        if row["previous"] != before:
            whole = False
            if row["previous"]:
                start = min([row["start"], *(heading["start"] for heading in row.get("lead") or ())])
                records.append({**row, "start": start, "end": start + 1, "text": row["previous"], "lead": []})
                ids.append(None)
        records.append(row)
        ids.append(row["id"])
        before = row["text"]
    [report] = reports_from_records(records, labels, "the tasks of a report")
    return Surroundings(report, tuple(ids), whole)


class Reports:
    """Fetches the reports of tasks from Label Studio, each once, and caches them."""

    def __init__(self, find_access: Callable[[], Access], labels: LabelSet) -> None:
        """``find_access`` is called for every fetch, since Label Studio may come and go while the service runs."""
        self._find_access, self._labels = find_access, labels
        self._kept: OrderedDict[tuple[int, str], Surroundings] = OrderedDict()
        self._lock = threading.Lock()
        self.problem = ""
        """Why the last fetch failed; empty if it succeeded."""

    def around(self, project: int | None, tasks: Sequence[Mapping[str, Any]]) -> Surroundings:
        """The report of ``tasks`` (the data of some of its sentences); made of these only if no more can be fetched.

        Raises:
            DataError: pizhu did not make the tasks.
        """
        given = {data["id"]: data for data in tasks}
        doc = str(tasks[0]["doc"])
        key = (project or 0, doc)
        with self._lock:
            known = self._kept.get(key)
        if known and set(given) <= set(known.ids) and (known.whole or time.monotonic() - known.made < REFETCH_SECONDS):
            return known
        fetched = self._fetch(project, doc) if project is not None else {}
        found = surroundings((fetched | given).values(), self._labels)
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _fetch(self, project: int, doc: str) -> dict[str, Mapping[str, Any]]:
        wanted = {"filter": "filter:tasks:data.doc", "operator": "equal", "type": "String", "value": doc}
        query = json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})
        found: dict[str, Mapping[str, Any]] = {}
        try:
            with connect(self._find_access(), timeout=FETCH_SECONDS) as client:
                for task in client.tasks.list(
                    project=project, query=query, fields="task_only", include="id,data", page_size=1000
                ):
                    try:
                        found.setdefault(to_record(task.data)["id"], task.data)
                    except DataError:
                        continue  # pizhu did not make this task
        except PizhuError as error:
            self.problem = str(error)
        else:
            self.problem = ""
        return found
