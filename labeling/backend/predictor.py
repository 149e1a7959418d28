"""Makes proposals for tasks with the model that is served now."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...base.errors import LabelingError, ModelError, PizhuError
from ...data.labels import LabelSet
from ...data.report import Sentence
from ...models.annotator import Annotator
from ..studio.config import config_labels
from ..studio.proposals import model_version, with_current_names
from ..studio.tasks import result, score, to_record
from .context import KEPT, Reports, Surroundings

PARTIAL = "报告不完整：模型只看到了其中一部分句子"


@dataclass
class Served:
    """A loaded model; a prediction keeps using it until it is done, even if another model is served by then.

    Attributes:
        version: its name in Label Studio; no two models share one.
        answers: its answers for reports that it has read, by ``id()`` of the :class:`Surroundings`, each kept with its
            key's object.
    """

    annotator: Annotator
    folder: Path
    version: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: dict[int, tuple[Surroundings, dict[str, Sentence]]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, labels: LabelSet | None = None, name: str | None = None) -> Served:
        """Load a model folder; labels that it knows by a former name get their current one.

        Raises:
            ModelError: it cannot be loaded, or its labels are not ``labels``.
        """
        annotator = with_current_names(Annotator.load(folder), labels or ())
        about = annotator.about
        if labels is not None and set(labels.names) != set(about.labels.names):
            raise ModelError(
                f"model folder {folder} has the labels {', '.join(about.labels.names)}, expected "
                f"{', '.join(labels.names)}; choose another with --model, or give its label set with --labels"
            )
        return cls(annotator, folder, model_version(annotator, name))

    def read(self, reports: Sequence[Surroundings]) -> list[dict[str, Sentence]]:
        """Each report's labelled sentences by task data id; reports that were not read before are read in one pass."""
        with self.lock:
            todo = [around for around in reports if id(around) not in self.answers]
            labelled = self.annotator.annotate_many([around.report for around in todo])
            for around, report in zip(todo, labelled, strict=True):
                sentences = [sentence for sentence in report.sentences if sentence.kind == "sentence"]
                found = {key: s for key, s in zip(around.ids, sentences, strict=True) if key is not None}
                self.answers[id(around)] = around, found
            answers = [self.answers[id(around)][1] for around in reports]
            while len(self.answers) > KEPT:
                self.answers.pop(next(iter(self.answers)))
        return answers


class Predictor:
    """Answers Label Studio's requests with the model that is served now.

    Attributes:
        served: None if no model could be loaded; ``problem`` then says why.
    """

    def __init__(self, reports: Reports) -> None:
        self.served: Served | None = None
        self.problem = "no model was loaded"
        self._reports = reports

    def serve(self, served: Served) -> None:
        """Use ``served`` from now on."""
        self.served, self.problem = served, ""

    @property
    def context_problem(self) -> str:
        """Why whole reports cannot be fetched from Label Studio; empty if they can."""
        return self._reports.problem

    @property
    def present(self) -> Served:
        """The served model; a :class:`ModelError` if there is none."""
        if self.served is None:
            raise ModelError(self.problem)
        return self.served

    def check(self, config: str) -> Served:
        """The served model, if a project with this configuration asks for its labels, possibly under later names.

        Raises:
            LabelingError: the project asks for other labels.
            ModelError: no model is served.
        """
        served = self.present
        asked, known = [label.name for label in config_labels(config)], served.annotator.about.labels.names
        if set(asked) != set(_project_names(served, config).values()):
            raise LabelingError(
                f"the project asks for {', '.join(asked) or 'no labels of pizhu'} but the model knows "
                f"{', '.join(known)}; start the service with a --model for these labels"
            )
        return served

    def predict(self, tasks: Sequence[Mapping[str, Any]], config: str) -> list[dict[str, Any]]:
        """One answer for each task, in order, in Label Studio's form; an ``error`` for a task that pizhu did not make.

        All tasks of a report are answered in one pass.

        Raises:
            LabelingError, ModelError: as :meth:`check`.
        """
        served = self.check(config)
        answers: dict[int, dict[str, Any]] = {}
        groups: dict[tuple[int | None, str], dict[int, Mapping[str, Any]]] = defaultdict(dict)
        for place, task in enumerate(tasks):
            try:
                data = task["data"]
                groups[_number(task.get("project")), to_record(data)["doc"]][place] = data
            except (PizhuError, KeyError, TypeError) as error:
                answers[place] = {"error": str(error)}
        found: list[tuple[Surroundings, dict[int, Mapping[str, Any]]]] = []
        for (project, _), group in groups.items():
            try:
                found.append((self._reports.around(project, list(group.values())), group))
            except (PizhuError, KeyError, TypeError) as error:
                answers |= {place: {"error": str(error)} for place in group}
        read, names = served.read([around for around, _ in found]), _project_names(served, config)
        for (around, group), sentences in zip(found, read, strict=True):
            for place, data in group.items():
                answers[place] = _answer(sentences[data["id"]], served.version, names, around.whole)
        return [answers[place] for place in range(len(tasks))]


def _project_names(served: Served, config: str) -> dict[str, str]:
    """The project's name for each label of the model: labels may be renamed while the service runs."""
    renamed = {former: label.name for label in config_labels(config) for former in label.formerly}
    return {name: renamed.get(name, name) for name in served.annotator.about.labels.names}


def _answer(sentence: Sentence, version: str, names: Mapping[str, str], whole: bool) -> dict[str, Any]:
    labels = [names[name] for name in sentence.labels or ()]
    given = result(labels)
    if not whole:
        given = [{**part, "meta": {"text": [PARTIAL]}} for part in given]
    probabilities = {names[name]: round(value, 4) for name, value in (sentence.scores or {}).items()}
    return {
        "model_version": version,
        "score": score(labels, probabilities, "the model's answer"),
        "result": given,
        "scores": probabilities,
        "context": "whole" if whole else "partial",
    }


def _number(project: object) -> int | None:
    """The project's number; Label Studio sends it alone, or with a time (``12.1763900000``)."""
    found = re.match(r"\d+", str(project))
    return int(found[0]) if found else None
