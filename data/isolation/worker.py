"""What a reading process runs: it takes questions from standard input and writes answers to standard output."""

from __future__ import annotations

import os
from threading import Thread
from typing import IO, Any

from ...base.errors import ReadError
from ..readers import office, pdf
from . import confinement
from .in_process import read_here
from .messages import Question, error_to_message, receive, report_to_message, send
from .system import system

_MOST_FILES = 5_000
_MOST_GROWTH_MB = 256


def main() -> None:
    """Answer until the pipe of questions ends or the process should be replaced.

    ``spent`` in an answer's head says that the process takes no more questions: it has read many files, uses much
    memory, or failed at a file in a way that may have harmed it.
    """
    questions, answers = _pipes()
    confinement.begin()
    Thread(target=_end_with_program, args=(answers.fileno(),), daemon=True).start()
    send(answers, {"limits_memory": system.LIMITS_MEMORY})
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # until now the parent can read why the process fails to start
    most = system.resident_mb() + _MOST_GROWTH_MB
    for left in reversed(range(_MOST_FILES)):
        if (frame := receive(questions)) is None:
            break
        head, body, harmed = _answer(Question.received(*frame))
        send(answers, head | {"spent": harmed or not left or system.resident_mb() > most}, body)
        del frame, head, body
    confinement.end()


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The standard input and output; after this, no other code in this process can read or write them."""
    taken = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    return taken


def _end_with_program(answers: int) -> None:
    system.wait_for_end_of(answers)
    confinement.end()


def _answer(question: Question) -> tuple[dict[str, Any], bytes, bool]:
    """The head and body of the answer, and whether the process may have been harmed."""
    try:
        with confinement.reading(question.limits):
            return *report_to_message(read_here(question)), False
    except Exception as error:
        return error_to_message(error), b"", not isinstance(error, ReadError) or _is_foreign(question)


def _is_foreign(question: Question) -> bool:
    """Whether native code other than Python's and libxml2 read the file; a file that it refuses may have harmed it."""
    assert isinstance(question.body, bytes)
    return not question.is_text and (pdf.matches(question.body) or office.matches(question.body))
