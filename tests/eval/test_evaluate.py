"""Evaluation on reports that the model has not seen, compared with the baselines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pizhu import Annotator
from pizhu.base.errors import DataError, MissingExtraError
from pizhu.base.files import write_records
from pizhu.data.labels import Label, LabelSet
from pizhu.data.report import Report
from pizhu.eval import evaluate as module
from pizhu.eval.attribution import explainer
from pizhu.eval.evaluate import Depth, evaluate
from pizhu.models.folder import load_about


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


@pytest.fixture(scope="module")
def other(labelled: Report) -> Report:
    """What the model knows by heart, under a name that it has not seen."""
    return replace(labelled, doc="other.txt")


@pytest.fixture(scope="module")
def misread(other: Report) -> Report:
    """The same, where people call two plans achievements and see a metric where there is none."""
    labels = [s.labels for s in other.sentences]
    plans = [i for i, names in enumerate(labels) if names == ("plan",)]
    labels[plans[0]] = labels[plans[1]] = ("achievement",)
    labels[plans[2]] = ("plan", "metric")
    return other.with_labels(labels)


def taught(report: Report, count: int = 4) -> list[Report]:
    return [replace(report, doc=f"train-{i}.txt") for i in range(count)]


def test_what_is_known_by_heart_is_right(annotator: Annotator, other: Report) -> None:
    told: list[tuple[str, float, float]] = []
    found = evaluate(annotator, [other, other], depth=Depth(False, errors=3), tell=lambda *word: told.append(word))
    assert list(found.systems) == ["model"]
    scores = found.systems["model"]
    assert (scores.macro_f1.value, scores.exact_match.value, scores.reports) == (1, 1, 2)
    assert told == [("Predictions of the model", 1, 2), ("Predictions of the model", 2, 2)]
    assert (found.mistakes, found.comparisons, found.left_out, found.review.wrong) == ([], {}, {}, 0)
    assert all(curve is not None and curve.average == 1 for curve in found.curves["model"].values())
    json.dumps(found.as_dict(), allow_nan=False)


def test_all_parts(
    annotator: Annotator, model_folder: Path, misread: Report, labelled: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every part asked for; in place of the bundled encoder stands the model's own."""
    monkeypatch.setattr("pizhu.eval.frozen.encoder_vectors", lambda: annotator.vectors)
    told: list[str] = []
    found = evaluate(
        annotator,
        [misread, replace(misread, doc="second.txt")],
        taught(labelled),
        facts={"other.txt": {"kind": "budget", "level": "city"}},
        depth=Depth(slow=True, errors=4, learning=True),
        explain=lambda: explainer(model_folder),
        tell=lambda what, done, total=None: told.append(f"{what} {done:g} of {total:g}"),
    )
    assert found.left_out == {}
    assert list(found.systems) == [module.MODEL, module.RULES, module.TFIDF_ALONE, module.TFIDF, module.FROZEN]
    assert list(found.comparisons) == list(found.systems)[1:]
    assert set(found.curves) == set(found.systems) - {module.RULES}
    assert found.systems[module.TFIDF].macro_f1.value > 0.7
    assert found.review.wrong == 6 and len(found.mistakes) == 4
    for mistake in found.mistakes:
        assert mistake.attribution is not None and mistake.attribution.label == mistake.label
        assert len(mistake.nearest) == 3 and mistake.nearest[0].text == mistake.text
        assert mistake.nearest[0].similarity == pytest.approx(1, abs=1e-3)
    assert {m.label for m in found.mistakes} <= {"achievement", "plan", "metric"}
    assert list(found.slices["kind"]) == ["budget"]
    assert found.training == (4, 4 * 17) and found.repeated == 2 * 17
    assert {p.reports for p in found.learning} == {1, 2, 4}
    assert "Learning curve 21 of 21" in told and "Attributions of the worst errors 4 of 4" in told
    body = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert body["confusion"]["matrix"][0][2] == 4  # achievement true, plan given
    assert body["errors"][0]["nearest"][0]["labels"]


