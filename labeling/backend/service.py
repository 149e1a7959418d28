"""Assembles the service from its folder, secret, model and application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import LabelingError, PizhuError
from ...base.files import locked
from ..studio.access import Access
from .context import Reports
from .predictor import Predictor
from .trainer import Plan, Trainer

if TYPE_CHECKING:
    from fastapi import FastAPI

REGISTER_SECONDS = 5.0
"""Seconds between attempts to reach Label Studio, which may start after the service."""


@contextmanager
def opened(
    folder: Path,
    model: Path,
    plan: Plan,
    secret: str,
    find_access: Callable[[], Access],
    **settings: Any,
) -> Iterator[FastAPI]:
    """The application for ``model`` (or a better one that was trained since), until the block ends.

    The model is loaded before the first request. If it cannot be loaded, ``/health`` and
    ``app.state.predictor.problem`` say so.

    Args:
        folder: the service's folder, created if missing.
        model: the model folder to start with.
        plan: how to train.
        secret: the secret that requests must send.
        find_access: returns Label Studio's address and token; called whenever they are needed.
        settings: further arguments of :func:`~.app.create_app`.

    Raises:
        LabelingError: another service uses ``folder``, or its state is damaged.
    """
    from .app import create_app

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with locked(folder / "lock"):
            predictor = Predictor(Reports(find_access, plan.labels))
            trainer = Trainer(folder, predictor, plan, find_access)
            trainer.load(model)
            app = create_app(predictor, trainer, secret, **settings)
            app.state.predictor = predictor
            yield app
    except BlockingIOError:
        raise LabelingError(f"another prediction service uses {folder}; stop it, or choose another folder") from None


def keep_trying(attempt: Callable[[], None], report: Callable[[str], None]) -> None:
    """Repeat ``attempt`` in the background until it succeeds; ``report`` gets each new reason for a failure."""

    def work() -> None:
        last = ""
        wait = threading.Event()
        while True:
            try:
                return attempt()
            except PizhuError as error:
                if str(error) != last:
                    last = str(error)
                    report(last)
            wait.wait(REGISTER_SECONDS)

    threading.Thread(target=work, name="pizhu-register", daemon=True).start()
