"""A model that answers at once."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def killing() -> ModuleType:
    """The script ``killing.py`` as a module."""
    spec = importlib.util.spec_from_file_location("killing", Path(__file__).with_name("killing.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(killing: ModuleType) -> Any:
    """Answers by a hash of the text."""
    return killing.Hashed()
