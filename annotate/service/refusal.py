"""What a request is told when it gets no report."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """A status and one sentence that says what to do."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})
