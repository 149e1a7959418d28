"""A model's proposals for what is pushed, so that nobody has to write annotated files first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.labels import Label, LabelSet
from ...data.rebuild import reports_from_records
from ...data.records import Record
from .tasks import read_input

if TYPE_CHECKING:
    from ...models.annotator import Annotator


def propose(path: str | Path, annotator: Annotator) -> list[Record]:
    """The input's records; the model's ``labels``, ``scores`` and ``model`` replace those of the sentences.

    Args:
        path: a report or a file of records; it should hold whole reports with their headings, because the model reads
            each sentence in context.
        annotator: the model.

    Raises:
        PizhuError: the input cannot be read.
    """
    return with_proposals(read_input(path), annotator, str(path))


def with_proposals(records: Iterable[Record], annotator: Annotator, where: str) -> list[Record]:
    """As :func:`propose`, for records; ``where`` is the input's name for messages."""
    # The records may use another label set than the model.
    plain: list[Record] = [{**record, "labels": None} for record in records]
    version = model_version(annotator)
    answers = _answers(plain, annotator, where)
    return [
        {**record, **answers[number], "model": version} if number in answers else record
        for number, record in enumerate(plain)
    ]


def model_version(annotator: Annotator, name: str | None = None) -> str:
    """The model version in Label Studio: ``name`` or the folder's, and the first 8 characters of the fingerprint."""
    return f"{name or annotator.about.name}-{annotator.about.fingerprint[:8]}"


def with_current_names(annotator: Annotator, labels: Iterable[Label]) -> Annotator:
    """The model with its labels renamed to those of ``labels`` of which they are former names."""
    from ...models.annotator import Annotator

    renamed = {former: label.name for label in labels for former in label.formerly}
    about = annotator.about
    names = [renamed.get(name, name) for name in about.labels.names]
    if tuple(names) == about.labels.names or len(set(names)) < len(names):
        return annotator
    present = LabelSet(tuple(replace(label, name=name) for label, name in zip(about.labels, names, strict=True)))
    return Annotator(annotator.runtime, annotator.tokenizer, replace(about, labels=present))


def _answers(records: Sequence[Record], annotator: Annotator, where: str) -> dict[int, Record]:
    """Labels and scores by the index of the record."""
    reports = reports_from_records(records, annotator.about.labels, where)
    sentences: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        if record.get("kind", "sentence") == "sentence":
            sentences[record["doc"]].append(number)
    found: dict[int, Record] = {}
    for report in annotator.annotate_many(reports):
        # In the order of the text, as `reports_from_records` puts them.
        numbers = sorted(sentences[report.doc], key=lambda number: records[number]["start"])
        labelled = (s for s in report.sentences if s.kind == "sentence")
        for number, sentence in zip(numbers, labelled, strict=True):
            scores = {name: round(score, 4) for name, score in (sentence.scores or {}).items()}
            found[number] = {"labels": list(sentence.labels or ()), "scores": scores}
    return found
