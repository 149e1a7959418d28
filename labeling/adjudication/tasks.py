"""Makes tasks for an adjudicator from contested sentences."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ...data.labels import LabelSet
from ...data.records import Record, keep
from ..agreement.answer_matrix import AnswerMatrix, Rows, identity, joined
from ..studio.answers import Answer, latest, merge
from ..studio.tasks import to_tasks
from .consensus import MIN_ANSWERS, MODEL, consensus

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def to_adjudicate(rows: Rows, labels: LabelSet, where: str) -> dict[str, dict[str, Any]]:
    """The task of each sentence that annotators answered differently, by the sentence's id.

    A task shows the answers as A, B, C, and holds no names; if three or more annotators answered, it has their
    consensus as a proposal (see :func:`.consensus.consensus`).

    Args:
        rows: all sentences, contested or not, since tasks show neighbouring sentences.
        labels: the labels that answers may name.
        where: the input's name for messages.

    Raises:
        DataError: a record is not a complete sentence record.
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
                f"{letter}：{_in_words(answer, labels)}" for letter, answer in zip(LETTERS, answers, strict=False)
            )
            task["data"]["seen"] = [seen(answer) for answer in answers]
            tasks[number] = task
    return tasks


def anonymous(number: str, answers: Sequence[Answer[str]]) -> list[Answer[str]]:
    """Each annotator's last answer, shuffled by the sentence's id, so that A is not always the same person."""
    shuffled = sorted(latest(answers), key=lambda answer: answer.annotator)
    random.Random(number).shuffle(shuffled)
    return shuffled


def seen(answer: Answer[str]) -> list[str] | None:
    """What the adjudicator sees of an answer: its labels; None for a skipped or unclear one."""
    return None if answer.labels is None else list(answer.labels)


def _in_words(answer: Answer[str], labels: LabelSet) -> str:
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
        if sum(answer.labels is not None for answer in latest(answers)) >= MIN_ANSWERS
    }
    if not wanted:
        return {}
    matrix = AnswerMatrix.of(rows, labels)
    found: dict[str, Record] = {}
    for record, probabilities in zip(matrix.records, consensus(matrix), strict=True):
        if (number := identity(record)) in wanted:
            scores = {name: round(float(value), 4) for name, value in zip(labels.names, probabilities, strict=True)}
            given = [name for name, score in scores.items() if score > 0.5]
            found[number] = {"labels": given, "scores": scores, "model": MODEL}
    return found
