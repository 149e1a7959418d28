"""Contested sentences as tasks for an adjudicator."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ...data.labels import LabelSet
from ...data.records import Record, keep
from ..agreement.answer_matrix import AnswerMatrix, Rows, identity, joined
from ..studio.answers import Answer, latest, merge
from ..studio.tasks import to_tasks
from .consensus import ANNOTATORS, MODEL, consensus

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def to_adjudicate(rows: Rows, labels: LabelSet, where: str) -> dict[str, dict[str, Any]]:
    """The task of each sentence that annotators answered differently, by the sentence's id.

    A task shows the answers as A, B, C, and holds no name; where three or more annotators answered it carries what they
    come to as a proposal (see :func:`.consensus.consensus`).

    Args:
        rows: all sentences, contested or not, since they are each other's neighbours.
        labels: what the answers name.
        where: the input's name for messages.

    Raises:
        DataError: a record is not a whole sentence record.
    """
    rows = joined(rows)
    contested = {identity(record): answers for record, answers in rows if merge(answers).state == "contested"}
    proposed = _proposals([row for row in rows if identity(row[0]) in contested], rows, labels)
    plain: list[Record] = [
        {**keep(record, [field for field in record if field not in ("labels", "scores", "model")]), **more}
        for record, _ in sorted(rows, key=lambda row: (str(row[0].get("doc")), row[0].get("start", 0)))
        for more in [proposed.get(identity(record), Record())]
    ]
    tasks = {}
    for task in to_tasks(plain, labels, where):
        if (number := task["data"]["id"]) in contested:
            answers = anonymous(number, contested[number])
            task["data"]["answers"] = "\n".join(
                f"{letter}：{_told(answer, labels)}" for letter, answer in zip(LETTERS, answers, strict=False)
            )
            task["data"]["seen"] = [seen(answer) for answer in answers]
            tasks[number] = task
    return tasks


def anonymous(number: str, answers: Sequence[Answer[str]]) -> list[Answer[str]]:
    """Each annotator's last answer, in an order that the sentence's id decides: A is not always the same person."""
    shuffled = sorted(latest(answers), key=lambda answer: answer.annotator)
    random.Random(number).shuffle(shuffled)
    return shuffled


def seen(answer: Answer[str]) -> list[str] | None:
    """What the adjudicator was shown of an answer: its labels; None for a skip or one that is not clear."""
    return None if answer.labels is None else list(answer.labels)


def _told(answer: Answer[str], labels: LabelSet) -> str:
    if answer.skipped:
        return "跳过"
    if answer.labels is None:
        return "答案不明确"
    return "、".join(label.title for label in labels if label.name in answer.labels) or "无"


def _proposals(contested: Rows, rows: Rows, labels: LabelSet) -> dict[str, Record]:
    """Labels and scores of the contested sentences that enough annotators answered."""
    wanted = {
        identity(record)
        for record, answers in contested
        if sum(answer.labels is not None for answer in latest(answers)) >= ANNOTATORS
    }
    if not wanted:
        return {}
    sheet = AnswerMatrix.of(rows, labels)
    found: dict[str, Record] = {}
    for record, probabilities in zip(sheet.records, consensus(sheet), strict=True):
        if (number := identity(record)) in wanted:
            scores = {name: round(float(chance), 4) for name, chance in zip(labels.names, probabilities, strict=True)}
            given = [name for name, chance in scores.items() if chance > 0.5]
            found[number] = {"labels": given, "scores": scores, "model": MODEL}
    return found
