"""Small models from large ones: a student that imitates its teachers, and 8 bits with the same labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pizhu import Annotator
from pizhu.base.errors import ConfigError, DataError, ModelError
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.data.report import Report
from pizhu.models.decision import Decision
from pizhu.models.folder import load_about, load_model, reserved, save_model
from pizhu.training.compact import compact
from pizhu.training.distil import distil
from pizhu.training.loop import Progress, train
from pizhu.training.recipe import Recipe
from pizhu.training.teacher import Lesson, lessons


@pytest.fixture
def student(recipe: Recipe, model_folder: Path) -> Recipe:
    return replace(
        recipe,
        encoder=replace(recipe.encoder, name=str(model_folder), layers=1),
        training=replace(recipe.training, epochs=60, hard_label_weight=0.3, crop=0.0),
    )


def named(report: Report, doc: str) -> Report:
    return replace(report, doc=doc)


def unlabelled(report: Report, doc: str) -> Report:
    return named(report, doc).with_labels([None for _ in report.sentences])


def make(recipe: Recipe, teacher: Path, labelled: Report, out: Path, **more: Any) -> Path:
    other = unlabelled(labelled, "other.txt")
    return distil(recipe, [teacher], [labelled], [], [other], out, DEFAULT_LABELS, device="cpu", **more)


def test_a_student_says_what_its_teacher_says(
    student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    folder = make(student, model_folder, labelled, tmp_path / "学生")
    one, other = (Annotator.load(path, device="cpu") for path in (folder, model_folder))
    ours, theirs = (annotator.annotate(labelled).sentences for annotator in (one, other))
    assert [s.labels for s in ours] == [s.labels for s in theirs]
    about = load_about(folder)
    assert about.origin["unlabelled"]["reports"] == ["other.txt"]
    assert about.origin["recipe"]["encoder"]["layers"] == 1
    assert not list(tmp_path.glob(".*"))


def test_it_learns_from_unlabelled_reports_alone(
    student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    """The labelled report has one labelled sentence; what it knows of the rest its teacher told it."""
    one = labelled.with_labels([s.labels if s.text.startswith("力争") else None for s in labelled.sentences])
    folder = make(student, model_folder, one, tmp_path / "m")
    found = Annotator.load(folder, device="cpu").annotate(labelled)
    taught = Annotator.load(model_folder, device="cpu").annotate(labelled)
    assert np.mean([a.labels == b.labels for a, b in zip(found.sentences, taught.sentences, strict=True)]) > 0.9


def test_stopped_and_started_again_it_is_the_same(
    student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    short = replace(student, training=replace(student.training, epochs=10, checkpoint_steps=5))
    whole = make(short, model_folder, labelled, tmp_path / "a")

    def stop(at: Progress) -> None:
        if (at.stage, at.step) == ("train", 13):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(short, model_folder, labelled, tmp_path / "b", watch=stop)
    told: list[Progress] = []
    again = make(short, model_folder, labelled, tmp_path / "b", watch=told.append)
    assert min(at.step for at in told if at.stage == "train") == 11
    assert (again / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_answers_of_other_teachers_are_not_taken_for_ones_own(
    recipe: Recipe, student: Recipe, labelled: Report, tmp_path: Path
) -> None:
    """Teachers that differ by their seed alone, and a killed distillation that goes on with another second teacher."""
    short = replace(student, training=replace(student.training, epochs=8, checkpoint_steps=5))

    def teacher(seed: int) -> Path:
        chosen = replace(recipe, training=replace(recipe.training, epochs=3, seed=seed))
        return train(chosen, [labelled], [], tmp_path / f"教师{seed}", device="cpu")

    one, two, three = map(teacher, (1, 2, 3))
    short = replace(short, encoder=replace(short.encoder, name=str(one)))

    def told(path: Path) -> Lesson:
        names = DEFAULT_LABELS.names
        (lesson,) = lessons([path], [labelled], names, tmp_path / "lessons", torch.device("cpu"), lambda: None)
        return lesson

    first = told(one)
    assert not np.array_equal(told(two).probabilities, first.probabilities)
    assert np.array_equal(told(one).probabilities, first.probabilities)
    assert len(list((tmp_path / "lessons").iterdir())) == 2

    def made(second: Path, out: str, watch: Callable[[Progress], None] = lambda _: None) -> Path:
        return distil(
            short, [one, second], [labelled], [], [], tmp_path / out, DEFAULT_LABELS, device="cpu", watch=watch
        )

    def stop(at: Progress) -> None:
        if (at.stage, at.step) == ("train", 6):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(two, "a", stop)
    assert (tmp_path / ".a.training" / "checkpoint.safetensors").is_file()
    again, undisturbed = made(three, "a"), made(three, "b")
    assert (again / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()


def test_it_records_its_teachers_and_what_they_learned_from(
    recipe: Recipe, student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    assert load_about(model_folder).origin["data"]["earlier"] == []
    short = replace(student, training=replace(student.training, epochs=1))
    new = [named(labelled, f"{i}.txt") for i in range(3)]
    folder = distil(short, [model_folder], new[:1], [], new[1:2], tmp_path / "学生", DEFAULT_LABELS, device="cpu")
    origin = load_about(folder).origin
    assert origin["teachers"] == [load_about(model_folder).fingerprint]
    assert origin["data"]["earlier"] == [labelled.doc]
    onward = replace(recipe, encoder=replace(recipe.encoder, name=str(folder)), training=short.training)
    data = load_about(train(onward, new[2:], new[:1], tmp_path / "m", device="cpu")).origin["data"]
    assert (data["training"], data["validation"]) == (["2.txt"], ["0.txt"])
    assert data["earlier"] == ["0.txt", "1.txt", labelled.doc]  # what judges now was learned from before


def test_layers_that_stay(model_folder: Path, student: Recipe) -> None:
    from pizhu.training.start import _shorten

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder: Any = torch.nn.Module()
            self.encoder.layer = torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(12)])
            self.config = type("Config", (), {})()

    for count, frozen, kept in ((6, 3, [0, 1, 2, 5, 8, 11]), (6, 0, [1, 3, 5, 7, 9, 11]), (3, 3, [0, 1, 2])):
        network = Network()
        layers = list(network.encoder.layer)
        _shorten(network, count, frozen)
        assert [layers.index(layer) for layer in network.encoder.layer] == kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: replace(r, encoder=replace(r.encoder, name="bundled")), "expected the folder of the first teacher"),
        (lambda r: replace(r, encoder=replace(r.encoder, layers=3)), "expected at most the encoder's own 2"),
        (
            lambda r: replace(r, encoder=replace(r.encoder, layers=2)),
            "set fewer: --set encoder.layers=1 --set",
        ),
    ],
)
def test_recipes_that_cannot_be(
    student: Recipe,
    model_folder: Path,
    labelled: Report,
    tmp_path: Path,
    change: Callable[[Recipe], Recipe],
    said: str,
) -> None:
    with pytest.raises(ConfigError, match=said):
        make(change(student), model_folder, labelled, tmp_path / "m")


def test_teachers_of_other_labels(student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path) -> None:
    other = LabelSet(tuple(replace(label, name=label.name + "2") for label in DEFAULT_LABELS))
    renamed = labelled.with_labels([[n + "2" for n in s.labels or ()] for s in labelled.sentences])
    with pytest.raises(ModelError, match="knows the labels achievement"):
        distil(student, [model_folder], [renamed], [], [], tmp_path / "m", other, device="cpu")


def test_eight_bits_are_written_where_they_say_the_same(model_folder: Path, labelled: Report, tmp_path: Path) -> None:
    found = compact(model_folder, [labelled, named(labelled, "new.txt")], tmp_path / "小")
    assert found.left_out == 1  # the one that it learned by heart
    assert (found.sentences, found.before, found.after) == (17, 1.0, 1.0)
    about = load_about(tmp_path / "小")
    assert about.scores["int8"]["sentences"] == 17
    small, large = ((path / "model.safetensors").stat().st_size for path in (tmp_path / "小", model_folder))
    assert small < 0.45 * large
    assert Annotator.load(tmp_path / "小", device="cpu").annotate(labelled).sentences


def test_eight_bits_that_lose_are_not_written(
    model_folder: Path, labelled: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pizhu.training.compact as module

    monkeypatch.setattr(module, "MOST_LOST", -1.0)
    with pytest.raises(ModelError, match=r"eight bits cost .* 0\.0 points of macro-F1, more than -100\.0"):
        compact(model_folder, [named(labelled, "new.txt")], tmp_path / "小")
    assert not (tmp_path / "小").exists()
    with pytest.raises(DataError, match="no labelled sentence to measure on"):
        compact(model_folder, [unlabelled(labelled, "a")], tmp_path / "小")
    with pytest.raises(DataError, match=r"to measure on that .* was not trained on; name labelled records"):
        compact(model_folder, [labelled], tmp_path / "小")
    with pytest.raises(DataError, match="the label 'risk', which is not in the label set achievement"):
        compact(model_folder, [labelled.with_labels([("risk",) for _ in labelled.sentences])], tmp_path / "小")


def test_what_a_model_is_made_from_stays(
    student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "集" / "m")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.chdir(tmp_path)
    lost = "which the new model is made from, would be lost"
    with pytest.raises(ModelError, match=lost):
        compact(folder, [named(labelled, "new.txt")], "集/m")
    with pytest.raises(ModelError, match=lost):  # the second teacher
        distil(student, [model_folder, Path("集/m")], [labelled], [], [], folder, DEFAULT_LABELS, device="cpu")
    shutil.copytree(model_folder, tmp_path / "集", dirs_exist_ok=True)
    with pytest.raises(ModelError, match=lost):  # it lies inside the folder that would be replaced
        compact(folder, [named(labelled, "new.txt")], tmp_path / "集")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_both_forms_are_judged_by_rules_chosen_alike(model_folder: Path, labelled: Report, tmp_path: Path) -> None:
    """Whatever rule the model came with; and one that cannot be chosen anew stays."""
    network, tokenizer, about = load_model(model_folder)
    never = replace(about, decision=Decision((1.0,) * 4, (0.999,) * 4, 0.3))
    save_model(tmp_path / "m", network, tokenizer, never)
    many = [named(labelled, f"{i}.txt") for i in range(20)]
    found = compact(tmp_path / "m", many, tmp_path / "小")
    assert found.before == found.after == 1.0
    assert all(threshold < 0.999 for threshold in load_about(tmp_path / "小").decision.thresholds)
    few = labelled.with_labels([s.labels if s.labels == ("plan",) else None for s in labelled.sentences])
    compact(tmp_path / "m", [named(few, "new.txt")], tmp_path / "小")
    assert load_about(tmp_path / "小").decision == never.decision


def test_an_encoder_that_has_no_graph(model_folder: Path, labelled: Report, tmp_path: Path) -> None:
    network, tokenizer, about = load_model(model_folder)
    network.encoder.config.hidden_act = "relu"
    save_model(tmp_path / "m", network, tokenizer, about)
    with pytest.raises(ModelError, match=r"the encoder of .* is not BERT's"):
        compact(tmp_path / "m", [named(labelled, "new.txt")], tmp_path / "小")


def test_the_command_compact(pizhu: Callable[..., Any], model_folder: Path, labelled: Report, tmp_path: Path) -> None:
    from pizhu.base.files import write_records

    reports = [labelled, named(labelled, "new.txt")]
    write_records(tmp_path / "标注.jsonl", (record for report in reports for record in report.records()))
    answer = pizhu("compact", model_folder, "--out", tmp_path / "小", "--data", tmp_path / "标注.jsonl", "--json")
    assert answer.status == 0, answer.err
    assert json.loads(answer.out)["sentences"] == 17 and json.loads(answer.out)["macro_f1"]["int8"] == 1.0
    assert "1 reports are left out: the model learned from them" in answer.err
    network, tokenizer, about = load_model(model_folder)
    own = LabelSet(tuple(replace(label, name=label.name + "2") for label in DEFAULT_LABELS))
    save_model(tmp_path / "m", network, tokenizer, replace(about, labels=own))
    answer = pizhu("compact", tmp_path / "m", "--out", tmp_path / "小2")
    assert answer.status == 2 and "has its own labels, which the shipped corpus does not have" in answer.err
    assert not (tmp_path / "小2").exists()


def test_the_command(
    pizhu: Callable[..., Any],
    model_folder: Path,
    labelled: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A report that cannot be read is left out with its reason, and the status says so; the others teach."""
    from pizhu.base.files import write_records

    write_records(tmp_path / "标注.jsonl", labelled.records())
    (tmp_path / "历年").mkdir()
    (tmp_path / "历年" / "好.txt").write_text(labelled.text, encoding="utf-8")
    (tmp_path / "历年" / "坏.docx").write_bytes(b"PK\x03\x04 damaged")
    teacher = shutil.copytree(model_folder, tmp_path / "2024")  # a name that is a number to TOML
    monkeypatch.chdir(tmp_path)
    answer = pizhu(
        *("distil", teacher.name, "--out", tmp_path / "小", "--unlabelled", tmp_path / "历年", "--no-corpus"),
        *("--data", tmp_path / "标注.jsonl", "--set", "training.epochs=1", "--set", "encoder.layers=1", "--json"),
        *("--set", "encoder.frozen_layers=0", "--set", "context.tokens=96", "--set", "context.unit=48"),
        *("--set", "context.prefix=16", "--device", "cpu"),
    )
    assert answer.status == 1, answer.err
    assert "left out: " in answer.err and "坏.docx" in answer.err
    assert load_about(tmp_path / "小").origin["unlabelled"]["reports"] == ["好.txt"]
    answer = pizhu("train", "--again", tmp_path / "小")
    assert answer.status == 2 and "was made by `pizhu distil`; run that again" in answer.err


