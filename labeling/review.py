"""Doubtful labels back to Label Studio: a project in which each sentence shows what it is labelled with and why not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..data.files import write_records
from ..data.labels import DEFAULT_LABELS, LabelSet
from .access import Access
from .config import label_config
from .errors import Doubt
from .kinds import SENTENCES
from .pool import Pool
from .progress import Progress, silent
from .push import Pushed, push
from .tasks import to_tasks

TITLE = "报告句子标注·复核"


def doubt_records(doubts: Sequence[Doubt]) -> list[dict[str, Any]]:
    """One record a sentence, the most suspicious first: its labels are the stored ones, ``doubts`` says what is wrong.

    In each of ``doubts``: ``label``, ``given`` (whether the sentence has it), ``score``, ``why``, ``words``.
    """
    kept = ("id", "doc", "start", "end", "kind", "text", "headings", "previous", "lead", "labels")
    found: dict[int, dict[str, Any]] = {}
    for doubt in doubts:
        record = found.setdefault(
            id(doubt.record), {**{n: doubt.record[n] for n in kept if n in doubt.record}, "doubts": []}
        )
        record["doubts"].append(
            {
                "label": doubt.label,
                "given": doubt.given,
                "score": round(doubt.score, 4),
                "why": list(doubt.why),
                "words": doubt.words,
            }
        )
    return list(found.values())


def push_review(
    access: Access,
    pool: Pool,
    records: Sequence[Mapping[str, Any]],
    *,
    title: str = TITLE,
    labels: LabelSet = DEFAULT_LABELS,
    overlap: int | None = 1,
    progress: Progress = silent,
) -> Pushed:
    """Send doubtful sentences to a project of their own, each once; ``pizhu label pull --project`` fetches the answers.

    Args:
        access: Label Studio's address and the owner's token.
        pool: where the sentences stand, so that reviewers see them in their context.
        records: see :func:`doubt_records`.
        title: of the project, which is created where it is missing.
        labels: what may be answered.
        overlap: how many reviewers a sentence.
        progress: told how many sentences are sent.

    Raises:
        LabelingError: Label Studio cannot be used, or the project was changed by hand.
    """
    said = {record["id"]: (place, _said(record, labels)) for place, record in enumerate(records)}

    def tasks(
        rows: Iterable[Mapping[str, Any]], labels: LabelSet, where: str, report_url: str | None = None
    ) -> list[dict[str, Any]]:
        """The most suspicious first; nothing is chosen beforehand."""
        found = to_tasks(rows, labels, where, report_url)
        for task in found:
            task["data"]["doubt"] = said[task["data"]["id"]][1]
        return sorted(found, key=lambda task: said[task["data"]["id"]][0])

    kind = replace(SENTENCES, name="review", title=title, config=partial(label_config, doubted=True), to_tasks=tasks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "doubts.jsonl"
        write_records(path, pool.shown(said))
        return push(access, [path], kind=kind, title=title, labels=labels, overlap=overlap, progress=progress)


def _said(record: Mapping[str, Any], labels: LabelSet) -> str:
    """What is stored and what is doubted, in Chinese."""
    titles = {label.name: label.title for label in labels}
    stored = "、".join(titles[name] for name in record["labels"]) or "无"
    return f"原标注：{stored}。疑点：{'；'.join(doubt['words'] for doubt in record['doubts'])}。"
