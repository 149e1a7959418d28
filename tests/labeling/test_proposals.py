"""The model's proposals in a push are the labels that it gives in `pizhu annotate`."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pizhu.base.files import write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import read_report
from pizhu.data.report import Report
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.proposals import model_version, propose, with_proposals
from pizhu.labeling.studio.tasks import choices
from pizhu.models.about import About
from pizhu.models.annotator import Annotator
from pizhu.models.decision import Decision
from pizhu.models.paths import SHIPPED
from pizhu.models.windows import ContextFormat
from typer.testing import CliRunner

TEXT = "云溪县水务局2025年工作总结\n\n一、主要工作\n\n新建泵站3座。清淤渠道5公里。\n\n二、存在问题\n\n部分渠道老化。\n"


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator.load(SHIPPED, device="cpu")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "报 告.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_reports_and_records_get_the_same(annotator: Annotator, report: Path, tmp_path: Path) -> None:
    expected = {sentence.id: sentence for sentence in annotator.annotate(report).sentences}
    found = propose(report, annotator)
    assert [record["kind"] for record in found if "model" not in record] == ["heading"] * 3
    for record in (record for record in found if record["kind"] == "sentence"):
        assert record["labels"] == list(expected[record["id"]].labels or ())
        assert record["scores"] == pytest.approx(expected[record["id"]].scores, abs=1e-4)
        assert record["model"] == model_version(annotator) != ""

    # Records in any order, with labels of another set, come back as they were but for the model's part.
    given = [{**record, "labels": ["其他"]} for record in reversed(read_report(report).records())]
    write_records(tmp_path / "records.jsonl", given)
    again = propose(tmp_path / "records.jsonl", annotator)
    assert [record["id"] for record in again] == [record["id"] for record in given]
    labels = {record["id"]: record["labels"] for record in found if record["kind"] == "sentence"}
    assert {r["id"]: r["labels"] for r in again if r["kind"] == "sentence"} == labels


class Silent:
    """A model that takes no time and gives every sentence no label."""

    about = About(DEFAULT_LABELS, ContextFormat(), 0, Decision.plain(4), name="无", fingerprint="0" * 8)

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        for report in reports:
            scores = [dict.fromkeys(DEFAULT_LABELS.names, 0.0)] * len(report.sentences)
            yield report.with_labels([()] * len(report.sentences), scores)


def test_time_grows_with_the_reports() -> None:
    """Not with their square: four times as many take some four times as long, not sixteen."""

    def seconds(reports: int) -> float:
        records = [
            {"doc": f"{doc}.txt", "start": 10 * n, "end": 10 * n + 9, "text": f"第{n}段渠道完成清淤。"}
            for doc in range(reports)
            for n in range(10)
        ]
        since = time.process_time()
        assert len(with_proposals(records, Silent(), "记录")) == len(records)  # type: ignore[arg-type]
        return time.process_time() - since

    seconds(100)
    assert min(seconds(1600) for _ in range(3)) < 9 * min(seconds(400) for _ in range(3))


@pytest.mark.server
def test_pushed_with_a_model(server: Server, title: str, annotator: Annotator, report: Path) -> None:
    command = ["label", "push", str(report), "--project", title, "--folder", server.folder, "--model", str(SHIPPED)]
    pushed = CliRunner().invoke(app, command)
    assert "3 sentences sent, 0 were there, 3 proposals sent" in pushed.stdout, pushed.output
    again = CliRunner().invoke(app, command)
    assert "0 sentences sent, 3 were there, 0 proposals sent" in again.stdout, again.output
    expected = {s.id: list(s.labels or ()) or ["none"] for s in annotator.annotate(report).sentences}
    with connect(server.access) as client:
        [project] = [project for project in client.projects.list(title=title) if project.title == title]
        for task in client.tasks.list(project=project.id, fields="all"):
            [proposal] = task.predictions
            assert choices(proposal.result) == expected[task.data["id"]]
            assert proposal.model_version == model_version(annotator)
            assert 0.5 <= proposal.score <= 1