def test_teachers_with_labels_of_their_own(
    pizhu: Callable[..., Any], model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    """The shipped corpus, which has others, is then left out unasked."""
    from pizhu.base.files import write_records

    network, tokenizer, about = load_model(model_folder)
    own = LabelSet(tuple(replace(label, name=label.name + "2") for label in DEFAULT_LABELS))
    save_model(tmp_path / "m", network, tokenizer, replace(about, labels=own))
    renamed = labelled.with_labels([[n + "2" for n in s.labels or ()] for s in labelled.sentences])
    write_records(tmp_path / "标注.jsonl", renamed.records())
    answer = pizhu(
        *("distil", tmp_path / "m", "--out", tmp_path / "小", "--data", tmp_path / "标注.jsonl", "--device", "cpu"),
        *("--set", "training.epochs=1", "--set", "encoder.layers=1", "--set", "encoder.frozen_layers=0"),
        *("--set", "context.tokens=96", "--set", "context.unit=48", "--set", "context.prefix=16"),
    )
    assert answer.status == 0, answer.err
    assert load_about(tmp_path / "小").origin["data"]["sources"]["corpus"] is False


def test_a_folder_that_another_process_makes_a_model_in(
    student: Recipe, model_folder: Path, labelled: Report, tmp_path: Path
) -> None:
    out = tmp_path / "小"
    with reserved(out):
        with pytest.raises(ModelError, match=r"another train, distil or compact is making the model .*小 now; wait"):
            compact(model_folder, [named(labelled, "new.txt")], out)
        with pytest.raises(ModelError, match=r"another train, distil or compact is making the model .*小 now; wait"):
            make(student, model_folder, labelled, out)
    assert not list(tmp_path.iterdir())
