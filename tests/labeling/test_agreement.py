"""Agreement figures against worked examples; the undefined is told, not invented."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pizhu.cli import app
from pizhu.data.errors import DataError
from pizhu.data.labels import Label, LabelSet
from pizhu.labeling.agreement import agreement
from pizhu.labeling.answers import Answer
from typer.testing import CliRunner

ONE = LabelSet((Label("plan", "计划", "#0072b2", "1"), Label("metric", "指标", "#cc79a7", "2")))


def rows(*said: Sequence[Sequence[str] | None]) -> list[tuple[dict[str, Any], list[Answer]]]:
    """A row a sentence, an entry an annotator (None: skipped)."""
    return [
        (
            {"text": f"第{n}句。", "id": f"{n}"},
            [
                Answer(name, None if labels is None else tuple(labels), labels is None)
                for name, labels in zip("甲乙丙", given, strict=False)
            ],
        )
        for n, given in enumerate(said)
    ]


def test_a_worked_example() -> None:
    # The textbook's table for Cohen's kappa: 20 both yes, 5 yes-no, 10 no-yes, 15 both no: 0.4.
    yes, no = ["plan"], list[str]()
    found = agreement(rows(*[(yes, yes)] * 20, *[(yes, no)] * 5, *[(no, yes)] * 10, *[(no, no)] * 15), ONE)
    plan, metric = found.labels
    assert (found.sentences, found.annotators, len(found.contested)) == (50, ("乙", "甲"), 15)
    assert plan.agreement == pytest.approx(0.7)
    assert plan.kappa == pytest.approx(0.4)
    # Nominal alpha by hand: 1 - (n - 1) * o / (n1 * n0) = 1 - 99 * 15 / (55 * 45)
    assert plan.alpha == pytest.approx(1 - 99 * 15 / (55 * 45))
    assert plan.chosen == 55
    assert (metric.chosen, metric.agreement, metric.kappa, metric.alpha) == (0, 1.0, None, None)


def test_perfect_agreement() -> None:
    found = agreement(rows((["plan"], ["plan"]), ([], []), (["metric"], ["metric"])), ONE)
    assert found.exact == 1
    assert [(row.kappa, row.alpha) for row in found.labels] == [(1, 1), (1, 1)]


def test_skips_and_lone_answers_do_not_count() -> None:
    found = agreement(rows((["plan"], ["plan"]), ([], None), (["plan"],), (["metric"], [])), ONE)
    assert found.sentences == 2
    assert found.contested == ("3",)


def test_three_annotators_with_gaps() -> None:
    found = agreement(rows((["plan"], ["plan"], []), ([], None, []), (["plan"], ["plan"], ["plan"])), ONE)
    assert found.annotators == ("丙", "乙", "甲")
    assert found.labels[0].agreement == pytest.approx((1 + 1 + 3) / 7)
    assert found.labels[0].alpha is not None


def test_nothing_to_compare() -> None:
    with pytest.raises(DataError, match="no agreement to measure"):
        agreement(rows((["plan"],), ([], None)), ONE)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "答案.jsonl"
    lines = [
        {
            "text": "甲句。",
            "answers": [{"annotator": "甲", "labels": ["plan"]}, {"annotator": "乙", "labels": ["plan"]}],
        },
        {"text": "乙句。", "answers": [{"annotator": "甲", "labels": []}, {"annotator": "乙", "labels": ["plan"]}]},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    result = CliRunner().invoke(app, ["label", "agreement", str(path)])
    assert result.exit_code == 0 and "plan 计划" in result.stdout and "50.0%" in result.stdout
    result = CliRunner().invoke(app, ["label", "agreement", "--json", str(path)])
    found = json.loads(result.stdout)
    assert found["exact"] == 0.5 and found["contested"] == ["乙句。"]
