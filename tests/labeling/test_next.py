"""What to label next: whole paragraphs, no repeats, and the same choice for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pizhu.base.errors import ConfigError, DataError
from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.data.records import Kind, LeadRecord, Record, load_records
from pizhu.labeling.active.label_issues import LabelIssue
from pizhu.labeling.active.learner import Features
from pizhu.labeling.active.learning_curve import expected_gain
from pizhu.labeling.active.next import choose_next
from pizhu.labeling.active.pool import Pool
from pizhu.labeling.active.review import doubt_records
from pizhu.labeling.active.strategies import STRATEGIES, View, choose
from pizhu.labeling.studio.tasks import to_tasks

THINGS = ["渠道", "泵站", "闸门", "堤防", "水窖", "管网", "机井", "河道", "塘坝", "水表"]
PARTS = {
    "一、主要工作": (["achievement"], "完成{0}整治，群众用水得到改善。"),
    "二、存在问题": (["shortcoming"], "{0}管护力量薄弱，老化现象突出。"),
    "三、下一步打算": (["plan"], "下一步将加快{0}改造。"),
}


def invented(reports: int, labelled: int, seed: int = 1) -> list[Record]:
    """Records of ``reports`` reports, of which the first ``labelled`` are labelled; paragraphs of one to three."""
    rng = random.Random(seed)
    records: list[Record] = []
    for number in range(reports):
        doc, start = f"虚构县水务局{number:02}.txt", 0
        for heading, (labels, words) in PARTS.items():
            kinds: list[tuple[Kind | Literal["break"], str, list[str]]] = [("heading", heading, [])]
            for _ in range(3):
                count = rng.randint(1, 3)
                kinds += [("sentence", words.format(rng.choice(THINGS) + rng.choice(THINGS)), labels)] * count
                kinds.append(("break", "", []))
            for kind, text, given in kinds:
                if kind != "break":
                    records.append(
                        {
                            "id": f"{len(records):016x}",
                            "doc": doc,
                            "start": start,
                            "end": start + len(text),
                            "kind": kind,
                            "text": text,
                            "headings": [] if kind == "heading" else [heading],
                            "previous": "",
                            "labels": (given if kind == "sentence" else []) if number < labelled else None,
                        }
                    )
                start += len(text) or 2
            start += 2
    return records


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.of(invented(14, 9), DEFAULT_LABELS)


def ids(records: list[Record]) -> set[str]:
    return {record["id"] for record in records if "context" not in record}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_keeps_the_contract(pool: Pool, strategy: str) -> None:
    features = Features(pool)
    rng = np.random.default_rng(3)
    probabilities = [rng.random(pool.truth.shape) for _ in range(STRATEGIES[strategy].models)]
    view = View.of(pool, probabilities, features.directions(features.table(pool)), seed=5)
    parts = choose(view, STRATEGIES[strategy], 20)
    rows = np.concatenate(parts)
    assert 0 < len(rows) <= 20
    assert len(set(rows.tolist())) == len(rows)
    assert not pool.closed[rows].any()
    for part in parts:  # whole paragraphs
        [number] = set(pool.paragraphs[part].tolist())
        assert part.tolist() == np.flatnonzero(pool.paragraphs == number).tolist()
    again = choose(view, STRATEGIES[strategy], 20)
    assert [part.tolist() for part in again] == [part.tolist() for part in parts]
    everything = np.concatenate(choose(view, STRATEGIES[strategy], 10_000))
    assert sorted(everything.tolist()) == np.flatnonzero(~pool.closed).tolist()


def test_paragraphs_end_at_breaks_headings_and_reports() -> None:
    def record(doc: str, start: int, end: int, kind: Kind = "sentence") -> Record:
        return {"id": f"{doc}{start}", "doc": doc, "start": start, "end": end, "kind": kind, "text": "好"}

    rows = [record("a", 0, 5), record("a", 5, 9), record("a", 11, 15), record("a", 15, 18, "heading")]
    rows += [record("a", 18, 20), record("b", 20, 25)]
    assert Pool.of(rows, DEFAULT_LABELS).paragraphs.tolist() == [0, 0, 1, 2, 3]


def test_uncertainty_and_rarity_find_what_they_seek(pool: Pool) -> None:
    open_ = np.flatnonzero(~pool.closed)
    wanted = pool.paragraphs[open_[0]]
    probabilities = np.full(pool.truth.shape, 0.01)
    probabilities[pool.paragraphs == wanted, 1] = 0.5
    view = View.of(pool, [probabilities])
    assert {int(pool.paragraphs[row]) for row in choose(view, STRATEGIES["uncertainty"], 3)[0]} == {wanted}
    probabilities[pool.paragraphs == wanted, 1] = 0.9
    apart = View.of(pool, [probabilities, np.full(pool.truth.shape, 0.01)])
    assert {int(pool.paragraphs[row]) for row in choose(apart, STRATEGIES["disagreement"], 3)[0]} == {wanted}
    # No labelled sentence is a metric: what may be one is rarer than what may be a plan.
    rare = np.full(pool.truth.shape, 0.01)
    rare[:, 2] = 0.6
    rare[pool.paragraphs == wanted] = (0.01, 0.01, 0.01, 0.6)
    assert {int(pool.paragraphs[row]) for row in choose(View.of(pool, [rare]), STRATEGIES["rare"], 3)[0]} == {wanted}


def test_mixed_takes_no_twins() -> None:
    """Of paragraphs that are equally uncertain, a copy of a chosen one comes after something else."""
    records = invented(2, 1)
    pool = Pool.of(records, DEFAULT_LABELS)
    vectors = np.zeros((len(pool), 2))
    vectors[:, 0] = 1
    first, *_, last = View.of(pool).open
    vectors[last] = (0, 1)
    parts = choose(View.of(pool, [np.full(pool.truth.shape, 0.5)], vectors), STRATEGIES["mixed"], 100)
    assert parts[0].tolist() == first.tolist()
    assert parts[1].tolist() == last.tolist()


def test_records_go_to_label_studio_in_their_context(pool: Pool) -> None:
    found = choose_next(pool, 12, seed=2)
    assert found.models == ("light",)
    assert found.sentences == len(ids(list(found.records))) <= 12
    tasks = to_tasks(found.records, DEFAULT_LABELS, "next.jsonl")
    assert {task["data"]["id"] for task in tasks} == ids(list(found.records))
    assert not any(task["predictions"] for task in tasks)
    by_doc = [record for record in pool.records if record["doc"] == tasks[0]["data"]["doc"]]
    place = next(i for i, record in enumerate(by_doc) if record["id"] == tasks[0]["data"]["id"])
    after = by_doc[place + 1]["text"] if place + 1 < len(by_doc) else "（没有下一句）"
    assert tasks[0]["data"]["after"] == after
    assert tasks[0]["data"]["position"] == f"第 {place + 1} 句，共 {len(by_doc)} 句"


def test_the_headings_before_a_sentence_stay_with_it() -> None:
    """Answers that were pulled hold no records of headings, only what stood before each sentence."""
    lead: list[LeadRecord] = [{"start": 0, "end": 4, "text": "一、工作", "headings": []}]
    record: Record = {**next(r for r in invented(1, 1) if r["kind"] == "sentence"), "lead": lead}
    pool = Pool.of([record], DEFAULT_LABELS)
    [shown] = pool.shown({record["id"]})
    [task] = to_tasks([shown], DEFAULT_LABELS, "next.jsonl")
    assert task["data"]["lead"] == lead
    [doubtful] = doubt_records([LabelIssue(record, "plan", False, 0.99, ("learner",), "像“计划”")])
    assert doubtful["lead"] == lead


def test_what_people_dealt_with_is_left_out(tmp_path: Path) -> None:
    records = [record for record in invented(3, 0) if record["kind"] == "sentence"]
    done = [
        {**records[0], "labels": [], "answers": [], "state": "none"},
        {**records[1], "answers": [{"annotator": "甲", "labels": None, "skipped": True}], "state": "skipped"},
        {**records[2], "answers": [{"annotator": "甲", "labels": ["plan"]}], "state": "contested"},
        {**records[3], "answers": [], "state": "unlabelled"},
    ]
    proposed = {**records[4], "labels": ["plan"], "scores": {"plan": 0.9}}  # a model's, not people's
    write_records(tmp_path / "全部.jsonl", [*records[:4], proposed, *records[5:]])
    write_records(tmp_path / "答案.jsonl", done)
    for names in (["全部.jsonl", "答案.jsonl"], ["答案.jsonl", "全部.jsonl"]):
        pool = Pool.read([tmp_path / name for name in names], DEFAULT_LABELS)
        assert len(pool) == len(records)
        closed = {pool.records[row]["id"] for row in np.flatnonzero(pool.closed)}
        assert closed == {record["id"] for record in records[:3]}
        assert [pool.records[row]["id"] for row in np.flatnonzero(pool.known)] == [records[0]["id"]]


def test_corrections_come_last(tmp_path: Path) -> None:
    first, second = (record for record in invented(1, 1)[:3] if record["kind"] == "sentence")
    write_records(tmp_path / "标注.jsonl", [first, second])
    review = [{**first, "labels": ["plan"], "answers": []}, {**second, "labels": None, "answers": []}]
    write_records(tmp_path / "复核.jsonl", review)
    pool = Pool.read([tmp_path / "标注.jsonl", tmp_path / "复核.jsonl"], DEFAULT_LABELS)
    assert [record["labels"] for record in pool.records] == [["plan"], second["labels"]]
    assert pool.known.all()


def test_former_label_names_are_known(tmp_path: Path) -> None:
    labels = LabelSet(tuple(replace(label, name=f"x-{label.name}", formerly=(label.name,)) for label in DEFAULT_LABELS))
    records = invented(1, 1)
    write_records(tmp_path / "标注.jsonl", records)
    pool = Pool.read([tmp_path / "标注.jsonl"], labels)
    assert (pool.truth == Pool.of(records, DEFAULT_LABELS).truth).all()
    assert pool.truth.any()


def test_a_hint_needs_reports() -> None:
    few = Pool.of(invented(9, 3), DEFAULT_LABELS)
    hint = expected_gain(few, Features(few).table(few))
    assert hint.gain is None
    assert "not enough to estimate" in str(hint)


def test_a_hint_from_enough_reports() -> None:
    many = Pool.of(invented(22, 22), DEFAULT_LABELS)
    assert many.known.sum() >= 300
    hint = expected_gain(many, Features(many).table(many))
    assert hint.macro_f1 is not None and hint.gain is not None and hint.low is not None and hint.high is not None
    assert hint.macro_f1 > 0.95  # three sorts of sentences, each in words of its own
    assert 0 <= hint.low <= hint.gain <= hint.high < 0.1
    assert "500 more labels are expected to add" in str(hint)


def test_what_cannot_be_chosen(pool: Pool) -> None:
    with pytest.raises(ConfigError, match=r"unknown strategy 'best', expected one of mixed"):
        choose_next(pool, 10, strategy="best")
    with pytest.raises(ConfigError, match="uses 0 different models, but --model names 1"):
        choose_next(pool, 10, strategy="random", models=["light"])
    with pytest.raises(DataError, match="add reports to choose from"):
        choose_next(Pool.of(invented(2, 2), DEFAULT_LABELS), 10)
    with pytest.raises(ConfigError, match="light learner needs labelled sentences"):
        choose_next(Pool.of(invented(2, 0), DEFAULT_LABELS), 10, models=["light"])


def test_the_command(pizhu: Callable[..., Any], tmp_path: Path) -> None:
    write_records(tmp_path / "记录.jsonl", invented(4, 2))
    words = ("label", "next", tmp_path / "记录.jsonl", "--count", "9", "--out")
    told = pizhu(*words, tmp_path / "一.jsonl")
    assert told.status == 0, told.err
    assert "not enough to estimate" in told.out
    again = pizhu(*words, tmp_path / "二.jsonl", "--json")
    assert (tmp_path / "一.jsonl").read_bytes() == (tmp_path / "二.jsonl").read_bytes()
    assert json.loads(again.out)["sentences"] == len(ids(list(load_records(tmp_path / "一.jsonl"))))


def test_the_shipped_model_starts_where_nothing_is_labelled(pizhu: Callable[..., Any], tmp_path: Path) -> None:
    write_records(tmp_path / "记录.jsonl", invented(2, 0))
    told = pizhu("label", "next", tmp_path / "记录.jsonl", "--count", "5", "--out", tmp_path / "n.jsonl", "--json")
    assert told.status == 0, told.err
    assert json.loads(told.out)["models"] == ["default"]


def test_the_order_of_labels_is_not_the_model_s_concern() -> None:
    labels = LabelSet(tuple(reversed(DEFAULT_LABELS.labels)))
    records = invented(1, 0)
    found = choose_next(Pool.of(records, labels), 5, strategy="uncertainty", models=["default"], labels=labels)
    assert ids(list(found.records)) == ids(
        list(choose_next(Pool.of(records, DEFAULT_LABELS), 5, strategy="uncertainty", models=["default"]).records)
    )


def test_a_model_from_before_a_renaming_knows_the_labels_by_their_former_names() -> None:
    labels = LabelSet(tuple(replace(label, name=f"x-{label.name}", formerly=(label.name,)) for label in DEFAULT_LABELS))
    records = invented(1, 0)
    chosen = [
        choose_next(Pool.of(records, known), 5, strategy="uncertainty", models=["default"], labels=known)
        for known in (DEFAULT_LABELS, labels)
    ]
    assert ids(list(chosen[0].records)) == ids(list(chosen[1].records))
    unheard = LabelSet(tuple(replace(label, formerly=()) for label in labels))
    with pytest.raises(ConfigError, match="model default has the labels achievement"):
        choose_next(Pool.of(records, unheard), 5, strategy="uncertainty", models=["default"], labels=unheard)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous", 5),
        ("previous", ["上一句。"]),
        ("lead", "一、工作"),
        ("lead", [{"text": "一、工作"}]),
        ("lead", [{"start": 0, "end": 4, "text": 1}]),
        ("start", 10**400),
        ("end", 10**400),
        ("kind", ["sentence"]),
        ("id", "a\x00"),
    ],
)
def test_spoilt_records_are_refused(tmp_path: Path, field: str, value: Any) -> None:
    records: list[Any] = [record for record in invented(1, 1) if record["kind"] == "sentence"]
    records[1] |= {field: value, **({"end": 2 * value} if field == "start" else {})}
    write_records(tmp_path / "标注.jsonl", records)
    with pytest.raises(DataError, match=r"标注\.jsonl, record 2") as error:
        Pool.read([tmp_path / "标注.jsonl"], DEFAULT_LABELS)
    assert field in str(error.value)
