"""Trains on demand in the background: pulls the answers, trains, evaluates, serves the new model if it is better."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...base.errors import PizhuError
from ...base.files import read_records, write_records
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...models.folder import load_about
from ..studio.access import TOKEN_VARIABLE, URL_VARIABLE, Access
from ..studio.rename import rename_file
from .commands import Closed, Commands
from .judging import prepare
from .predictor import Predictor, Served
from .state import ENDED, Run, Stage, State, load_state, now, save_state

ANSWERS, TRAINING, JUDGED, LOG = "answers.jsonl", "training.jsonl", "judged.jsonl", "log.txt"


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        title: the project whose answers to train on.
        labels, labels_file: the model's label set, and its file if it is the user's own.
        recipe, settings: as for `pizhu train --recipe --set`.
        corpus: train on the shipped corpus too, so that the model does not forget what it has learned, and evaluate on
            its validation split too.
        every: start a training after this many annotations; 0 means never.
    """

    title: str
    labels: LabelSet = DEFAULT_LABELS
    labels_file: Path | None = None
    recipe: str = "finetune"
    settings: tuple[str, ...] = ()
    corpus: bool = True
    every: int = 0

    @property
    def shipped(self) -> bool:
        """Whether the shipped corpus is used; `pizhu train` leaves it out if it gets a label set."""
        return self.corpus and self.labels_file is None


