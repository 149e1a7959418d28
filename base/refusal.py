"""Error responses to requests."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from .os_errors import is_disk_full, is_systemic


class Refusal(HTTPException):
    """A status and one sentence that says what to do.

    Frameworks pass an HTTPException on; they report other exceptions as errors in the body.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, sentence, headers)
        self.status, self.sentence = status, sentence


def said(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response to every error: ``{"error": sentence}``."""
    return JSONResponse({"error": sentence.encode("utf-8", "replace").decode("utf-8")}, status, headers)


def no_room(error: OSError) -> JSONResponse:
    """The response if the machine and not the request is at fault: its disk is full, or too many files are open.

    Raises:
        OSError: ``error`` itself, if it is neither.
    """
    if not is_systemic(error):
        raise error
    full = is_disk_full(error)
    what = "its disk is full" if full else f"its system says: {error.strerror}"
    return said(507 if full else 503, f"the service has no room for this ({what}); tell its administrator")
