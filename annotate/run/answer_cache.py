"""Reuses the annotations of reports that occur more than once, under other names or on other pages."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from ...data.report import Report


class AnswerCache:
    """The annotations of the most recent reports, for other reports with the same content.

    A sentence's labels depend on the report around it, so the whole report must be the same: its text, and the
    positions and kinds of its sentences and headings. The file's name and path may differ.

    Args:
        size: how many reports are kept, about 40 kB each; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[bytes, Report] = OrderedDict()

    def get(self, report: Report) -> Report | None:
        """``report`` with its labels, if they are known; else None."""
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
