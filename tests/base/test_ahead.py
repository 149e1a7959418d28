"""What is taken ahead comes in order, few items or bytes at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pizhu.base.ahead import taken_ahead


def counted(made: list[int]) -> Iterator[int]:
    for number in range(20):
        made.append(number)
        yield number


@pytest.mark.parametrize(("size", "most"), [(0, 4), (60, 2), (1000, 1)])
def test_few_are_taken_ahead(monkeypatch: pytest.MonkeyPatch, size: int, most: int) -> None:
    monkeypatch.setattr("pizhu.base.ahead.MOST_BYTES", 100)
    made: list[int] = []
    for number in taken_ahead(counted(made), 4, lambda item: size):
        assert len(made) <= number + 1 + most
    assert made == list(range(20))
