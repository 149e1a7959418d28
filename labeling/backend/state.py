"""The state that the service keeps between starts: the model it serves and the results of its trainings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ...base.errors import LabelingError
from ...base.files import write_text
from ...base.typed import Misfit, parse

Stage = Literal["waiting", "pulling", "training", "evaluating", "taken", "rejected", "failed"]
ENDED: tuple[Stage, ...] = ("taken", "rejected", "failed")


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        number: counts from 1; also the number of the model version that results from it.
        stage: the current step, or how it ended.
        why: who started it, in words for the page.
        began, ended: ISO 8601 in UTC.
        reports: how many labelled reports it trained on and how many were held out, not counting shipped ones.
        present, new: macro-F1 of the served model and of the new one on the same validation reports.
        error: one sentence, if it failed.
    """

    number: int
    stage: Stage
    why: str
    began: str
    ended: str | None = None
    reports: tuple[int, int] | None = None
    present: float | None = None
    new: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class State:
    """The content of ``state.json``.

    Attributes:
        base: fingerprint of the model that the service started with.
        current: number of the version that is served; 0 is the model that it started with.
        versions: numbers of the versions that were accepted, oldest first; each is in ``versions/<number>``.
        events: annotations since the last training was started.
        taught, held: the reports that any training has used for training, and those held out of all of them.
        run: the last training.
    """

    base: str = ""
    current: int = 0
    versions: tuple[int, ...] = ()
    events: int = 0
    taught: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    run: Run | None = None


def load_state(path: Path) -> State:
    """Read ``state.json``; an empty state if there is no such file.

    Raises:
        LabelingError: the file is damaged.
    """
    if not path.exists():
        return State()
    try:
        text = path.read_bytes()
        state = parse(text, State)
        if json.loads(text).keys() - State.__dataclass_fields__.keys():
            raise Misfit("a later pizhu wrote it")
        return state
    except (OSError, Misfit):
        raise LabelingError(f"{path} is damaged; move it away to start over with the model of --model") from None


def save_state(path: Path, state: State) -> None:
    """Replace ``state.json``."""
    write_text(path, json.dumps(asdict(state), ensure_ascii=False, indent=1) + "\n")


def now() -> str:
    """The current time, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def tail(path: Path, lines: int = 12) -> Sequence[str]:
    """The last lines of a log; empty if there is no log yet."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_000))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
