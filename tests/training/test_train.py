"""Real training on a tiny encoder: it learns, is repeatable, and refuses what cannot be learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from pizhu import Annotator
from pizhu.base.errors import ConfigError, DataError, ModelError
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.report import Report
from pizhu.training.loop import Progress, train
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pizhu.training.recipe import Recipe


def short(recipe: Recipe, **training: Any) -> Recipe:
    """A few steps only."""
    return replace(recipe, training=replace(recipe.training, **{"epochs": 6, "warmup": 0.0, **training}))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


MORE = """+++
level = "county"
body = "government"
kind = "work-points"
year = 2023
plan = "part"
style = []
+++
# | 澄岭县档案局2023年工作要点

P | 完成库房消防改造。
SM | 目前仍有3个乡镇没有档案室。
AM | 一季度接待查档群众980人次。
"""


def test_overfits_twenty_sentences_and_gives_the_same_answers_after_loading(
    tmp_path: Path, recipe: Recipe, labelled: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pizhu.data.corpus.load import parse_report
    from pizhu.models.folder import load_model, save_model
    from pizhu.models.runtime import TorchRuntime
    from pizhu.models.windows import Windower
    from pizhu.training.examples import Example
    from pizhu.training.validation import answers

    (tmp_path / "county-archive-2023-work-points.txt").write_text(MORE, encoding="utf-8")
    reports = [labelled, parse_report(tmp_path / "county-archive-2023-work-points.txt").report]
    assert sum(s.kind == "sentence" and s.labels is not None for r in reports for s in r.sentences) == 20

    def logits(model: Any, tokenizer: Any, about: Any) -> np.ndarray:
        windower = Windower(tokenizer, about.context)
        examples = [Example.of(report, about.labels.names, windower) for report in reports]
        return answers(TorchRuntime(model.eval(), windower.special.pad), examples)[0]

    trained: list[np.ndarray] = []

    def save(folder: Path, *model: Any) -> Path:
        trained.append(logits(*model))
        return save_model(folder, *model)

    monkeypatch.setattr("pizhu.training.loop.save_model", save)
    folder = train(recipe, reports, [], tmp_path / "m", device="cpu")
    np.testing.assert_array_equal(trained[0], logits(*load_model(folder)))
    annotator = Annotator.load(folder, device="cpu")
    for report in reports:
        given = annotator.annotate(report)
        assert [s.labels for s in given.sentences] == [s.labels for s in report.sentences]
        assert all((s.scores is not None) == (s.kind == "sentence") for s in given.sentences)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    one = train(short(recipe), [labelled], [labelled_as("b.txt", labelled)], tmp_path / "1", device="cpu")
    two = train(short(recipe), [labelled], [labelled_as("b.txt", labelled)], tmp_path / "2", device="cpu")
    other = train(short(recipe, seed=2), [labelled], [], tmp_path / "3", device="cpu")
    assert same(one, two)
    assert (one / "pizhu.json").read_bytes() == (two / "pizhu.json").read_bytes()
    assert not same(one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3"]  # nothing half made is left


def labelled_as(doc: str, report: Report) -> Report:
    """The report under another name."""
    return replace(report, doc=doc)


def test_unlabelled_sentences_carry_no_loss(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    """Labels of headings and furniture, and of sentences nobody labelled, change nothing."""
    half = [s.labels if i % 2 else None for i, s in enumerate(labelled.sentences)]
    one = labelled.with_labels(half)
    noisy = [
        labels if s.kind == "sentence" else ("metric",) for s, labels in zip(labelled.sentences, half, strict=True)
    ]
    other = labelled.with_labels(noisy)
    blank = labelled_as("blank.txt", labelled.with_labels([None for _ in half]))  # teaches nothing, costs no step
    steps: list[Progress] = []
    a = train(short(recipe), [one], [], tmp_path / "a", device="cpu")
    b = train(short(recipe), [other, blank], [blank], tmp_path / "b", device="cpu", watch=steps.append)
    assert same(a, b)
    assert steps[-1].steps == 6


def test_only_labelled_sentences_decide_the_loss(recipe: Recipe, labelled: Report) -> None:
    """Targets of the others change neither the loss nor a gradient; a labelled one's change both."""
    from pizhu.models.windows import Windower
    from pizhu.training.distributed import ProcessGroup
    from pizhu.training.examples import Example, Lower
    from pizhu.training.schedule import Schedule
    from pizhu.training.start import load_start
    from pizhu.training.step import Stepper, freeze, make_optimizer

    plain = short(recipe, crop=0.0, heading_dropout=0.0)
    names = DEFAULT_LABELS.names
    windower = Windower(load_start(plain, names).tokenizer, plain.context)
    one = labelled.with_labels([s.labels if s.text.startswith("力争") else None for s in labelled.sentences])
    example = Example.of(one, names, windower)
    assert example.targets[example.known].tolist() == [[0.0, 0.0, 1.0, 1.0]]

    def step(change: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
        """The loss and gradients where the targets of ``change`` are turned round."""
        given = replace(example, targets=torch.where(change.unsqueeze(1), 1 - example.targets, example.targets))
        model = load_start(plain, names).model
        freeze(model, 0)
        lower = Lower(model, 0, windower.special.pad, [given])
        schedule = Schedule(1, plain.training)
        ranks = ProcessGroup(torch.device("cpu"))
        loss = Stepper(model, make_optimizer(model, plain), lower, [given], schedule, ranks).step(0)
        return loss, [p.grad for p in model.parameters() if p.grad is not None]

    none = torch.zeros_like(example.known)
    (loss, gradients), (others, same_gradients), (own, _) = map(step, (none, ~example.known, example.known))
    assert gradients and loss == others != own
    assert all(torch.equal(a, b) for a, b in zip(gradients, same_gradients, strict=True))


def test_frozen_layers_and_embeddings_stay(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    frozen = replace(short(recipe), encoder=replace(recipe.encoder, frozen_layers=1))
    start = load_file(Path(recipe.encoder.name) / "model.safetensors")
    end = weights(train(frozen, [labelled], [], tmp_path / "m", device="cpu"))
    moved = {name for name in start if not torch.equal(start[name], end[f"encoder.{name}"])}
    assert moved
    assert all(name.startswith("encoder.layer.1.") for name in moved)
    with pytest.raises(ConfigError, match="frozen_layers is 3, expected at most the 2 layers of the encoder"):
        train(replace(frozen, encoder=replace(recipe.encoder, frozen_layers=3)), [labelled], [], tmp_path / "n")
    whole = replace(frozen, encoder=replace(recipe.encoder, frozen_layers=2))
    end = weights(train(whole, [labelled], [], tmp_path / "w", device="cpu"))
    assert all(torch.equal(start[name], end[f"encoder.{name}"]) for name in start)


def test_one_labelled_sentence_teaches_the_encoder(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    """Where most windows give context only, the others are learned through all the same."""
    labels = [("achievement", "shortcoming", "plan", "metric") if s.text.startswith("力争") else None
              for s in labelled.sentences]  # fmt: skip
    end = weights(train(short(recipe, crop=0.0), [labelled.with_labels(labels)], [], tmp_path / "m", device="cpu"))
    start = load_file(Path(recipe.encoder.name) / "model.safetensors")
    moved = {name for name in start if not torch.equal(start[name], end[f"encoder.{name}"])}
    assert {name for name in start if ".query.weight" in name or ".dense.weight" in name} <= moved


def test_without_the_recurrent_layer(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    plain = replace(short(recipe), head=replace(recipe.head, recurrent=0))
    annotator = Annotator.load(train(plain, [labelled], [], tmp_path / "m", device="cpu"), device="cpu")
    assert annotator.about.recurrent == 0
    assert len(annotator.annotate(labelled).sentences) == len(labelled.sentences)


def test_progress_tells_every_step_and_the_score(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    told: list[Progress] = []
    train(short(recipe), [labelled], [labelled_as("b.txt", labelled)], tmp_path / "m", device="cpu", watch=told.append)
    prepared = [("prepare", 1, 2), ("prepare", 2, 2)]
    assert [(p.stage, p.step, p.steps) for p in told] == [*prepared, *(("train", i, 6) for i in range(1, 7))]
    assert told[2].score is not None and 0 <= told[2].score <= 1


def test_the_model_says_how_it_was_made(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    folder = train(short(recipe), [labelled], [labelled_as("b.txt", labelled)], tmp_path / "m", device="cpu")
    about = Annotator.load(folder, device="cpu").about
    assert about.origin["data"]["training"] == [labelled.doc]
    assert about.origin["data"]["validation"] == ["b.txt"]
    assert about.origin["recipe"]["training"]["epochs"] == 6
    assert {"torch", "python"} <= set(about.origin["versions"])
    assert about.scores["validation"]["sentences"] == sum(s.kind == "sentence" for s in labelled.sentences)
    assert "shortcoming" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_label_set_of_ones_own(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    labels = LabelSet((Label("risk", "风险", "#112233", "r"), Label("other", "其他", "#445566", "o")))
    names: list[tuple[str, ...]] = [("risk",) if i % 2 else ("other",) for i in range(len(labelled.sentences))]
    mine = labelled.with_labels(names)
    folder = train(short(recipe), [mine], [], tmp_path / "m", labels=labels, device="cpu")
    given = Annotator.load(folder, device="cpu").annotate(mine)
    assert all(set(s.scores or ()) <= {"risk", "other"} for s in given.sentences)


def test_an_older_model_is_replaced_whole(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    folder = train(short(recipe), [labelled], [], tmp_path / "m", device="cpu")
    (folder / "stray.txt").write_text("old", encoding="utf-8")
    before = weights(folder)
    train(short(recipe, seed=3), [labelled], [], folder, device="cpu")
    assert not (folder / "stray.txt").exists()
    assert any(not torch.equal(before[name], tensor) for name, tensor in weights(folder).items())


def unlabelled(report: Report) -> Report:
    return report.with_labels([None for _ in report.sentences])


def without(name: str) -> Callable[[Report], Report]:
    def change(report: Report) -> Report:
        return report.with_labels([[n for n in s.labels or () if n != name] for s in report.sentences])

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unlabelled, "no labelled sentence to train on"),
        (without("plan"), "no training sentence has the label 'plan'"),
        (lambda r: r.with_labels([("risk",) for _ in r.sentences]), "the label 'risk'"),
    ],
)
def test_what_cannot_be_learned_from(
    tmp_path: Path, recipe: Recipe, labelled: Report, change: Callable[[Report], Report], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        train(recipe, [change(labelled)], [], tmp_path / "m", device="cpu")
    assert not list(tmp_path.iterdir())


def test_a_report_on_both_sides(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    with pytest.raises(DataError, match="both in training and in validation"):
        train(recipe, [labelled], [labelled], tmp_path / "m")


def test_windows_longer_than_the_encoder_reads(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    long = replace(recipe, context=replace(recipe.context, tokens=256))
    with pytest.raises(ModelError, match=r"tokens is 256, but encoder .* has 128 positions"):
        train(long, [labelled], [], tmp_path / "m")


def test_an_absent_device(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    with pytest.raises(ConfigError, match="device 'warp' cannot be used"):
        train(recipe, [labelled], [], tmp_path / "m", device="warp")


def test_nothing_but_a_model_is_overwritten(tmp_path: Path, recipe: Recipe, labelled: Report) -> None:
    (tmp_path / "论文.docx").write_text("years of work", encoding="utf-8")
    for out in (tmp_path, tmp_path / "论文.docx"):
        with pytest.raises(ModelError, match="is not a model folder"):
            train(recipe, [labelled], [], out)
    assert (tmp_path / "论文.docx").read_text(encoding="utf-8") == "years of work"
