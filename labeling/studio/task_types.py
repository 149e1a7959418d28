"""The kinds of task: choosing labels for a sentence, and marking spans in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ...base.errors import ConfigError
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.records import Record
from . import answers, spans, tasks
from .answers import Answer
from .config import CONTROL, SPANS, instructions, label_config, span_config, span_instructions

TITLE = "报告句子标注"


class ToTasks(Protocol):
    """Turns records into tasks in Label Studio's form; see :func:`.tasks.to_tasks`."""

    def __call__(
        self, records: Iterable[Record], labels: LabelSet, where: str, report_url: str | None = None
    ) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class TaskKind:
    """What differs between kinds of task.

    Attributes:
        name: the value of ``--task``.
        title: the default title of its project in Label Studio.
        labels: the default label set.
        control: the name of its control in the configuration and in results.
        value: the field of a result's value that holds label names.
        config, instructions: make what annotators see from the labels.
        to_tasks: makes tasks from records.
        answer: makes an answer from an annotation, its annotator, the sentence's record and the labels.
        answered: makes an answers record from a record and its answers.
    """

    name: str
    title: str
    labels: LabelSet
    control: str
    value: str
    config: Callable[[LabelSet], str]
    instructions: Callable[[LabelSet], str]
    to_tasks: ToTasks
    answer: Callable[[Mapping[str, Any], str, Record, LabelSet], Answer[Any]]
    answered: Callable[[Record, Sequence[Answer[Any]]], Record]


SENTENCES = TaskKind(
    "sentences",
    TITLE,
    DEFAULT_LABELS,
    CONTROL,
    "choices",
    label_config,
    instructions,
    tasks.to_tasks,
    lambda annotation, annotator, record, labels: answers.from_annotation(annotation, annotator, labels),
    answers.answered,
)
SPAN_MARKING = TaskKind(
    "spans",
    "报告指标标注",
    spans.SPAN_LABELS,
    SPANS,
    "labels",
    span_config,
    span_instructions,
    spans.to_tasks,
    spans.from_annotation,
    partial(answers.answered, field="spans"),
)
KINDS = {kind.name: kind for kind in (SENTENCES, SPAN_MARKING)}


def kind_of(name: str) -> TaskKind:
    """The kind with that name; a :class:`ConfigError` if there is none."""
    if name not in KINDS:
        raise ConfigError(f"unknown task {name!r}, expected one of {', '.join(KINDS)}")
    return KINDS[name]
