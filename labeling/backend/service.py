"""The service put together: its folder, its secret, its model, its application."""

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
"""How long to wait before Label Studio is tried again; it may start after the service."""


@contextmanager
def opened(
    folder: Path,
    model: Path,
    plan: Plan,
    secret: str,
    find_access: Callable[[], Access],
    **settings: Any,
) -> Iterator[FastAPI]:
    """The application over ``model`` (or the better one that was trained since) until the block ends.

    The model is loaded before anything is answered. One that cannot be loaded is told by ``/health`` and
    ``app.state.predictor.problem``.

    Args:
        folder: the service's own, made when missing.
        model: the model folder to begin with.
        plan: how to train.
        secret: what opens the service.
        find_access: where Label Studio is, asked whenever it is needed.
        settings: what else :func:`~.app.create_app` takes.

    Raises:
        LabelingError: another service works in ``folder``, or its state is damaged.
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
        raise LabelingError(f"another prediction service works in {folder}; stop it, or name another folder") from None


def keep_trying(attempt: Callable[[], None], tell: Callable[[str], None]) -> None:
    """Make ``attempt`` in the background until it succeeds; ``tell`` hears each new reason why it does not."""

    def work() -> None:
        told = ""
        wait = threading.Event()
        while True:
            try:
                return attempt()
            except PizhuError as error:
                if str(error) != told:
                    told = str(error)
                    tell(told)
            wait.wait(REGISTER_SECONDS)

    threading.Thread(target=work, name="pizhu-register", daemon=True).start()
