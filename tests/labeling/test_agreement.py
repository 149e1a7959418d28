"""Agreement figures against worked examples; undefined figures are reported as undefined."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import DataError
from pizhu.base.files import write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.records import Record
from pizhu.labeling.agreement import Agreement, Figure, agreement, read_gold
from pizhu.labeling.studio.answers import Answer, read_answers
from typer.testing import CliRunner

ONE = LabelSet((Label("plan", "计划", "#0072b2", "1"), Label("metric", "指标", "#cc79a7", "2")))


def rows(*said: Sequence[Sequence[str] | None]) -> list[tuple[Record, list[Answer[str]]]]:
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
    assert plan.agreement.value == pytest.approx(0.7)
    assert plan.kappa.value == pytest.approx(0.4)
    # Nominal alpha by hand: 1 - (n - 1) * o / (n1 * n0) = 1 - 99 * 15 / (55 * 45)
    assert plan.alpha.value == pytest.approx(1 - 99 * 15 / (55 * 45))
    assert plan.chosen == 55
    assert (metric.chosen, metric.agreement) == (0, Figure(1.0))
    assert metric.kappa == metric.fleiss == metric.alpha == Figure(None), "never 0 or 1 where nothing varies"


def test_perfect_agreement() -> None:
    found = agreement(rows((["plan"], ["plan"]), ([], []), (["metric"], ["metric"])), ONE)
    assert found.exact.value == 1
    assert {f.value for row in found.labels for f in (row.agreement, row.kappa, row.fleiss, row.alpha)} == {1}


def test_skips_and_lone_answers_do_not_count() -> None:
    found = agreement(rows((["plan"], ["plan"]), ([], None), (["plan"],), (["metric"], [])), ONE)
    assert found.sentences == 2
    assert [row.id for row in found.contested] == ["3"]


def test_three_annotators_with_gaps() -> None:
    found = agreement(rows((["plan"], ["plan"], []), ([], None, []), (["plan"], ["plan"], ["plan"])), ONE)
    assert found.annotators == ("丙", "乙", "甲")
    assert found.labels[0].agreement.value == pytest.approx((1 + 1 + 3) / 7)
    assert found.labels[0].alpha.value is not None


@pytest.fixture
def found(team: list[dict[str, Any]], tmp_path: Path) -> Agreement:
    return agreement(read(team, tmp_path), gold=gold_of(team))


def read(team: list[dict[str, Any]], folder: Path) -> list[tuple[Record, list[Answer[str]]]]:
    write_records(folder / "答案.jsonl", team)
    return read_answers(folder / "答案.jsonl", DEFAULT_LABELS)


def gold_of(team: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    return {record["id"]: tuple(record["truth"]) for record in team}


def test_the_careful_agree_most_and_are_right(found: Agreement) -> None:
    best = max(found.pairs, key=lambda pair: pair.kappa.value or 0)
    assert {best.first, best.second} == {"甲", "乙"}
    scores = {score.annotator: score for score in found.gold}
    assert min(scores[name].exact.value or 0 for name in "甲乙") > max(scores[name].exact.value or 0 for name in "丙丁")
    plan = scores["丁"].labels["plan"]
    assert plan.precision.value == 1 and (plan.recall.value or 1) < 0.8, "丁 misses plans, and invents none"
    for score in found.gold:
        assert score.exact.low is not None and score.exact.low < (score.exact.value or 0) < (score.exact.high or 0)


def test_gold_scores_are_scikit_learn_s(team: list[dict[str, Any]], found: Agreement) -> None:
    from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

    given = [(r["truth"], a["labels"]) for r in team for a in r["answers"] if a["annotator"] == "丁"]
    truth, said = ([("plan" in labels) for labels in column] for column in zip(*given, strict=True))
    precision, recall, f1, _ = precision_recall_fscore_support(truth, said, average="binary")
    score = next(score for score in found.gold if score.annotator == "丁").labels["plan"]
    assert (score.precision.value, score.recall.value, score.f1.value) == pytest.approx((precision, recall, f1))
    assert score.kappa.value == pytest.approx(cohen_kappa_score(truth, said))


def test_who_drifts(found: Agreement) -> None:
    drifts = {drift.annotator: drift for drift in found.drift}
    assert drifts["丁"].rates["plan"].certain and (drifts["丁"].rates["plan"].value or 0) < -0.1
    assert drifts["丁"].rates["achievement"].certain and (drifts["丁"].agreement.value or 0) < -0.1
    assert not any(drifts[name].rates["plan"].certain for name in "甲乙丙")
    windows = drifts["丁"].windows
    assert len(windows) == 8 and sum(window.answers for window in windows) == found.speed[0].timed
    assert [window.start for window in windows] == sorted(window.start for window in windows)


def test_reports_that_change_are_no_drift() -> None:
    # First reviews, then plans: everybody's rates turn over, nobody drifts.
    given = []
    for n in range(120):
        label = ["plan"] if n >= 60 else ["metric"]
        [(record, answers)] = rows((label, label))
        record |= {"id": str(n), "doc": f"报告{n // 10}"}
        given.append((record, [replace(answer, at=f"2026-03-02T08:{n // 60:02}:{n % 60:02}Z") for answer in answers]))
    for drift in agreement(given, ONE).drift:
        assert drift.windows[0].rates["plan"] == 0 and drift.windows[-1].rates["plan"] == 1
        assert {figure.value for figure in (drift.agreement, *drift.rates.values())} == {0}


def test_who_is_hasty(found: Agreement) -> None:
    hasty = {row.annotator: row.hasty / row.timed for row in found.speed}
    assert hasty["丙"] > 0.5 and {hasty[name] for name in "甲乙丁"} == {0}
    row = next(row for row in found.speed if row.annotator == "甲")
    assert row.median is not None and 3 <= row.median <= 9 and set(row.by_labels) == {0, 1, 2}


def test_who_follows_wrong_proposals(found: Agreement) -> None:
    shares = {row.annotator: row for row in found.anchoring.annotators}
    led, careful = shares["丙"], shares["甲"]
    assert led.wrong_seen and led.wrong_unseen and careful.wrong_seen
    assert (led.wrong_seen.share.value or 0) > 0.7 and (led.wrong_unseen.share.value or 0) < 0.2
    assert (careful.wrong_seen.share.value or 0) < 0.2
    assert (led.seen.share.low or 0) > (led.unseen.share.high or 1), "seen proposals draw answers to themselves"
    assert found.anchoring.pairs_seen.answers + found.anchoring.pairs_unseen.answers == 3 * 360


def test_the_most_contested_come_first(found: Agreement) -> None:
    distances = [row.distance for row in found.contested]
    assert distances == sorted(distances, reverse=True) and distances[-1] > 0 and distances[0] <= 1


def figures(found: Agreement) -> list[float | None]:
    """Every figure of labels and pairs, in an order that names do not decide."""
    every = [f for row in found.labels for f in (row.agreement, row.kappa, row.fleiss, row.alpha)]
    return [found.exact.value, *(f.value for f in every), *(f.low for f in every)]


def test_names_and_order_do_not_matter(team: list[dict[str, Any]], found: Agreement, tmp_path: Path) -> None:
    swapped = dict(zip("甲乙丙丁", ("z", "丁", "a", "甲"), strict=True))
    again = [
        {**record, "answers": [{**a, "annotator": swapped[a["annotator"]]} for a in reversed(record["answers"])]}
        for record in reversed(team)
    ]
    assert figures(agreement(read(again, tmp_path))) == pytest.approx(figures(found))


def test_labels_may_be_renamed(team: list[dict[str, Any]], found: Agreement, tmp_path: Path) -> None:
    labels = LabelSet(tuple(replace(label, name=f"x-{label.name}") for label in DEFAULT_LABELS))
    renamed = [
        {**r, "answers": [{**a, "labels": [f"x-{n}" for n in a["labels"]], "shown": None} for a in r["answers"]]}
        for r in team
    ]
    write_records(tmp_path / "b.jsonl", renamed)
    again = agreement(read_answers(tmp_path / "b.jsonl", labels), labels)
    assert figures(again) == figures(found)


def test_two_pulls_of_one_sentence_are_one(team: list[dict[str, Any]], found: Agreement, tmp_path: Path) -> None:
    twice = read(team, tmp_path)
    assert agreement([*twice, *twice]).labels == found.labels


def test_gold_of_other_sentences(team: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="decides other sentences"):
        agreement(read(team, tmp_path), gold={"elsewhere": ()})
    alone = {"id": "a", "text": "甲。", "labels": ["plan"], "decided": "single"}
    write_records(tmp_path / "gold.jsonl", [alone, {"id": "b", "text": "乙。", "labels": None}])
    with pytest.raises(DataError, match="decides no sentence"):
        read_gold(tmp_path / "gold.jsonl", DEFAULT_LABELS)
    write_records(tmp_path / "gold.jsonl", [alone, {"id": "b", "text": "乙。", "labels": ["plan", "metric"]}])
    assert read_gold(tmp_path / "gold.jsonl", DEFAULT_LABELS) == {"b": ("plan", "metric")}


def test_gold_from_before_a_label_was_renamed(tmp_path: Path) -> None:
    labels = LabelSet(tuple(replace(label, name=f"x-{label.name}", formerly=(label.name,)) for label in DEFAULT_LABELS))
    write_records(tmp_path / "gold.jsonl", [{"id": "b", "text": "乙。", "labels": ["plan", "x-metric"]}])
    assert read_gold(tmp_path / "gold.jsonl", labels) == {"b": ("x-plan", "x-metric")}


def test_nothing_to_compare() -> None:
    with pytest.raises(DataError, match="agreement cannot be measured"):
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
    assert found["exact"]["value"] == 0.5 and [row["text"] for row in found["contested"]] == ["乙句。"]


def test_names_are_no_markup(team: list[dict[str, Any]], tmp_path: Path) -> None:
    """In the title, the pairs and the scores against gold."""
    named = dict(zip("甲乙丙丁", ("[/b]", "[red]", "丙", "丁"), strict=True))
    renamed = [{**r, "answers": [{**a, "annotator": named[a["annotator"]]} for a in r["answers"]]} for r in team]
    write_records(tmp_path / "答案.jsonl", renamed)
    write_records(tmp_path / "裁决.jsonl", ({**record, "labels": ["plan"]} for record in team))
    words = ["label", "agreement", str(tmp_path / "答案.jsonl"), "--gold", str(tmp_path / "裁决.jsonl")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.exception
    assert result.stdout.count("[/b]") >= 3 and result.stdout.count("[red]") >= 3
