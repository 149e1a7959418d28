"""Reading ahead and writing behind are bounded and in order, and lose no error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pizhu.annotate.run.prefetch import background_writer, prefetched


def test_items_come_in_order_and_few_are_made_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    with prefetched(items(), 3) as taken:
        for i, item in enumerate(taken):
            assert item == i
            assert len(made) <= i + 1 + 3 + 1 + 1
    assert made == list(range(100))


def test_an_error_of_the_producer_comes_after_its_items() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"), prefetched(items(), 3) as taken:
        for item in taken:
            seen.append(item)
    assert seen == [1]


def test_leaving_early_stops_the_producer() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()
    with prefetched(endless(), 2) as taken:
        assert next(taken) == 0
    assert threading.active_count() == before


def test_background_work_is_done_in_order_before_the_block_ends() -> None:
    done = []

    def work(item: int) -> None:
        time.sleep(0.001)
        done.append(item)

    with background_writer(work, 2) as put:
        for i in range(20):
            put(i)
    assert done == list(range(20))
    with pytest.raises(KeyboardInterrupt), background_writer(work, 2) as put:
        put(20)
        raise KeyboardInterrupt
    assert done[-1] == 20  # what was handed over is not lost


def test_an_error_of_the_work_is_raised_where_items_are_put() -> None:
    def work(item: int) -> None:
        raise OSError(28, "full")

    with pytest.raises(OSError, match="full"), background_writer(work, 2) as put:
        for i in range(1000):
            put(i)
    with pytest.raises(OSError, match="full"), background_writer(work, 2) as put:
        put(1)


def test_what_items_hold_limits_how_many_are_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pizhu.annotate.run.prefetch.MOST_BYTES", 100)
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(6):
            made.append(number)
            yield number

    with prefetched(items(), 8, lambda number: 60) as taken:
        for number in taken:
            time.sleep(0.1)
            assert len(made) <= number + 3  # this one, one in the queue, and one that waits for room
    assert made == list(range(6))


def test_what_waits_to_be_written_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pizhu.annotate.run.prefetch.MOST_BYTES", 100)
    put_: list[int] = []
    written: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.1)
        assert len(put_) <= number + 3
        written.append(number)

    with background_writer(work, 8, lambda number: 60) as put:
        for number in range(6):
            put_.append(number)
            put(number)
    assert written == list(range(6))
