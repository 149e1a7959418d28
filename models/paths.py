"""Where models and caches lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from ..base.folders import restore

SHIPPED = Path(__file__).parent / "default"
"""The model that pizhu brings along."""
KNOWN = "bafbf62edf6e6aaf9ad3a492095cdff46db3ab4f982f4e1db5786f0bcc189f5d"
"""Its fingerprint (``About.fingerprint``), in which the sums of all its files are: whatever has it was checked before
it was shipped, and by a test since, so that it need not be at every loading, which would take a fifth longer."""


def cache_folder() -> Path:
    """What can be made again: ``PIZHU_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("PIZHU_CACHE") or platformdirs.user_cache_dir("pizhu", appauthor=False))


def default_model() -> Path:
    """The model that is used when none is named: ``PIZHU_MODEL``, else the user's own, else the shipped one.

    The user's own is what ``pizhu train`` writes when no ``--out`` is named.
    """
    named = os.environ.get("PIZHU_MODEL")
    own = own_model()
    restore(own)
    return Path(named) if named else own if own.is_dir() else SHIPPED


def own_model() -> Path:
    """Where a user's own model lies: ``model`` in the user's data folder."""
    return Path(platformdirs.user_data_dir("pizhu", appauthor=False)) / "model"