class Trainer:
    """Owns the service's folder and runs trainings in it, one at a time."""

    def __init__(self, folder: Path, predictor: Predictor, plan: Plan, find_access: Callable[[], Access]) -> None:
        self.folder, self.plan = folder, plan
        self._predictor, self._find_access = predictor, find_access
        self._path = folder / "state.json"
        self._lock = threading.RLock()
        self._state = load_state(self._path)
        self._thread: threading.Thread | None = None
        self._commands = Commands()

    @property
    def state(self) -> State:
        """The current state."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether a training is in progress."""
        return self._state.run is not None and self._state.run.stage not in ENDED

    def run_folder(self, number: int) -> Path:
        """The folder of a training's files, including its log."""
        return self.folder / "runs" / str(number)

    def load(self, model: Path) -> None:
        """Serve the version that was accepted last, or ``model`` if there is none or ``model`` has changed.

        If the model cannot be loaded, no other takes its place: the predictor then says why.
        """
        try:
            base = Served.load(model, self.plan.labels)
            if base.annotator.about.fingerprint != self._state.base:
                unfinished = self.busy
                self._change(base=base.annotator.about.fingerprint, current=0)
                if unfinished:
                    self._end("failed", error="the service was started with another model; train again")
            number = self._state.current
            served = base if number == 0 else self._load_version(self._version_folder(number), number)
        except PizhuError as error:
            self._predictor.served, self._predictor.problem = None, str(error)
        else:
            self._predictor.serve(served)

    def resume(self) -> None:
        """Continue a training that was in progress when the service last ended."""
        with self._lock:
            if self.busy and self._predictor.served is not None:
                self._launch()

    def start(self, why: str) -> bool:
        """Start a training; returns False if one is in progress.

        Raises:
            ModelError: there is no model to start from.
        """
        _ = self._predictor.present
        with self._lock:
            if self.busy:
                return False
            number = self._state.run.number + 1 if self._state.run else 1
            self._change(events=0, run=Run(number, "waiting", why, now()))
            self._launch()
            return True

    def annotated(self, count: int = 1) -> None:
        """Count annotations, and start a training when there are enough."""
        if not self.plan.every:
            return
        with self._lock:
            self._change(events=self._state.events + count)
            if self._state.events >= self.plan.every and self._predictor.served is not None:
                self.start(f"满{self.plan.every}条标注")

    def close(self) -> None:
        """Stop a training in progress; the next start continues it."""
        self._commands.close()
        if self._thread is not None:
            self._thread.join()

    def _launch(self) -> None:
        self._thread = threading.Thread(target=self._work, name="pizhu-train", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._train()
        except Closed:
            pass
        except (PizhuError, OSError) as error:
            self._end("failed", error=str(error))
        except Exception as error:  # our own bug must show; the page must not say "training" for ever
            self._end("failed", error=f"a fault in pizhu ({type(error).__name__}); the service's log says more")
            raise

    def _train(self) -> None:
        folder = self.run_folder(self._run.number)
        folder.mkdir(parents=True, exist_ok=True)
        if self._run.reports is None:  # a continued training keeps its answers
            self._stage("pulling")
            self._gather(folder)
        present = self._predictor.present
        made, version = folder / "model", self._version_folder(self._run.number)
        if not made.exists() and not version.exists():
            self._stage("training")
            self._make(present.folder, folder)
        self._stage("evaluating")
        self._judge(present.folder, version if version.exists() else made, folder)

    def _gather(self, folder: Path) -> None:
        """Pull the answers and divide them."""
        access = self._find_access()
        environ = {URL_VARIABLE: access.url, TOKEN_VARIABLE: access.token}
        words = ["label", "pull", str(folder / ANSWERS), "--project", self.plan.title, *self._labels]
        self._commands.run(words, folder / LOG, environ, fine=(0, 1))  # 1: some tasks were not pizhu's
        division = prepare(
            *(folder / name for name in (ANSWERS, TRAINING, JUDGED)),
            corpus=self.plan.shipped,
            taught=(*self._state.taught, *_taught(self._predictor.present)),
            held=self._state.held,
        )
        with self._lock:
            self._change(
                taught=tuple(dict.fromkeys(self._state.taught + division.taught)),
                held=tuple(dict.fromkeys(self._state.held + division.held)),
                run=replace(self._run, reports=(len(division.taught), len(division.held))),
            )

    def _make(self, present: Path, folder: Path) -> None:
        """Train a model, starting from the present one."""
        words = ["train", "--recipe", self.plan.recipe, "--set", f"encoder.name={present}", "--offline"]
        words += [word for setting in self.plan.settings for word in ("--set", setting)]
        words += [] if self.plan.shipped else ["--no-corpus"]
        words += [*self._labels, "--data", str(folder / TRAINING), "--out", str(folder / "model")]
        self._commands.run(words, folder / LOG)

    def _judge(self, present: Path, candidate: Path, folder: Path) -> None:
        """Score both models on the same reports and serve the better one."""
        before, after = (self._score(model, folder) for model in (present, candidate))
        self._change_run(present=before, new=after)
        if after <= before:
            self._end("rejected")
            shutil.rmtree(candidate)
            return
        number = self._run.number
        version = self._version_folder(number)
        if candidate != version:
            version.parent.mkdir(exist_ok=True)
            candidate.replace(version)
        served = self._load_version(version, number)
        with self._lock:  # one write, so that a service killed here either serves it next time or does not
            accepted = replace(self._run, stage="taken", ended=now())
            self._change(current=number, versions=(*self._state.versions, number), run=accepted)
            self._predictor.serve(served)

    def _score(self, model: Path, folder: Path) -> float:
        # `evaluate` also refuses reports that are in the model's training data or the training file.
        judged, taught = (self._in_names_of(model, folder / name) for name in (JUDGED, TRAINING))
        words = ["evaluate", str(model), str(judged), "--training", str(taught), "--json"]
        body = json.loads(self._commands.run([*words, "--no-baseline", "--fast", "--errors", "0"], folder / LOG))
        return float(body["systems"]["model"]["macro_f1"]["value"])

    def _in_names_of(self, model: Path, records: Path) -> Path:
        """``records``, or a copy with the model's label names, if the model is from before a renaming."""
        present = self.plan.labels.renamed
        known = load_about(model).labels
        if not any(label.name in present for label in known):
            return records
        former = (replace(label, formerly=(present[label.name],) if label.name in present else ()) for label in known)
        copy = records.with_suffix(".former.jsonl")
        write_records(copy, read_records(records))
        rename_file(copy, LabelSet(tuple(former)))
        return copy

    def _load_version(self, folder: Path, number: int) -> Served:
        return Served.load(folder, self.plan.labels, f"v{number}")

    def _version_folder(self, number: int) -> Path:
        return self.folder / "versions" / str(number)

    @property
    def _labels(self) -> list[str]:
        return ["--labels", str(self.plan.labels_file)] if self.plan.labels_file else []

    @property
    def _run(self) -> Run:
        assert self._state.run is not None
        return self._state.run

    def _stage(self, stage: Stage) -> None:
        self._change_run(stage=stage)

    def _end(self, stage: Stage, error: str | None = None) -> None:
        self._change_run(stage=stage, ended=now(), error=error)

    def _change_run(self, **changes: Any) -> None:
        with self._lock:
            self._change(run=replace(self._run, **changes))

    def _change(self, **changes: Any) -> None:
        with self._lock:
            state = replace(self._state, **changes)
            save_state(self._path, state)
            self._state = state


def _taught(served: Served) -> list[str]:
    """Reports that the model was trained on before this service used it, if the model records them."""
    data = served.annotator.about.origin.get("data")
    docs = data.get("training") if isinstance(data, dict) else None
    return [str(doc) for doc in docs] if isinstance(docs, list) else []
