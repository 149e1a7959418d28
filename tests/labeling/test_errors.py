"""Label errors: planted ones are found, and cases that the guideline decides are recognised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pizhu.base.errors import DataError
from pizhu.base.files import read_records, write_records
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.records import Record
from pizhu.labeling.active.label_issues import LabelIssue, find_errors, find_label_issues
from pizhu.labeling.active.learner import Features, out_of_fold
from pizhu.labeling.active.pool import Pool
from pizhu.labeling.active.review import REVIEW, doubt_records, push_review
from pizhu.labeling.active.violations import violations
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.config import check_config
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.pull import pull

PLANTED = 40


@pytest.fixture(scope="module")
def corpus() -> list[Record]:
    """Twenty-one reports, of which PLANTED sentences have one label too many or too few, marked ``planted``."""
    records = [r for split in ("validation", "test") for c in load_corpus(split=split) for r in c.report.records()]
    rng = np.random.default_rng(4)
    for row in rng.choice([i for i, r in enumerate(records) if r["kind"] == "sentence"], PLANTED, replace=False):
        name = DEFAULT_LABELS.names[rng.integers(4)]
        records[row] |= {"labels": sorted({*records[row]["labels"]} ^ {name}), "planted": True}
    return records


@pytest.fixture(scope="module")
def doubts(corpus: list[Record]) -> list[LabelIssue]:
    return find_errors(Pool.of(corpus, DEFAULT_LABELS))


@pytest.fixture(scope="module")
def few(corpus: list[Record]) -> list[Record]:
    """The first four of the reports."""
    docs = list(dict.fromkeys(record["doc"] for record in corpus))[:4]
    return [record for record in corpus if record["doc"] in docs]


def test_paragraphs_of_one_sentence(few: list[Record]) -> None:
    """None has a rest of its paragraph, so that nothing is known of that."""
    apart = [record | {"start": 2 * record["start"], "end": 2 * record["start"] + 1} for record in few]
    pool = Pool.of(apart, DEFAULT_LABELS)
    assert len(set(pool.paragraphs.tolist())) == len(pool)
    probabilities = out_of_fold(pool, Features(pool).table(pool))
    assert np.isfinite(probabilities).all() and probabilities.std() > 0.1


def test_planted_errors_are_found(doubts: list[LabelIssue]) -> None:
    found = {doubt.record["id"]: bool(doubt.record.get("planted")) for doubt in doubts}
    assert sum(found.values()) >= 0.5 * PLANTED
    assert sum(found.values()) >= 0.5 * len(found)
    scores = [doubt.score for doubt in doubts]
    assert scores == sorted(scores, reverse=True)
    assert all(doubt.given == (doubt.label in (doubt.record["labels"] or ())) for doubt in doubts)


def test_the_same_again_and_more_where_less_doubt_is_enough(few: list[Record]) -> None:
    pool = Pool.of(few, DEFAULT_LABELS)
    probabilities = out_of_fold(pool, Features(pool).table(pool))
    assert (probabilities == out_of_fold(pool, Features(pool).table(pool))).all()
    strict, lax = (find_label_issues(pool, probabilities, least) for least in (0.97, 0.6))
    assert (lax & strict == strict).all()
    assert lax.sum() > strict.sum()


def test_a_sentence_s_own_label_plays_no_part(few: list[Record]) -> None:
    """Else wrong labels would confirm themselves; only what the other reports' learners think may move a little."""
    pool = Pool.of(few, DEFAULT_LABELS)
    table = Features(pool).table(pool)
    truth = pool.truth.copy()
    row = len(pool) // 2
    truth[row] = ~truth[row]
    before, after = (out_of_fold(p, table)[row] for p in (pool, replace(pool, truth=truth)))
    assert np.abs(before - after).max() < 0.2


def test_two_reports_are_needed(corpus: list[Record]) -> None:
    one = [record for record in corpus if record["doc"] == corpus[0]["doc"]]
    with pytest.raises(DataError, match="at least two reports are needed"):
        find_errors(Pool.of(one, DEFAULT_LABELS))


def test_a_label_with_one_example_and_sentences_far_apart() -> None:
    """No two sentences touch, so that nothing is known of neighbours; nothing of that ends the command."""
    rows: list[Record] = [
        {
            "id": f"{doc}-{i}",
            "doc": f"报告{doc}.txt",
            "start": 50 * i,
            "end": 50 * i + 12,
            "text": f"第{doc}{i}项工作已经完成。",
            "labels": ["plan"] if (doc, i) == (0, 0) else ["achievement"] if i % 3 else [],
        }
        for doc in range(3)
        for i in range(8)
    ]
    assert all(doubt.label in DEFAULT_LABELS.names for doubt in find_errors(Pool.of(rows, DEFAULT_LABELS)))