def test_what_cannot_be_done_is_told(annotator: Annotator, misread: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise MissingExtraError("running a model", "train")

    monkeypatch.setattr("pizhu.eval.frozen.encoder_vectors", missing)
    found = evaluate(annotator, [misread], [], depth=Depth(slow=True, errors=2, learning=True), explain=missing)
    assert list(found.systems) == [module.MODEL, module.RULES]
    assert set(found.left_out) == {
        module.FROZEN,
        module.TFIDF,
        module.TFIDF_ALONE,
        module.ATTRIBUTION,
        module.NEAREST,
        module.LEARNING,
    }
    assert "pip install" in found.left_out[module.ATTRIBUTION]
    assert "--training" in found.left_out[module.TFIDF]
    assert all(m.attribution is None and m.nearest == () for m in found.mistakes)


def test_no_baseline_learns_from_what_it_is_scored_on(annotator: Annotator, other: Report, misread: Report) -> None:
    found = evaluate(annotator, [other], [misread, *taught(other), *taught(other)], depth=Depth(False))
    assert found.training == (4, 4 * 17)


def test_doubtful_sentences(annotator: Annotator, misread: Report) -> None:
    """A model that doubts all sends all to review; one that doubts nothing, none."""
    decision = annotator.about.decision
    for doubt, flagged in ((1.1, 17), (0.0, 0)):
        about = replace(annotator.about, decision=replace(decision, review_below=doubt))
        doubting = Annotator(annotator.runtime, annotator.tokenizer, about)
        review = evaluate(doubting, [misread], depth=Depth(False)).review
        assert (review.flagged, review.flagged_wrong) == (flagged, 3 if flagged else 0)
        assert (review.rest is None) == bool(flagged)


def test_only_labelled_sentences_count(annotator: Annotator, other: Report) -> None:
    half = other.with_labels([s.labels if i % 2 else None for i, s in enumerate(other.sentences)])
    blank = other.with_labels([None for _ in other.sentences])
    found = evaluate(annotator, [half, blank])
    want = sum(s.kind == "sentence" and i % 2 == 1 for i, s in enumerate(other.sentences))
    assert (found.systems["model"].sentences, found.systems["model"].reports) == (want, 1)


def test_what_the_model_was_trained_on_is_left_out(annotator: Annotator, labelled: Report, other: Report) -> None:
    found = evaluate(annotator, [labelled, other], depth=Depth(False))
    assert found.docs == (other.doc,) and found.systems["model"].reports == 1
    body = found.as_dict()
    assert (body["reports"], body["reports_left_out"]["learned"]) == ([other.doc], [labelled.doc])
    with pytest.raises(DataError, match="the model was trained on all 1 labelled reports here; label reports that"):
        evaluate(annotator, [labelled])


def test_labels_of_another_set(annotator: Annotator, other: Report) -> None:
    with pytest.raises(DataError, match="the data have the label 'risk', but the model knows achievement"):
        evaluate(annotator, [other.with_labels([("risk",) for _ in other.sentences])])


def test_the_command(model_folder: Path, misread: Report, labelled: Report, tmp_path: Path, pizhu: Any) -> None:
    data, training, out = tmp_path / "标注.jsonl", tmp_path / "训练.jsonl", tmp_path / "评测"
    write_records(data, misread.records())
    write_records(training, (record for report in taught(labelled) for record in report.records()))
    words = ["evaluate", model_folder, data, "--training", training, "--errors", "2", "--fast", "--out", out]
    answer = pizhu(*words)
    assert (answer.status, answer.out.splitlines()[-2:]) == (
        0,
        [str(out / "evaluation.html"), str(out / "evaluation.json")],
    )
    assert (
        "keyword rules" in answer.out and "the model's lead" in answer.out and "Predictions of the model" in answer.err
    )
    body = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert json.loads(pizhu(*words, "--json").out) == body
    assert (body["data"], body["training_data"]) == ("标注.jsonl", ["训练.jsonl"])
    about = load_about(model_folder)
    assert (body["model"]["name"], body["model"]["fingerprint"]) == (model_folder.name, about.fingerprint)
    assert list(body["model"]["thresholds"].values()) == list(about.decision.thresholds)
    assert list(body["model"]["temperatures"].values()) == list(about.decision.temperatures)
    assert date.fromisoformat(body["made"]) <= date.today() and body["pizhu"] == version("pizhu")
    assert list(body["precision_recall"]) == [module.MODEL, module.TFIDF_ALONE, module.TFIDF]
    assert str(tmp_path) not in answer.out.replace(str(out), "") and str(tmp_path) not in json.dumps(body)
    assert list(body["systems"]) == [module.MODEL, module.RULES, module.TFIDF_ALONE, module.TFIDF]
    assert len(body["errors"]) == 2 and body["errors"][0]["attribution"] is None
    assert "最严重的错误" in (out / "evaluation.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.html", "evaluation.json"]


def test_the_command_without_a_folder(model_folder: Path, other: Report, tmp_path: Path, pizhu: Any) -> None:
    data = tmp_path / "标注.jsonl"
    write_records(data, other.records())
    answer = pizhu("evaluate", model_folder, data, "--no-baseline", "--json")
    assert answer.status == 0
    assert json.loads(answer.out)["systems"]["model"]["macro_f1"]["value"] == 1
    assert "1.000 [1.000 1.000]" in pizhu("evaluate", model_folder, data, "--no-baseline").out
    assert [path.name for path in tmp_path.iterdir()] == [data.name]
    write_records(data, [{**record, "labels": ["plans"]} for record in other.records()])
    answer = pizhu("evaluate", model_folder, data)
    assert (answer.status, answer.out) == (2, "") and "unknown label 'plans'" in answer.err


def test_the_command_on_the_file_that_the_model_was_trained_with(
    model_folder: Path, labelled: Report, other: Report, tmp_path: Path, pizhu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it learned is left out, and teaches the baselines; without a model's name the user's own is taken."""
    monkeypatch.setenv("PIZHU_MODEL", str(model_folder))
    data = tmp_path / "标注.jsonl"
    write_records(data, (record for report in (labelled, other) for record in report.records()))
    answer = pizhu("evaluate", data, "--json")
    assert answer.status == 0 and "1 report left out: the model was trained on them" in answer.err
    body = json.loads(answer.out)
    assert body["reports"] == [other.doc] and body["training"]["repeated"] == 17
    assert body["training_data"] == ["标注.jsonl", "shipped corpus, training split"]
    write_records(data, labelled.records())
    answer = pizhu("evaluate", model_folder, data)
    assert (answer.status, answer.out) == (2, "") and "label reports that it has not seen" in answer.err


def test_own_labels_need_own_data(model_folder: Path, pizhu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Annotator.load(model_folder)
    labels = LabelSet((*own.about.labels.labels[:-1], Label("risk", "风险", "#123456", "5")))
    own.about = replace(own.about, labels=labels)
    monkeypatch.setattr(Annotator, "load", lambda model: own)
    answer = pizhu("evaluate", model_folder)
    assert (answer.status, answer.out) == (2, "")
    assert "give labelled records of reports it has not seen: pizhu evaluate MODEL DATA" in answer.err


@pytest.mark.slow
def test_beside_the_baselines_on_the_shipped_corpus(model_folder: Path, tmp_path: Path, pizhu: Any) -> None:
    """The baselines, trained on the corpus, beat a model that knows one report by heart."""
    answer = pizhu("evaluate", model_folder, "--out", tmp_path, "--fast", "--json")
    assert answer.status == 0
    body = json.loads(answer.out)
    model, baseline = body["systems"][module.MODEL], body["systems"][module.TFIDF]
    assert model["sentences"] == baseline["sentences"] > 500
    assert baseline["macro_f1"]["value"] > max(0.6, model["macro_f1"]["value"])
    assert body["comparisons"][module.TFIDF]["macro_f1"]["high"] < 0
    assert {"kind", "level"} <= set(body["slices"])
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert "法治政府建设年报" in page and "基线更好" in page
