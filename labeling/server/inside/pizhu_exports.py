"""Removes the copies that Label Studio keeps of exports: files with everybody's answers that nothing reads."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_export.api import ExportAPI
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_one_at_a_time = threading.Lock()


class LeaveNoCopy:
    """Removes the copy after each export, and earlier copies when the server starts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        _remove_copies()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        """The response to an export, which does not read the copy; None for other views."""
        if getattr(view, "cls", None) is not ExportAPI:
            return None
        # Two exports of one project in the same minute would share the copy.
        with _one_at_a_time:
            try:
                response: HttpResponse = view(request, *arguments, **named)
            finally:
                _remove_copies()
        return response


def _remove_copies() -> None:
    for copy in Path(settings.EXPORT_DIR).glob("project-*-at-*.json"):
        copy.unlink(missing_ok=True)
