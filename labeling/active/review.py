"""Sends doubtful labels back to Label Studio, to a project that shows each sentence's labels and the doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...base.progress import Progress, silent
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.records import Record, keep
from ..studio.access import Access
from ..studio.client import connect
from ..studio.config import label_config
from ..studio.project import ensure_project, find_project
from ..studio.push import Pushed, deliver
from ..studio.task_types import SENTENCES, TITLE
from ..studio.tasks import to_tasks
from .label_issues import LabelIssue
from .pool import Pool

REVIEW = replace(SENTENCES, name="review", title=f"{TITLE}·复核", config=partial(label_config, doubted=True))
"""The annotators' task with the doubts shown above the choices."""


def doubt_records(doubts: Sequence[LabelIssue]) -> list[Record]:
    """One record for each sentence, the most suspicious first: ``labels`` as stored, ``doubts`` with the reasons."""
    kept = ("id", "doc", "start", "end", "kind", "text", "headings", "previous", "lead", "labels")
    found: dict[int, Record] = {}
    for doubt in doubts:
        record = found.setdefault(id(doubt.record), {**keep(doubt.record, kept), "doubts": []})
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
    records: Sequence[Record],
    *,
    title: str = REVIEW.title,
    labels: LabelSet = DEFAULT_LABELS,
    overlap: int | None = None,
    overwrite_config: bool = False,
    progress: Progress = silent,
) -> Pushed:
    """Send doubtful sentences to their own project, each once; ``pizhu label pull --project`` fetches the answers.

    Args:
        access: Label Studio's address and the owner's token.
        pool: the pool that the sentences are from, so that reviewers see their context.
        records: see :func:`doubt_records`.
        title: the title of the project, which is created if missing.
        labels: the labels to choose from.
        overlap: how many reviewers answer each sentence; None leaves it as it is (1 in a new project).
        overwrite_config: whether to replace a configuration that was changed by hand.
        progress: reports how many sentences were sent.

    Raises:
        DataError: a record of the pool is not a complete sentence record.
        LabelingError: Label Studio cannot be used, or the project's configuration was changed by hand.
    """
    tasks = _tasks(pool, records, labels)
    with connect(access) as client:
        if find_project(client, title) is None:
            overlap = overlap or 1
        project = ensure_project(
            client, labels, title, kind=REVIEW, overlap=overlap, overwrite=overwrite_config, progress=progress
        )
        return deliver(client, access.url, project, tasks, progress)


def _tasks(pool: Pool, records: Sequence[Record], labels: LabelSet) -> dict[str, dict[str, Any]]:
    """The doubtful sentences' tasks by id, the most suspicious first; no choice is preselected."""
    reasons = {record["id"]: _reason(record, labels) for record in records}
    tasks = {task["data"]["id"]: task for task in to_tasks(pool.shown(reasons), labels, "the answers")}
    for identity, words in reasons.items():
        tasks[identity]["data"]["doubt"] = words
    return {identity: tasks[identity] for identity in reasons}


def _reason(record: Record, labels: LabelSet) -> str:
    """The stored labels and the doubts, in Chinese."""
    titles = {label.name: label.title for label in labels}
    stored = "、".join(titles[name] for name in record["labels"] or ()) or "无"
    return f"原标注：{stored}。疑点：{'；'.join(doubt['words'] for doubt in record['doubts'])}。"
