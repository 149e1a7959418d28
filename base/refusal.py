"""What a request is told when it does not get what it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from .os_errors import is_systemic, of_disk


class Refusal(HTTPException):
    """A status and one sentence that says what to do.

    Frameworks let an HTTPException through where they take others for faults of a body.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, sentence, headers)
        self.status, self.sentence = status, sentence


def said(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer of every error: ``{"error": sentence}``."""
    return JSONResponse({"error": sentence.encode("utf-8", "replace").decode("utf-8")}, status, headers)


def no_room(error: OSError) -> JSONResponse:
    """The answer where the machine and not the request is to blame: its disk is full, or too much is open.

    Raises:
        OSError: ``error``, where it is neither.
    """
    if not is_systemic(error):
        raise error
    what = "its disk is full" if of_disk(error) else f"its system says: {error.strerror}"
    return said(507 if of_disk(error) else 503, f"the service has no room for this ({what}); tell whoever runs it")
