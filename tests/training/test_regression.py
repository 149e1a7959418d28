"""Regression heads: headings count, few sentences suffice, and nothing else is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from pizhu import Annotator
from pizhu.data.labels import Label, LabelSet
from pizhu.data.report import Report, Sentence, Span
from pizhu.models.classifier import Batch
from pizhu.models.folder import load_model
from pizhu.models.runtime import TorchRuntime
from pizhu.models.windows import Windower
from pizhu.training.examples import Example, Lower
from pizhu.training.loop import Progress, train
from pizhu.training.start import load_start
from pizhu.training.validation import answers
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from pizhu.training.recipe import Recipe

LABELS = LabelSet((Label("school", "教育", "#0072b2", "1"), Label("year", "全年", "#d55e00", "2")))
SENTENCES = ("全年完成项目三个。", "接待群众八人。", "开展检查两次。", "全年新建道路五公里。")


def report(headings: tuple[str, ...] = ("一、教育", "二、交通", "三、教育工作", "四、档案")) -> Report:
    """The same sentences below each heading; what is below one on 教育 is of that label."""
    text, spans = "", []
    for heading in headings:
        for piece, level in ((heading, 1), *((sentence, 0) for sentence in SENTENCES)):
            spans.append(Span(len(text), len(text) + len(piece), "heading" if level else "sentence", level))
            text += piece + "\n"
    return Report.build("某市.txt", text, spans)


def tags(sentence: Sentence) -> list[str]:
    return ["school"] * ("教育" in sentence.headings[0]) + ["year"] * ("全年" in sentence.text)


def tagged(found: Report, every: int = 1) -> Report:
    """``found`` with the labels of every ``every``-th sentence."""
    given = [tags(s) if s.kind == "sentence" and i % every == 0 else None for i, s in enumerate(found.sentences)]
    return found.with_labels(given)


@pytest.fixture(scope="module")
def own(recipe: Recipe) -> Recipe:
    context = replace(recipe.context, before=0, after=0, prefix=0, units=1)
    training = replace(recipe.training, epochs=12, encoder_lr=1e-3, head_lr=1e-3, crop=0.0, sentences=3)
    return replace(recipe, context=context, head=replace(recipe.head, recurrent=0, regression=True), training=training)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_a_heading_decides(tmp_path: Path, own: Recipe) -> None:
    """Without the title and path in the windows, only the vectors of headings can tell."""
    found = report()
    taught = tagged(found, every=3)
    model = train(own, [taught], [], tmp_path / "m", labels=LABELS, device="cpu")
    for sentence in Annotator.load(model, device="cpu").annotate(found).sentences:
        if sentence.kind == "sentence":
            assert ("school" in (sentence.labels or ())) is ("school" in tags(sentence))


def test_the_head_is_the_solution(tmp_path: Path, own: Recipe) -> None:
    taught = tagged(report(), every=2)
    folder = train(own, [taught], [], tmp_path / "m", labels=LABELS, device="cpu")
    model, tokenizer, about = load_model(folder)
    features: list[np.ndarray] = []
    model.out.register_forward_pre_hook(lambda _, given: features.append(given[0].numpy()))
    windower = Windower(tokenizer, about.context)
    example = Example.of(taught, about.labels.names, windower)
    logits, truth = answers(TorchRuntime(model, windower.special.pad), [example])
    known = [s.labels is not None for s in taught.sentences]
    solved = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000).fit(features[0][known], truth[:, 0])
    np.testing.assert_allclose(logits[:, 0], solved.decision_function(features[0][known]), atol=1e-2)


def test_what_nobody_labelled_changes_nothing(tmp_path: Path, own: Recipe) -> None:
    """But for the headings above what is labelled."""

    def trained(headings: tuple[str, ...], out: str) -> dict[str, torch.Tensor]:
        found = report(headings)
        given = [tags(s) if s.kind == "sentence" and i < 10 else None for i, s in enumerate(found.sentences)]
        return weights(train(own, [found.with_labels(given)], [], tmp_path / out, labels=LABELS, device="cpu"))

    one = trained(("一、教育", "二、交通", "三、卫生", "四、档案"), "a")
    below = trained(("一、教育", "二、交通", "三、检查", "四、道路"), "b")
    above = trained(("一、教育", "二、卫生", "三、卫生", "四、档案"), "c")
    assert all(torch.equal(one[name], below[name]) for name in one)
    assert not torch.equal(one["out.weight"], above["out.weight"])


def test_a_label_on_every_sentence(tmp_path: Path, own: Recipe) -> None:
    """Nothing can be solved for it: it is given to all, and the others are learned beside it."""
    found = report()
    taught = found.with_labels([[*tags(s), "all"] if s.kind == "sentence" else None for s in found.sentences])
    labels = LabelSet((*LABELS.labels, Label("all", "全部", "#009e73", "3")))
    model = train(own, [taught], [], tmp_path / "m", labels=labels, device="cpu")
    for sentence in Annotator.load(model, device="cpu").annotate(found).sentences:
        if sentence.kind == "sentence":
            assert sorted(sentence.labels or ()) == sorted([*tags(sentence), "all"])


class Stopped(Exception):
    """What a user's watch may raise."""


@pytest.mark.parametrize("stop", [1, 9])
def test_stopped_and_started_again(tmp_path: Path, own: Recipe, stop: int) -> None:
    taught = tagged(report(), every=2)

    def watch(at: Progress) -> None:
        if at.stage == "train" and at.step == stop:
            raise Stopped

    def run(out: str, **watched: Any) -> Path:
        return train(own, [taught], [], tmp_path / out, labels=LABELS, device="cpu", **watched)

    with pytest.raises(Stopped):
        run("killed", watch=watch)
    killed, undisturbed = weights(run("killed")), weights(run("undisturbed"))
    assert all(torch.equal(killed[name], tensor) for name, tensor in undisturbed.items())


def test_windows_of_unlike_length_are_read_in_groups(own: Recipe) -> None:
    """Each unit's vector comes out as if its window were read alone, and lands at its own place."""
    start = load_start(own, LABELS.names)
    found = report(("一、教育" * 20, "二、交"))
    windower = Windower(start.tokenizer, own.context)
    example = Example.of(tagged(found), LABELS.names, windower)
    model = start.model.eval()
    lower = Lower(model, 1, windower.special.pad, [example])
    lower.warm(example)
    vectors, kept = lower.vectors(example)
    assert kept.all()
    for window in example.windows:
        with torch.no_grad():
            alone = model.vectors(Batch.of([window], windower.special.pad))
        torch.testing.assert_close(vectors[[unit for unit, _, _ in window.spans]], alone, atol=1e-3, rtol=1e-2)
