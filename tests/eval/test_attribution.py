"""Integrated gradients on a trained tiny model: shares that add up, for the words in the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from pizhu.base.errors import ModelError
from pizhu.data.report import Report, Span, normalise
from pizhu.eval.attribution import attribute, explainer
from pizhu.models.folder import load_model


def place_of(report: Report, text: str) -> int:
    return next(i for i, s in enumerate(report.sentences) if s.text == text)


def test_shares_add_up_to_the_rise_of_the_logit(model_folder: Path, labelled: Report) -> None:
    model, tokenizer, about = load_model(model_folder)
    place = place_of(labelled, "接待查档群众4260人次，满意率99.6%。")
    found = attribute(model, tokenizer, about, labelled, place, "metric", steps=64)
    total = found.rest + sum(w.value for group in (found.path, *found.words.values()) for w in group)
    assert found.end > 0 and found.end - found.start > 0.5
    assert total == pytest.approx(found.end - found.start, rel=0.03)


def test_the_words_are_the_text(model_folder: Path, labelled: Report) -> None:
    found = explainer(model_folder)(labelled, place_of(labelled, "力争数字化率达到80%以上。"), "plan")
    assert found.label == "plan"
    for place, words in found.words.items():
        assert "".join(w.text for w in words) == labelled.sentences[place].text
    assert normalise(labelled.sentences[0].text).startswith("".join(w.text for w in found.path)[:4])


def test_full_width_text_and_white_space_stay_as_they_are(model_folder: Path) -> None:
    text = "全年接收档案３.２万卷，　整理照片。"
    report = Report.build("a.txt", text, [Span(0, len(text), "sentence")])
    found = explainer(model_folder)(report, 0, "metric")
    assert "".join(w.text for w in found.words[0]) == text


def test_a_long_sentence_is_shown_as_it_was_cut(model_folder: Path) -> None:
    text = "档案" * 60 + "。"
    report = Report.build("a.txt", text, [Span(0, len(text), "sentence")])
    found = explainer(model_folder)(report, 0, "metric")
    shown = "".join(w.text for w in found.words[0])
    assert shown.count("…") == 1 and shown.startswith("档案") and shown.endswith("档案。") and len(shown) < len(text)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        explainer(tmp_path / "none")
