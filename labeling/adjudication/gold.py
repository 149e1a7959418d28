"""Gold answers: what annotators agreed on and what an adjudicator decided, with the adjudicator and the reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.files import read_records, set_aside, write_records
from ...data.labels import LabelSet
from ...data.records import Decided, DecisionRecord, Record
from ..agreement.answer_matrix import Rows, identity, joined
from ..studio.answers import Answer, answered, from_annotation, latest, merge
from ..studio.client import Client
from ..studio.fetch import user_names
from .config import NOTE, WHY


@dataclass(frozen=True)
class Adjudication:
    """One adjudicator's decision on one sentence.

    Attributes:
        answer: the labels, with who gave them and when.
        why: one of :data:`.config.REASONS`; None if nothing was chosen.
        note: the adjudicator's own words, or "".
        seen: the labels of the answers that were shown, in the order shown; None for a skipped or unclear one.
    """

    answer: Answer[str]
    why: str | None
    note: str
    seen: Sequence[Sequence[str] | None]

    def record(self) -> DecisionRecord:
        """The decision in the form that gold records use."""
        given = self.answer
        return {
            "adjudicator": given.annotator,
            "labels": None if given.labels is None else list(given.labels),
            "skipped": given.skipped,
            "why": self.why,
            "note": self.note,
            "at": given.at,
            "lead_time": given.lead_time,
            "from_prediction": given.from_prediction,
            "seen": [None if labels is None else list(labels) for labels in self.seen],
        }


def fetch(client: Client, project: int, labels: LabelSet) -> dict[str, list[Adjudication]]:
    """Every decision in the adjudication project, by the sentence's id."""
    names = user_names(client)
    found: dict[str, list[Adjudication]] = defaultdict(list)
    for task in client.tasks.list(project=project, fields="all", page_size=200):
        for annotation in task.annotations or ():
            found[str(task.data["id"])].append(_adjudication(annotation, task.data, names, labels))
    return dict(found)


def gold_records(rows: Rows, adjudications: Mapping[str, Sequence[Adjudication]]) -> list[Record]:
    """One answers record for each sentence, with ``decided``, ``adjudication`` and, if it is decided, ``labels``.

    A sentence stays contested if adjudicators contradict each other. Undecided sentences are included, with ``labels``
    null, because they are context for the others.
    """
    return [_gold(record, answers, adjudications.get(identity(record), ())) for record, answers in joined(rows)]


def write_gold(path: str | Path, records: Sequence[Record]) -> Path | None:
    """Write ``records``; returns the copy of an earlier file with different content, whose name includes its time."""
    path = Path(path)
    kept = None
    if path.exists() and list(read_records(path)) != records:
        kept = set_aside(path)
    write_records(path, records)
    return kept


def counts(records: Iterable[Record]) -> dict[str, int]:
    """How many sentences were decided in each way; ``open`` counts those still contested, skipped or unlabelled."""
    return dict(Counter(str(record["decided"] or "open") for record in records))


def _gold(record: Record, answers: Sequence[Answer[str]], given: Sequence[Adjudication]) -> Record:
    decided: Decided | None = None
    outcome = answered(record, answers)
    last = {id(answer) for answer in latest(adjudication.answer for adjudication in given)}
    kept = [adjudication for adjudication in given if id(adjudication.answer) in last]
    verdict = merge(adjudication.answer for adjudication in kept)
    if verdict.state in ("labelled", "none", "contested"):
        outcome["state"], outcome["labels"] = verdict.state, None if verdict.labels is None else list(verdict.labels)
        decided = None if verdict.labels is None else "adjudicated"
    elif outcome["labels"] is not None:
        clear = [answer for answer in latest(answers) if answer.labels is not None]
        decided = "agreed" if len(clear) > 1 else "single"
    return {**outcome, "decided": decided, "adjudication": [adjudication.record() for adjudication in kept]}


def _adjudication(
    annotation: Mapping[str, Any], data: Mapping[str, Any], names: Mapping[int, str], labels: LabelSet
) -> Adjudication:
    by, parts = annotation["completed_by"], annotation["result"] or []
    answer = from_annotation(annotation, names.get(by, f"user {by}"), labels)
    why = [name for part in parts if part["from_name"] == WHY for name in part["value"]["choices"]]
    note = [text for part in parts if part["from_name"] == NOTE for text in part["value"]["text"]]
    return Adjudication(answer, why[0] if why else None, "\n".join(note), data.get("seen") or ())
