"""Where models and caches lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """What can be made again: ``PIZHU_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("PIZHU_CACHE") or platformdirs.user_cache_dir("pizhu", appauthor=False))


def default_model() -> Path:
    """The model that is used when none is named: ``PIZHU_MODEL``, else ``model`` in the user's data folder.

    ``make demo`` leaves the model it trains there.
    """
    named = os.environ.get("PIZHU_MODEL")
    return Path(named) if named else Path(platformdirs.user_data_dir("pizhu", appauthor=False)) / "model"
