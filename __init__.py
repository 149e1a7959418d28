"""pizhu (批注): labels the sentences of Chinese government reports.

>>> from pizhu import Annotator, read_report
>>> report = Annotator.load().annotate("报告.txt")  # doctest: +SKIP
>>> [(s.text, s.labels, s.scores) for s in report.sentences]  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

from .base import silence as _silence

if TYPE_CHECKING:
    from .base.errors import PizhuError
    from .data.labels import DEFAULT_LABELS, Label, LabelSet
    from .data.read import read_report
    from .data.report import Report, Sentence
    from .models.annotator import Annotator

_silence.silence()  # before anything that would talk can be imported

__all__ = ["DEFAULT_LABELS", "Annotator", "Label", "LabelSet", "PizhuError", "Report", "Sentence", "read_report"]

_HOMES = {
    "Annotator": "models.annotator",
    "DEFAULT_LABELS": "data.labels",
    "Label": "data.labels",
    "LabelSet": "data.labels",
    "PizhuError": "base.errors",
    "Report": "data.report",
    "Sentence": "data.report",
    "read_report": "data.read",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home when it is first used, so that ``import pizhu`` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
