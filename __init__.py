"""pizhu (批注): labels the sentences of Chinese government reports.

>>> from pizhu import Annotator, read_report
>>> report = Annotator.load().annotate("报告.txt")  # doctest: +SKIP
>>> [(s.text, s.labels, s.scores) for s in report.sentences]  # doctest: +SKIP

The names in ``__all__`` are the public interface: they stay, or change with a notice in CHANGELOG.md. Every other
module and name may change from one version to the next.
"""

from typing import TYPE_CHECKING

from .base import silence as _silence

if TYPE_CHECKING:
    from .analysis.compare.links import compare_reports
    from .annotate.run.run import annotate_files
    from .base.errors import (
        ConfigError,
        DataError,
        LabelingError,
        MissingExtraError,
        ModelError,
        PizhuError,
        ReadError,
    )
    from .data.corpus.load import load_corpus
    from .data.labels import DEFAULT_LABELS, Label, LabelSet
    from .data.quantities.extract import quantities
    from .data.quantities.quantity import Quantity
    from .data.read import read_report
    from .data.report import Report, Sentence
    from .eval.evaluate import evaluate
    from .models.annotator import Annotator, annotate_text
    from .training.loop import train
    from .training.recipe import load_recipe

    __version__: str

_silence.silence()  # before anything that would talk can be imported

__all__ = [
    "DEFAULT_LABELS",
    "Annotator",
    "ConfigError",
    "DataError",
    "Label",
    "LabelSet",
    "LabelingError",
    "MissingExtraError",
    "ModelError",
    "PizhuError",
    "Quantity",
    "ReadError",
    "Report",
    "Sentence",
    "__version__",
    "annotate_files",
    "annotate_text",
    "compare_reports",
    "evaluate",
    "load_corpus",
    "load_recipe",
    "quantities",
    "read_report",
    "train",
]

_HOMES = {
    "analysis.compare.links": ("compare_reports",),
    "annotate.run.run": ("annotate_files",),
    "base.errors": (
        "ConfigError",
        "DataError",
        "LabelingError",
        "MissingExtraError",
        "ModelError",
        "PizhuError",
        "ReadError",
    ),
    "data.corpus.load": ("load_corpus",),
    "data.labels": ("DEFAULT_LABELS", "Label", "LabelSet"),
    "data.quantities.extract": ("quantities",),
    "data.quantities.quantity": ("Quantity",),
    "data.read": ("read_report",),
    "data.report": ("Report", "Sentence"),
    "eval.evaluate": ("evaluate",),
    "models.annotator": ("Annotator", "annotate_text"),
    "training.loop": ("train",),
    "training.recipe": ("load_recipe",),
}


def __getattr__(name: str) -> object:
    """Load a public name from its home when it is first used, so that ``import pizhu`` stays quick."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pizhu")
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
