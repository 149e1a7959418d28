"""Exports leave no copy behind: Label Studio keeps each, with everybody's answers, in a file that nothing reads."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_export.api import ExportAPI
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_one_at_a_time = threading.Lock()


class LeaveNoCopy:
    """Removes the copy when an export is made, and earlier ones at the start."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        _remove_copies()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        """An export's answer; it is a file of its own, so that the copy can go."""
        if getattr(view, "cls", None) is not ExportAPI:
            return None
        # Two of one project in one minute would share the copy.
        with _one_at_a_time:
            try:
                answer: HttpResponse = view(request, *arguments, **named)
            finally:
                _remove_copies()
        return answer


def _remove_copies() -> None:
    for copy in Path(settings.EXPORT_DIR).glob("project-*-at-*.json"):
        copy.unlink(missing_ok=True)
