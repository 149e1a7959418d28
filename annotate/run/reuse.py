"""Answers that were given already: reports come twice, under other names or on other pages."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from ...data.report import Report


class AnswerCache:
    """The answers of the last reports, for others that say the same.

    A sentence's answer depends on the report around it, so what is the same is the whole report: its text, where its
    sentences and headings stand in it and what they are. The file's name and place may differ.

    Args:
        size: how many reports' answers are kept, about 40 kB each; 0 for none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[bytes, Report] = OrderedDict()

    def get(self, report: Report) -> Report | None:
        """``report`` with its answers, where they are known."""
        if not self._size or (known := self._kept.get(key := _key(report))) is None:
            return None
        self._kept.move_to_end(key)
        return report.with_labels(
            [s.labels for s in known.sentences],
            [s.scores for s in known.sentences],
            [s.review for s in known.sentences],
        )

    def keep(self, report: Report) -> None:
        """Remember an annotated report."""
        if self._size:
            self._kept[_key(report)] = report
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)


def _key(report: Report) -> bytes:
    digest = hashlib.blake2b(report.text.encode("utf-8", "surrogatepass"), digest_size=16)
    digest.update(repr([(s.start, s.end, s.kind, s.headings) for s in report.sentences]).encode("utf-8"))
    return digest.digest()
