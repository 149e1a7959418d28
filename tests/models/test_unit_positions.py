"""The positions of units: the headings above them, and what remains when some are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pizhu import Annotator
from pizhu.data.report import Report, Span
from pizhu.models.classifier import ReportClassifier
from pizhu.models.folder import load_model, save_model
from pizhu.models.runtime import OnnxRuntime, TorchRuntime
from pizhu.models.unit_positions import DEEPEST, UnitPositions
from pizhu.models.windows import Unit, units


@st.composite
def parts(draw: st.DrawFn) -> list[Unit]:
    """Units whose headings are any earlier ones."""
    count = draw(st.integers(0, 12))
    return [
        Unit(i, draw(st.integers(0, 5)), (), tuple(draw(st.lists(st.integers(0, i - 1), max_size=6))) if i else ())
        for i in range(count)
    ]


@given(parts(), st.data())
def test_the_innermost_headings_stand_last(found: list[Unit], data: st.DataObject) -> None:
    outline = UnitPositions.of(found)
    assert outline.above.shape == (len(found), DEEPEST)
    for unit, row in zip(found, outline.above, strict=True):
        assert tuple(row[row >= 0]) == unit.above[-DEEPEST:]
        assert (np.diff((row >= 0).astype(int)) >= 0).all()  # what is missing stands first
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found))), dtype=bool)
    rest, places = outline.only(kept), np.flatnonzero(kept)
    assert (rest.roles == outline.roles[kept]).all()
    for row, old in zip(rest.above, outline.above[kept], strict=True):
        assert [places[i] for i in row if i >= 0] == [i for i in old if i >= 0 and kept[i]]


def test_headings_are_found_however_they_are_spaced(model_folder: Path) -> None:
    _, tokenizer, about = load_model(model_folder)
    pieces = [("第一部分\u3000重点\u3000任务", 1), ("完成库房改造。", 0), ("一、  馆藏", 2), ("新增档案八卷。", 0)]
    text, spans = "", []
    for piece, level in pieces:
        spans.append(Span(len(text), len(text) + len(piece), "heading" if level else "sentence", level))
        text += piece + "\n"
    found = units(Report.build("任务.txt", text, spans), tokenizer, about.context)
    assert [unit.above for unit in found] == [(), (0,), (0,), (0, 2)]


def test_headings_of_a_report(labelled: Report, model_folder: Path) -> None:
    _, tokenizer, about = load_model(model_folder)
    found = units(labelled, tokenizer, about.context)
    texts = [labelled.sentences[unit.index].text for unit in found]
    assert any(len(unit.above) > 1 for unit in found)
    for unit in found:
        assert tuple(texts[i] for i in unit.above) == labelled.sentences[unit.index].headings


@pytest.fixture(scope="module")
def model() -> ReportClassifier:
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    config = BertConfig(vocab_size=4, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    return ReportClassifier(BertModel(config, add_pooling_layer=False), 2, recurrent=0, regression=True).eval()


def test_a_heading_counts_for_what_stands_below_it(model: ReportClassifier) -> None:
    vectors = torch.randn(4, 8)
    above = [(), (0,), (0, 1), ()]
    outline = UnitPositions.of([Unit(i, 0, (), found) for i, found in enumerate(above)])
    before = model.scores(vectors, outline)
    vectors[0] += torch.randn(8)
    changed = (model.scores(vectors, outline) - before).abs().sum(dim=1) > 1e-6
    assert changed.tolist() == [True, True, True, False]


def test_onnx_and_torch_agree_on_a_regression(model_folder: Path, tmp_path: Path, labelled: Report) -> None:
    known, tokenizer, about = load_model(model_folder)
    torch.manual_seed(5)
    fresh = ReportClassifier(known.encoder, len(about.labels), 0, regression=True)
    context = replace(about.context, units=1, before=0, after=0)
    form = replace(about, recurrent=0, regression=True, context=context)
    folder = save_model(tmp_path / "m", fresh, tokenizer, form)
    annotator = Annotator.load(folder, device="cpu")
    assert isinstance(annotator.runtime, OnnxRuntime)
    loaded, _, again = load_model(folder)
    assert again.regression and loaded.regression and again.context.units == 1
    theirs = Annotator(TorchRuntime(loaded, 0), tokenizer, again)
    np.testing.assert_allclose(annotator.logits(labelled), theirs.logits(labelled), atol=2e-4)
