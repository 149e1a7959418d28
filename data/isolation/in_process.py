"""For whoever reads files of their own: the same without a process, and without limits of time and memory."""

from __future__ import annotations

from concurrent.futures import Future

from ..read import read_source, report_from_text
from ..report import Report
from .messages import Question


class InProcess:
    """Takes the place of a :class:`.pool.ReaderPool`; a hostile file may then hang or end the program."""

    def submit(self, question: Question) -> Future[Report]:
        """Read a report at once."""
        answer: Future[Report] = Future()
        try:
            answer.set_result(read_here(question))
        except Exception as error:
            answer.set_exception(error)
        return answer


def read_here(question: Question) -> Report:
    """The report that is asked for; raises what ``data.read.read_source`` raises."""
    if question.is_text:
        return report_from_text(question.text(), question.doc, limits=question.limits)
    return read_source(question.source())
