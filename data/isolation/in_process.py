"""Reading without a separate process, and without limits on time and memory, for files that are trusted."""

from __future__ import annotations

from concurrent.futures import Future

from ..read import read_source, report_from_text
from ..report import Report
from .messages import Question


class InProcess:
    """Takes the place of a :class:`.pool.ReaderPool`; a hostile file may hang or crash the program."""

    def submit(self, question: Question) -> Future[Report]:
        """Read a report at once, in this thread."""
        answer: Future[Report] = Future()
        try:
            answer.set_result(read_here(question))
        except Exception as error:
            answer.set_exception(error)
        return answer


def read_here(question: Question) -> Report:
    """The report that ``question`` asks for; raises what ``data.read.read_source`` raises."""
    if question.is_text:
        return report_from_text(question.text(), question.doc, limits=question.limits)
    return read_source(question.source())
