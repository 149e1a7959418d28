"""What an adjudicator sees and the resulting gold labels, without a server."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from pizhu.base.files import read_records
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.rebuild import load_reports
from pizhu.data.records import Record
from pizhu.labeling.adjudication.config import REASONS, adjudication_config
from pizhu.labeling.adjudication.consensus import consensus, dawid_skene
from pizhu.labeling.adjudication.gold import Adjudication, counts, gold_records, write_gold
from pizhu.labeling.adjudication.tasks import to_adjudicate
from pizhu.labeling.agreement.answer_matrix import AnswerMatrix
from pizhu.labeling.studio.answers import Answer
from pizhu.labeling.studio.config import check_config, config_labels

OWN = LabelSet((Label("risk", '风险 & "隐患"', "#aa0000", "r", "可能出的事 <重要>"),))


def row(number: int, *said: tuple[str, ...] | None) -> tuple[Record, list[Answer[str]]]:
    """A sentence and what 甲, 乙, 丙 … said of it; None is a skip."""
    record: Record = {
        "id": f"{number:016x}",
        "doc": "青禾县水务局2025年总结.txt",
        "start": 10 * number,
        "end": 10 * number + 9,
        "kind": "sentence",
        "text": f"第{number}段渠道完成清淤。",
        "headings": ["一、主要工作"],
        "previous": "",
        "labels": ["plan"],
    }
    return record, [Answer(name, labels, labels is None) for name, labels in zip("甲乙丙丁戊", said, strict=False)]


def decided(name: str, *labels: str, why: str = "guideline", **more: Any) -> Adjudication:
    return Adjudication(Answer(name, labels, **more), why, "第三条", [["plan"], []])


@pytest.mark.parametrize("labels", [DEFAULT_LABELS, OWN])
def test_the_configuration(labels: LabelSet) -> None:
    from label_studio_sdk.label_interface.interface import LabelInterface

    config = adjudication_config(labels)
    LabelInterface(config).validate()
    check_config(config, "裁决")
    assert config_labels(config) == labels.labels, "reasons are no labels"
    first, why = ElementTree.fromstring(config).iter("Choices")
    assert [choice.get("alias") for choice in first] == [*labels.names, "none"]
    assert [choice.get("alias") for choice in why] == list(REASONS) and why.get("required") == "true"


def test_only_what_is_contested_and_no_names() -> None:
    rows = [
        row(0, ("plan",), ("plan",)),
        row(1, ("achievement", "metric"), ()),
        row(2, ("plan",), None),
        row(3),
        row(4, ("plan",), ("plan",), ()),
        row(5, ("plan",), None, ("shortcoming",)),
    ]
    tasks = to_adjudicate(rows, DEFAULT_LABELS, "here")
    assert list(tasks) == [f"{n:016x}" for n in (1, 4, 5)]
    data = tasks[f"{1:016x}"]["data"]
    assert sorted(data["answers"].splitlines()) in (["A：成效、指标", "B：无"], ["A：无", "B：成效、指标"])
    assert (data["before"], data["after"]) == ("第0段渠道完成清淤。", "第2段渠道完成清淤。"), (
        "neighbours, not contested ones"
    )
    assert sorted(data["seen"], key=len) == [[], ["achievement", "metric"]]
    assert not any(name in repr(tasks) for name in "甲乙丙")
    assert "跳过" in tasks[f"{5:016x}"]["data"]["answers"]
    # Two cannot tip the scales: a proposal needs three clear answers.
    assert [len(task["predictions"]) for task in tasks.values()] == [0, 1, 0]
    assert tasks == to_adjudicate(list(reversed(rows)), DEFAULT_LABELS, "here")


def test_a_is_not_always_the_same_person() -> None:
    tasks = to_adjudicate([row(n, ("plan",), ()) for n in range(200)], DEFAULT_LABELS, "here")
    firsts = Counter(task["data"]["answers"].splitlines()[0] for task in tasks.values())
    assert set(firsts) == {"A：计划", "A：无"} and min(firsts.values()) > 70


# Each annotator's chance of missing the label and of seeing it where it is not.
MISSING = ((0.05, 0.02), (0.5, 0.02), (0.3, 0.05))
CARELESS = ((0.04, 0.04), (0.25, 0.25), (0.25, 0.25), (0.3, 0.3))
ALIKE = ((0.1, 0.05), (0.1, 0.05), (0.1, 0.05))


def gains(rates: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """How much more often than the majority the consensus is right on contested sentences, and three standard errors.

    Paired over 20 simulated labels of 500 sentences each; a tenth of the answers is missing.
    """
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = rng.random(500) < 0.35
        wrong = np.stack([rng.random(500) < np.where(truth, *probabilities) for probabilities in rates], axis=1)
        said = np.where(wrong, ~truth[:, None], truth[:, None]).astype(float)
        said[rng.random(said.shape) < 0.1] = np.nan
        said, truth = said[~np.isnan(said).all(axis=1)], truth[~np.isnan(said).all(axis=1)]
        share = np.nanmean(said, axis=1)
        contested = (share > 0) & (share < 1)
        majority = np.where(share == 0.5, 0.5, (share > 0.5) == truth)  # a tie is a coin's toss
        consented = (dawid_skene(said) > 0.5) == truth
        found.append((consented[contested] - majority[contested]).mean())
    return float(np.mean(found)), float(3 * np.std(found, ddof=1) / np.sqrt(len(found)))


@pytest.mark.parametrize("rates", [MISSING, CARELESS])
def test_the_consensus_beats_the_majority(rates: tuple[tuple[float, float], ...]) -> None:
    mean, error = gains(rates)
    assert mean - error > 0.04


def test_among_equals_the_majority_is_hard_to_beat() -> None:
    mean, error = gains(ALIKE)
    assert mean - error > -0.02 and mean < 0.05


def test_the_consensus_does_not_depend_on_the_order_of_annotators() -> None:
    rng = np.random.default_rng(3)
    said = rng.choice([0.0, 1.0, np.nan], (60, 4))
    said[:, 0] = rng.choice([0.0, 1.0], 60)
    assert dawid_skene(said) == pytest.approx(dawid_skene(said[:, ::-1]))
    assert dawid_skene(1 - said) == pytest.approx(1 - dawid_skene(said), abs=1e-4), "no is as good as yes"


def test_what_never_varies() -> None:
    probabilities = consensus(AnswerMatrix.of([row(0, (), (), ()), row(1, ("plan",), (), ("plan",))], DEFAULT_LABELS))
    assert (probabilities[:, DEFAULT_LABELS.names.index("metric")] < 0.5).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_gold(tmp_path: Path) -> None:
    rows = [
        row(0, ("plan",), ("plan",)),
        row(1, ("achievement",), ()),
        row(2, (), ("metric",)),
        row(3, ("plan",), None),
        row(4, ("plan",), ("metric",)),
        row(5),
        row(6, ("plan",), ("metric",)),
    ]
    given = {
        f"{1:016x}": [decided("主编", at="2026-03-02T08:00:00Z"), decided("主编", "plan", at="2026-03-02T09:00:00Z")],
        f"{2:016x}": [decided("主编", "metric"), decided("副编", "metric", why="oversight")],
        f"{4:016x}": [decided("主编", "metric"), decided("副编", "plan")],
        f"{6:016x}": [Adjudication(Answer("主编", None, True), None, "", [])],
    }
    records = gold_records(rows, given)
    assert [(r["state"], r["labels"], r["decided"]) for r in records] == [
        ("labelled", ["plan"], "agreed"),
        ("labelled", ["plan"], "adjudicated"),
        ("labelled", ["metric"], "adjudicated"),
        ("labelled", ["plan"], "single"),
        ("contested", None, None),
        ("unlabelled", None, None),
        ("contested", None, None),
    ]
    assert [a["adjudicator"] for a in records[2]["adjudication"]] == ["主编", "副编"]
    [last] = records[1]["adjudication"]
    assert (last["labels"], last["why"], last["note"], last["seen"]) == (
        ["plan"],
        "guideline",
        "第三条",
        [["plan"], []],
    )
    assert [a["annotator"] for a in records[1]["answers"]] == ["甲", "乙"]
    assert counts(records) == {"agreed": 1, "adjudicated": 2, "single": 1, "open": 3}

    path = tmp_path / "金标.jsonl"
    assert write_gold(path, records) is None and write_gold(path, records) is None
    # What training reads: the decided labels, the others unknown.
    [report] = load_reports(path, DEFAULT_LABELS)
    labels = [s.labels for s in report.sentences if s.kind == "sentence"]
    assert labels == [("plan",), ("plan",), ("metric",), ("plan",), None, None, None]
    kept = write_gold(path, records[:2])
    assert kept is not None and list(read_records(kept)) == records and len(list(read_records(path))) == 2


@pytest.mark.parametrize("words", [["--overlap", "2"], ["--not-blind"], ["--overwrite-config"]])
def test_what_concerns_the_sending_is_refused_when_fetching(
    pizhu: Callable[..., Any], tmp_path: Path, words: list[str]
) -> None:
    told = pizhu("label", "adjudicate", tmp_path / "答案.jsonl", "--pull", tmp_path / "裁决.jsonl", *words)
    assert told.status == 2
    assert "do not apply to --pull" in told.err
