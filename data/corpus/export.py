"""The corpus for other programs: JSON Lines, and a ``datasets.DatasetDict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import MissingExtraError
from ...base.files import write_records
from ..records import Record
from .load import SPLITS, Split, load_corpus

if TYPE_CHECKING:
    from datasets import DatasetDict  # type: ignore[import-untyped]


class CorpusRecord(Record):
    """A record with the fields of its report's head (its ``kind`` is called ``genre``) and the sentence's hard case."""

    level: str
    body: str
    genre: str
    year: int
    case: str | None


def corpus_records(split: Split, folder: str | Path | None = None) -> list[CorpusRecord]:
    """One record per sentence, heading or piece of furniture of a split, with the fields of the report's head."""
    return [
        {**record, "level": r.level, "body": r.body, "genre": r.kind, "year": r.year, "case": case}
        for r in load_corpus(folder, split)
        for record, case in zip(r.report.records(), r.cases, strict=True)
    ]


def export_jsonl(out: str | Path, folder: str | Path | None = None) -> list[Path]:
    """Write ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl`` into ``out``; returns their paths."""
    paths = []
    for split in SPLITS:
        path = Path(out) / f"{split}.jsonl"
        write_records(path, corpus_records(split, folder))
        paths.append(path)
    return paths


def dataset_dict(folder: str | Path | None = None) -> DatasetDict:
    """The corpus as a ``datasets.DatasetDict`` of the three splits.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
    """
    try:
        from datasets import Dataset, DatasetDict
    except ImportError:
        raise MissingExtraError("a DatasetDict", "train") from None
    return DatasetDict({split: Dataset.from_list(corpus_records(split, folder)) for split in SPLITS})