def test_two_labelled_reports_among_many_check_each_other(few: list[Record]) -> None:
    """Of all the reports they are the shortest, so that folds of equal size would hold them together."""
    taught = list(dict.fromkeys(record["doc"] for record in few))[:2]
    records = [record for record in few if record["doc"] in taught]
    records += [{**record, "doc": f"未标注{n}.txt", "labels": None} for n in range(4) for record in few]
    pool = Pool.of(records, DEFAULT_LABELS)
    assert out_of_fold(pool, Features(pool).table(pool))[pool.known].std() > 0


@pytest.mark.parametrize(
    ("text", "labels", "doubted"),
    [
        ("新建泵站3座。", ["achievement"], [("metric", False)]),
        ("节约资金近二亿元。", ["achievement"], [("metric", False)]),
        ("新建泵站3座。", ["achievement", "metric"], []),
        ("完成渠道清淤。", ["achievement", "metric"], [("metric", True)]),
        ("2025年召开第五届技能大赛。", ["achievement", "metric"], [("metric", True)]),
        ("抓好三件大事。", ["plan"], []),
        ("现将有关情况报告如下。", ["achievement"], [("achievement", True)]),
        ("现将有关情况报告如下。", [], []),
        ("在此表示衷心感谢！", ["achievement"], [("achievement", True)]),
        ("数据共享的深度还需进一步拓展。", ["plan"], [("shortcoming", False)]),
        ("数据共享的深度还需进一步拓展。", ["shortcoming"], []),
    ],
)
def test_the_guideline_s_rules(text: str, labels: list[str], doubted: list[tuple[str, bool]]) -> None:
    assert [(found.label, found.given) for found in violations(text, labels)] == doubted


def test_rules_are_for_the_project_s_own_labels(few: list[Record]) -> None:
    own = LabelSet((Label("metric", "金额", "#0072b2", "1"), Label("law", "法治", "#d55e00", "2")))
    records: list[Record] = [{**r, "labels": ["law"] if any("法" in h for h in r["headings"]) else []} for r in few]
    doubts = find_errors(Pool.of(records, own), own)
    assert all(doubt.why == ("learner",) for doubt in doubts)


def test_the_command(pizhu: Callable[..., Any], tmp_path: Path, few: list[Record]) -> None:
    write_records(tmp_path / "答案.jsonl", few)
    words = ("label", "errors", tmp_path / "答案.jsonl", "--min-score", "0.9")
    told = pizhu(*words, "--out", tmp_path / "疑点.jsonl", "--json")
    assert told.status == 0, told.err
    records = list(read_records(tmp_path / "疑点.jsonl"))
    assert json.loads(told.out)["doubtful"] == records
    assert {"label", "given", "score", "why", "words"} == set(records[0]["doubts"][0])
    shown = pizhu(*words)
    assert f"{len(records)} doubtful of" in shown.out


@pytest.mark.server
def test_doubts_come_back_to_label_studio(
    server: Server,
    tmp_path: Path,
    corpus: list[Record],
    doubts: list[LabelIssue],
    tasks: Callable[[int], list[Any]],
) -> None:
    pool = Pool.of(corpus, DEFAULT_LABELS)
    records = doubt_records(doubts)
    pushed = push_review(server.access, pool, records)
    assert (pushed.sent, pushed.present) == (len(records), 0)
    with connect(server.access) as client:
        project = find_project(client, REVIEW.title)
        assert project is not None
        check_config(project.label_config, REVIEW.title)
        assert 'value="$doubt"' in project.label_config
    found = sorted(tasks(pushed.project), key=lambda task: task.id)
    assert [task.data["id"] for task in found] == [record["id"] for record in records]  # most suspicious first
    first = found[0].data
    assert first["doubt"].startswith("原标注：")
    assert records[0]["doubts"][0]["words"] in first["doubt"]
    around = [record for record in pool.records if record["doc"] == first["doc"]]
    assert first["position"].endswith(f"共 {len(around)} 句")
    assert not any(task.predictions for task in found)
    with connect(server.access) as client:
        assert client.projects.get(pushed.project).maximum_annotations == 1
        client.projects.update(id=pushed.project, maximum_annotations=2)
    again = push_review(server.access, pool, records)
    assert (again.project, again.sent, again.present) == (pushed.project, 0, len(records))
    with connect(server.access) as client:
        assert client.projects.get(pushed.project).maximum_annotations == 2, "a setting that somebody changed"
    pulled = pull(server.access, tmp_path / "复核.jsonl", title=REVIEW.title)
    assert pulled.states == {"unlabelled": len(records)}
    assert pulled.problems == ()
