"""A model that answers instantly."""

from __future__ import annotations

import pytest
from pizhu.tests.support.killing import Hashed


@pytest.fixture
def model() -> Hashed:
    """Answers by a hash of the text."""
    return Hashed()
