"""The contents of a model's ``pizhu.json``; every value is checked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..base.errors import ModelError
from ..base.toml import brief
from ..data.labels import Label, LabelSet
from .decision import Decision
from .windows import ContextFormat

FORMAT = 2
_DEEPEST = 40
_WIDEST = 4096
"""The widest GRU."""


@dataclass(frozen=True)
class About:
    """The contents of ``pizhu.json``.

    Attributes:
        labels: the labels, in the order of the outputs.
        context: how windows are made.
        recurrent: width of the GRU over the report, 0 for none.
        decision: calibration and thresholds.
        regression: whether the head is a logistic regression; see ``classifier.ReportClassifier``.
        origin: how the model was made: recipe, data fingerprint, splits, versions, seed; see :func:`learned`.
        scores: figures, each with the data that they were measured on.
        name: the name of the folder that it was loaded from; empty before.
        fingerprint: SHA-256 of ``pizhu.json``, which holds those of the other files; empty until saved.
    """

    labels: LabelSet
    context: ContextFormat
    recurrent: int
    decision: Decision
    regression: bool = False
    origin: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    fingerprint: str = field(default="", compare=False)


def learned(origin: Mapping[str, Any]) -> set[str]:
    """Names of the reports that a model, or its base model, was trained on, without those that only validated it."""
    data = origin.get("data", {})
    unlabelled = origin.get("unlabelled", {}).get("reports", ())
    return {*data.get("training", ()), *data.get("earlier", ()), *unlabelled}


def as_json(about: About, sums: Mapping[str, str]) -> str:
    """The text of ``pizhu.json``; ``sums`` are the SHA-256 of the folder's other files, by name."""
    body = {
        "format": FORMAT,
        # Earlier names of labels are left out: the model knows the names that it was trained with.
        "labels": [{k: v for k, v in asdict(label).items() if k != "formerly"} for label in about.labels],
        "context": asdict(about.context),
        "recurrent": about.recurrent,
        "regression": about.regression,
        "decision": {
            "temperatures": about.decision.temperatures,
            "thresholds": about.decision.thresholds,
            "doubt": about.decision.review_below,  # its name in the file format
        },
        "origin": about.origin,
        "scores": about.scores,
        "files": sums,
    }
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def from_json(written: bytes, name: str) -> tuple[About, dict[str, str]]:
    """The arguments of :func:`as_json`; ``name`` is the folder's.

    Raises:
        ModelError: it has another format.
        ConfigError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError: it is damaged.
    """
    body = json.loads(written.decode("utf-8"))
    if body["format"] != FORMAT:
        raise ModelError(f"it has format {brief(body['format'])}, expected {FORMAT}; update pizhu")
    _check_depth(body, _DEEPEST)
    labels = LabelSet(tuple(Label(**label) for label in body["labels"]))
    context = ContextFormat(**{name: _count(value) for name, value in body["context"].items()})
    context.check()
    if (recurrent := _count(body["recurrent"])) > _WIDEST:
        raise ValueError(f"recurrent is {recurrent}, expected at most {_WIDEST}")
    regression = body.get("regression", False)  # missing in older folders
    if not isinstance(regression, bool):
        raise ValueError(f"{brief(regression)} is neither true nor false")
    decision = _decision(body["decision"], len(labels))
    origin, scores, sums = dict(body["origin"]), dict(body["scores"]), dict(body["files"])
    _check_origin(origin)
    fingerprint = hashlib.sha256(written).hexdigest()
    return About(labels, context, recurrent, decision, regression, origin, scores, name, fingerprint), sums


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{brief(value)} is not a whole number")
    return value


def _decision(body: Mapping[str, Any], labels: int) -> Decision:
    rule = Decision(tuple(body["temperatures"]), tuple(body["thresholds"]), body["doubt"])
    if {len(rule.temperatures), len(rule.thresholds)} != {labels}:
        raise ModelError(
            f"it has {len(rule.thresholds)} thresholds and {len(rule.temperatures)} temperatures for {labels} labels"
        )
    for value in (*rule.temperatures, *rule.thresholds, rule.review_below):
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{brief(value)} in the decision rule is not a number")
    if min(rule.temperatures) <= 0:
        raise ValueError(f"the temperature {brief(min(rule.temperatures))} is not above 0")
    for share in (*rule.thresholds, rule.review_below):
        if not 0 <= share <= 1:
            raise ValueError(f"{brief(share)} in the decision rule is not between 0 and 1")
    return Decision(tuple(map(float, rule.temperatures)), tuple(map(float, rule.thresholds)), float(rule.review_below))


def _check_origin(origin: Mapping[str, Any]) -> None:
    """Check the parts of ``origin`` that other modules read."""
    for name, lists in {"data": ("training", "validation", "earlier"), "unlabelled": ("reports",)}.items():
        part = origin.get(name, {})
        for reports in (part.get(key, []) for key in lists):
            if not isinstance(reports, list) or not all(isinstance(report, str) for report in reports):
                raise ValueError(f"{brief(reports)} is not a list of reports")
    for part in (origin.get("versions", {}), origin.get("recipe", {}), origin.get("recipe", {}).get("training", {})):
        if not isinstance(part, dict):
            raise ValueError(f"{brief(part)} is not a table")


def _check_depth(value: Any, most: int) -> None:
    if not most:
        raise ValueError("it is nested too deeply")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inner:
        if isinstance(part, dict | list):
            _check_depth(part, most - 1)
