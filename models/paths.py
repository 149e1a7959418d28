"""The places of models and caches on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from ..base.folders import restore

SHIPPED = Path(__file__).parent / "default"
"""The model that comes with pizhu."""
KNOWN = "bafbf62edf6e6aaf9ad3a492095cdff46db3ab4f982f4e1db5786f0bcc189f5d"
"""Its fingerprint (``About.fingerprint``), which covers the checksums of all its files. A model with this fingerprint
was checked before release and by a test, so loading skips that check, which would take a fifth longer."""


def cache_folder() -> Path:
    """The folder for data that can be made again: ``PIZHU_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("PIZHU_CACHE") or platformdirs.user_cache_dir("pizhu", appauthor=False))


def default_model() -> Path:
    """The model that is used if none is named: ``PIZHU_MODEL``, else the user's own, else the shipped one.

    ``pizhu train`` without ``--out`` writes the user's own model.
    """
    named = os.environ.get("PIZHU_MODEL")
    own = own_model()
    restore(own)
    return Path(named) if named else own if own.is_dir() else SHIPPED


def own_model() -> Path:
    """The place of the user's own model: ``model`` in the user's data folder."""
    return Path(platformdirs.user_data_dir("pizhu", appauthor=False)) / "model"
