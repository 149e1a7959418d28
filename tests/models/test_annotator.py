"""Annotating reports with a trained model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from pizhu import Annotator
from pizhu.base.errors import ConfigError, ReadError
from pizhu.data.report import Report
from pizhu.models.classifier import Batch, ReportClassifier
from pizhu.models.folder import load_model
from pizhu.models.runtime import batches
from pizhu.models.windows import Windower

if TYPE_CHECKING:
    from pizhu.models.windows import Window

PAD = 0  # of the tiny encoder


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ReportClassifier:
    return load_model(model_folder)[0]


@pytest.fixture(scope="module")
def cut(annotator: Annotator, labelled: Report) -> list[Window]:
    windower = Windower(annotator.tokenizer, annotator.about.context)
    found = windower.windows(labelled, windower.units(labelled))
    assert len(found) > 2 and len({len(w.tokens) for w in found}) > 1
    return found


def vectors(model: ReportClassifier, group: list[Window]) -> torch.Tensor:
    with torch.inference_mode():
        return model.vectors(Batch.of(group, PAD))


def test_a_batch_says_what_single_windows_say(model: ReportClassifier, cut: list[Window]) -> None:
    together = vectors(model, cut)
    alone = torch.cat([vectors(model, [window]) for window in cut])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_cached_lower_layers_change_nothing(model: ReportClassifier, cut: list[Window]) -> None:
    batch = Batch.of(cut, PAD)
    with torch.inference_mode():
        for layers in range(model.depth + 1):
            hidden = model.lower(batch, layers)
            torch.testing.assert_close(model.vectors(batch, hidden, layers), model.vectors(batch), rtol=0, atol=0)


def test_the_layers_compute_what_transformers_computes(model: ReportClassifier, cut: list[Window]) -> None:
    """The encoder's layers are called one by one; the whole model, called as usual, says the same."""
    batch = Batch.of(cut, PAD)
    with torch.inference_mode():
        whole = model.encoder(input_ids=batch.tokens, attention_mask=batch.mask.long()).last_hidden_state
        ours = model.lower(batch, model.depth)
    torch.testing.assert_close(ours[batch.mask], whole[batch.mask], rtol=1e-5, atol=1e-5)


def test_a_unit_is_the_mean_of_its_own_tokens(model: ReportClassifier, cut: list[Window]) -> None:
    batch = Batch.of(cut[:1], PAD)
    with torch.inference_mode():
        hidden = model.lower(batch, model.depth)[0]
        found = model.vectors(batch)
    for row, (_, start, end) in enumerate(cut[0].spans):
        torch.testing.assert_close(found[row], hidden[start:end].mean(0), rtol=1e-4, atol=1e-5)


def test_batches_hold_every_window_once_within_the_budget(cut: list[Window]) -> None:
    many = [replace(w, tokens=w.tokens * (1 + i % 5)) for i, w in enumerate(cut * 40)]
    groups = batches([(0, w) for w in many], 4096)
    assert sorted(id(w) for group in groups for _, w in group) == sorted(map(id, many))
    assert all(len(group) == 1 or max(len(w.tokens) for _, w in group) * len(group) <= 4096 for group in groups)


def test_scores_agree_with_labels(annotator: Annotator, labelled: Report) -> None:
    given = annotator.annotate(labelled)
    thresholds = dict(zip(annotator.about.labels.names, annotator.about.decision.thresholds, strict=True))
    for s in given.sentences:
        if s.kind == "sentence":
            assert s.scores is not None
            assert s.labels == tuple(name for name, score in s.scores.items() if score >= thresholds[name])
        else:
            assert (s.labels, s.scores) == ((), None)


def test_labels_that_a_report_has_do_not_lead_the_model(annotator: Annotator, labelled: Report) -> None:
    blank = labelled.with_labels([None for _ in labelled.sentences])
    assert [s.labels for s in annotator.annotate(blank).sentences] == [
        s.labels for s in annotator.annotate(labelled).sentences
    ]


def test_context_decides(annotator: Annotator, labelled: Report) -> None:
    """One phrase, done under one heading and planned under another."""
    given = annotator.annotate(labelled)
    assert [s.labels for s in given.sentences if s.text == "深化档案服务改革。"] == [("achievement",), ("plan",)]


def test_furniture_changes_nothing(annotator: Annotator, labelled: Report) -> None:
    bare = replace(labelled, sentences=tuple(s for s in labelled.sentences if s.kind != "furniture"))
    kept = [i for i, s in enumerate(labelled.sentences) if s.kind != "furniture"]
    np.testing.assert_allclose(annotator.logits(bare), annotator.logits(labelled)[kept], atol=1e-5)


def test_a_report_without_units(annotator: Annotator) -> None:
    assert annotator.annotate(Report("空.txt", "", ())).sentences == ()
    assert annotator.logits(Report("空.txt", "", ())).shape == (0, 4)


def test_files_by_name(annotator: Annotator, tmp_path: Path) -> None:
    path = tmp_path / "报告 1.txt"
    path.write_text("一、工作回顾\n全年完成了任务。\n", encoding="utf-8")
    report = annotator.annotate(str(path))
    assert [(s.kind, s.scores is None) for s in report.sentences] == [("heading", True), ("sentence", False)]
    with pytest.raises(ReadError, match="does not exist"):
        annotator.annotate(tmp_path / "none.txt")


def test_characters_nobody_has_seen(annotator: Annotator, tmp_path: Path) -> None:
    path = tmp_path / "怪.txt"
    path.write_text("\U0002a6d6🙂\u202e完成了任务" + "𠀀" * 3000 + "。\n" + "\u200b。\n", encoding="utf-8")
    scores = [s.scores for s in annotator.annotate(path).sentences if s.scores is not None]
    assert scores and all(np.isfinite(list(row.values())).all() for row in scores)


def test_an_absent_device(model_folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be used on this machine"):
        Annotator.load(model_folder, device="warp:9")


def test_nothing_is_trained_while_annotating(annotator: Annotator, labelled: Report) -> None:
    one, two = annotator.logits(labelled), annotator.logits(labelled)
    np.testing.assert_array_equal(one, two)
