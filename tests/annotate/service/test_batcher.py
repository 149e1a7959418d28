"""One thread for all requests: it batches what waits, keeps failures apart, and loses nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pizhu.annotate.service.batcher import Batcher, Full
from pizhu.data.read import report_from_text


def report(name: str, text: str = "完成了任务。还要努力。") -> Any:
    return report_from_text(text, name)


def test_what_waits_together_is_annotated_together(gated: Any) -> None:
    batcher = Batcher(gated, limit=9, batch=5)
    first = batcher.submit(report("a"))
    assert gated.busy.wait(5)
    others = [batcher.submit(report(name)) for name in "bcdef"]
    gated.gate.set()
    assert [answer.result(5).doc for answer in (first, *others)] == list("abcdef")
    assert gated.batches == [["a"], ["b", "c", "d"], ["e", "f"]]  # two sentences each, five or more end a batch
    batcher.close()


def test_one_that_the_model_cannot_bear_fails_alone(gated: Any) -> None:
    told: list[int] = []
    batcher = Batcher(gated, 9, 99, lambda done: told.append(len(done)))
    first = batcher.submit(report("a"))
    assert gated.busy.wait(5)
    bad, good = batcher.submit(report("bad", "模型怕我。")), batcher.submit(report("good"))
    gated.gate.set()
    assert first.result(5).doc == "a"
    with pytest.raises(RuntimeError, match="out of memory"):
        bad.result(5)
    assert good.result(5).sentences[0].labels is not None
    batcher.close()
    assert told == [1, 2]


def test_what_nobody_waits_for_is_not_annotated(gated: Any) -> None:
    batcher = Batcher(gated, 9, 99)
    first = batcher.submit(report("a"))
    assert gated.busy.wait(5)
    assert batcher.submit(report("gone")).cancel()
    last = batcher.submit(report("c"))
    gated.gate.set()
    assert (first.result(5).doc, last.result(5).doc) == ("a", "c")
    assert gated.batches == [["a"], ["c"]]
    batcher.close()


def test_it_closes_when_all_is_done(gated: Any) -> None:
    batcher = Batcher(gated, 9, 1)
    answers = [batcher.submit(report(name)) for name in "abc"]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    gated.gate.set()
    closing.join(10)
    assert not closing.is_alive()
    assert all(answer.done() for answer in answers)


def test_slots_are_limited_and_become_free() -> None:
    batcher = Batcher.__new__(Batcher)  # this needs no thread
    batcher.limit, batcher._begun, batcher._seconds, batcher._lock = 2, {}, 3.0, threading.Lock()
    with batcher.slot():
        batcher.check_slot()
        with batcher.slot():
            with pytest.raises(Full) as full, batcher.slot():
                pass
            assert full.value.retry_after == 6
            with pytest.raises(Full):
                batcher.check_slot()
            first = next(iter(batcher._begun))
            batcher._begun[first] -= 40  # a file that takes long to be read: the others may take as long
            with pytest.raises(Full) as full:
                batcher.check_slot()
            assert 40 <= full.value.retry_after <= 42
        with pytest.raises(ZeroDivisionError), batcher.slot():
            1 / 0  # noqa: B018
        assert batcher.in_flight == 1
    assert batcher.in_flight == 0
