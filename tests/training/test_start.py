"""The start of a training: a pizhu model's encoder, and its head for the labels that are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from pizhu import Annotator
from pizhu.base.errors import ModelError
from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.models.folder import load_model
from pizhu.training.loop import train
from pizhu.training.start import load_start

if TYPE_CHECKING:
    from pizhu.data.report import Report
    from pizhu.training.recipe import Recipe


@pytest.fixture
def onward(recipe: Recipe, model_folder: Path) -> Recipe:
    """The tests' recipe, started from the trained tiny model."""
    return replace(recipe, encoder=replace(recipe.encoder, name=str(model_folder)))


def test_the_same_labels_keep_the_whole_model(onward: Recipe, model_folder: Path) -> None:
    model, _, _ = load_model(model_folder)
    start = load_start(onward, DEFAULT_LABELS.names)
    assert all(torch.equal(tensor, start.model.state_dict()[name]) for name, tensor in model.state_dict().items())
    assert start.fingerprint == load_start(onward, ("plan",)).fingerprint


def test_each_label_that_is_known_keeps_its_scores(onward: Recipe, model_folder: Path) -> None:
    model, _, _ = load_model(model_folder)
    start = load_start(onward, ("metric", "risk", "achievement")).model
    for row, old in ((0, 3), (2, 0)):
        assert torch.equal(start.out.weight[row], model.out.weight[old])
        assert start.out.bias[row] == model.out.bias[old]
    assert not any(torch.equal(start.out.weight[1], row) for row in model.out.weight)
    assert torch.equal(start.mix.weight, model.mix.weight)


@pytest.mark.parametrize("form", [{"recurrent": 8}, {"recurrent": 0, "regression": True}])
def test_another_form_of_head_leaves_the_encoder_only(onward: Recipe, model_folder: Path, form: dict[str, Any]) -> None:
    model, _, _ = load_model(model_folder)
    start = load_start(replace(onward, head=replace(onward.head, **form)), DEFAULT_LABELS.names).model
    own = start.state_dict()
    assert all(torch.equal(t, own[name]) for name, t in model.state_dict().items() if name.startswith("encoder."))
    assert not torch.equal(own["out.weight"], model.out.weight)


def test_other_labels_take_the_encoder_only(onward: Recipe, model_folder: Path) -> None:
    model, _, _ = load_model(model_folder)
    start = load_start(onward, ("risk", "money")).model
    assert torch.equal(start.encoder.embeddings.word_embeddings.weight, model.encoder.embeddings.word_embeddings.weight)
    assert not torch.equal(start.mix.weight, model.mix.weight)


def test_a_trained_model_goes_on_where_it_was(tmp_path: Path, onward: Recipe, recipe: Recipe, labelled: Report) -> None:
    def losses(given: Recipe) -> list[float]:
        told: list[float] = []
        short = replace(given, training=replace(given.training, epochs=2))
        train(short, [labelled], [], tmp_path / "m", device="cpu", watch=lambda at: told.append(at.loss))
        return [loss for loss in told if loss == loss]

    assert losses(onward)[0] < 0.1 < losses(recipe)[0]


def test_the_start_is_never_overwritten(onward: Recipe, model_folder: Path, labelled: Report) -> None:
    with pytest.raises(ModelError, match="which the new model is made from, would be lost; name another"):
        train(onward, [labelled], [], model_folder, device="cpu")


def test_a_start_that_is_not_there(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pizhu.training.recipe.SHIPPED", tmp_path / "none")
    with pytest.raises(ModelError, match="none does not exist"):
        load_start(replace(recipe, encoder=replace(recipe.encoder, name="shipped")), DEFAULT_LABELS.names)


LABELS = """
[[label]]
name = "archive"
title = "馆藏"
color = "#0072b2"
hotkey = "1"

[[label]]
name = "people"
title = "人员"
color = "#d55e00"
hotkey = "2"
"""


def test_ones_own_tags_and_a_few_sentences(
    tmp_path: Path, model_folder: Path, labelled: Report, pizhu: Callable[..., Any]
) -> None:
    """The user's path: a label set, a handful of labelled sentences among others, one command, a usable model."""

    def tags(text: str) -> list[str]:
        return [name for name, word in (("archive", "档"), ("people", "人")) if word in text]

    few = [tags(s.text) if i % 4 else None for i, s in enumerate(labelled.sentences)]
    (tmp_path / "我的标签.toml").write_text(LABELS, encoding="utf-8")
    write_records(tmp_path / "标注.jsonl", labelled.with_labels(few).records())
    command = [
        "train",
        "--labels",
        tmp_path / "我的标签.toml",
        "--data",
        tmp_path / "标注.jsonl",
        "--out",
        tmp_path / "m",
    ]
    values = ["training.encoder_lr=3e-3", "training.head_lr=1e-2", "encoder.frozen_layers=0"]
    # The recipe reads as it says itself, not as the model that it starts from.
    values += [f"encoder.name={model_folder}", "context.tokens=96", "context.prefix=16", "context.unit=48"]
    settings = [word for value in values for word in ("--set", value)]
    answer = pizhu(*command, "--recipe", "own", *settings)
    assert answer.status == 0, answer.err
    annotator = Annotator.load(tmp_path / "m", device="cpu")
    assert annotator.about.labels.names == ("archive", "people")
    assert annotator.about.regression
    assert annotator.about.decision.thresholds == (0.5, 0.5)  # nothing was kept for validation to choose by
    given = annotator.annotate(labelled)
    taught = [(s, names) for s, names in zip(given.sentences, few, strict=True) if names and s.kind == "sentence"]
    assert len(taught) > 5 and all(list(s.labels or ()) == names for s, names in taught)


@pytest.mark.parametrize("own", [False, True])
def test_few_sentences_are_pointed_out(
    tmp_path: Path, labelled: Report, recipe: Recipe, pizhu: Callable[..., Any], own: bool
) -> None:
    if own:
        labelled = labelled.with_labels(
            [["archive", "people"] if i % 2 else [] for i in range(len(labelled.sentences))]
        )
        (tmp_path / "我的标签.toml").write_text(LABELS, encoding="utf-8")
    write_records(tmp_path / "标注.jsonl", labelled.records())
    values = {
        "encoder.name": recipe.encoder.name,
        "context.tokens": 96,
        "context.prefix": 16,
        "context.unit": 48,
        "training.epochs": 1,
        "encoder.frozen_layers": 1,
    }
    settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    labels = ["--labels", tmp_path / "我的标签.toml"] if own else ["--no-corpus"]
    answer = pizhu("train", *labels, "--data", tmp_path / "标注.jsonl", "--out", tmp_path / "m", *settings)
    assert answer.status == 0
    assert f"labelled sentences are few; --recipe {'own' if own else 'finetune'}" in answer.err
