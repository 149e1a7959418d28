"""Damaged model folders: one sentence, never a wrong answer or a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu import Annotator
from pizhu.base.errors import ModelError
from pizhu.models import paths
from pizhu.models.folder import load_about, load_model, save_model
from pizhu.models.paths import default_model

LABELS = ("achievement", "shortcoming", "plan", "metric")


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Change pizhu.json."""

    def attack(folder: Path) -> None:
        path = folder / "pizhu.json"
        body = json.loads(path.read_text(encoding="utf-8"))
        change(body)
        path.write_text(json.dumps(body), encoding="utf-8")

    return attack


def flip(name: str) -> Callable[[Path], object]:
    """Change one byte in the middle of a file."""

    def attack(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return attack


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "the folder is missing": (shutil.rmtree, "does not exist"),
    "it is empty": (lambda f: [p.unlink() for p in f.iterdir()], "is not a model folder: it lacks pizhu.json"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "lacks model.safetensors"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "lacks tokenizer.json"),
    "no configuration": (lambda f: (f / "config.json").unlink(), "lacks config.json"),
    "a byte of the weights": (flip("model.safetensors"), "model.safetensors in model folder .* was changed"),
    "a byte of the tokenizer": (flip("tokenizer.json"), "tokenizer.json in model folder .* was changed"),
    "a byte of the configuration": (flip("config.json"), "config.json in model folder .* was changed"),
    "truncated weights": (lambda f: (f / "model.safetensors").write_bytes(b"\0"), "was changed"),
    "a folder for a file": (
        lambda f: [(f / "pizhu.json").unlink(), (f / "pizhu.json").mkdir()],
        "cannot be read: Is a directory",
    ),
    "format 99": (edit(lambda b: b.update(format=99)), "has format 99, expected 2"),
    "not JSON": (lambda f: (f / "pizhu.json").write_text("{garbage", encoding="utf-8"), "cannot be understood"),
    "not UTF-8": (lambda f: (f / "pizhu.json").write_bytes(b"\xff\xfe\x00"), "cannot be understood"),
    "a list": (lambda f: (f / "pizhu.json").write_text("[1]", encoding="utf-8"), "cannot be understood"),
    "too deep": (lambda f: (f / "pizhu.json").write_text("[" * 100_000, encoding="utf-8"), "cannot be understood"),
    "no labels": (edit(lambda b: b.pop("labels")), "cannot be understood"),
    "no label": (edit(lambda b: b.update(labels=[])), "cannot be understood"),
    "no checksums": (edit(lambda b: b.update(files={})), "cannot be understood"),
    "another number of thresholds": (
        edit(lambda b: b["decision"].update(thresholds=[0.5])),
        "it has 1 thresholds and 4 temperatures for 4 labels",
    ),
    "another number of temperatures": (
        edit(lambda b: b["decision"]["temperatures"].append(1)),
        "4 thresholds and 5 temperatures",
    ),
    "thresholds that are no numbers": (edit(lambda b: b["decision"].update(thresholds="high")), "be understood"),
    "an unknown context field": (edit(lambda b: b["context"].update(after_all=1)), "cannot be understood"),
    "a context that is no count": (edit(lambda b: b["context"].update(before="2")), "cannot be understood"),
    "a regression that is no flag": (edit(lambda b: b.update(regression=1)), "cannot be understood"),
    "a width that is no count": (edit(lambda b: b.update(recurrent="16")), "cannot be understood"),
}


@pytest.fixture
def copy(tmp_path: Path, model_folder: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "模 型"))


def test_it_holds_what_it_should(model_folder: Path) -> None:
    names = {"README.md", "config.json", "model.safetensors", "pizhu.json", "tokenizer.json"}
    names |= {"encoder.onnx", "head.onnx"}
    assert {path.name for path in model_folder.iterdir()} == names
    assert len({path.stat().st_mode for path in model_folder.iterdir()}) == 1
    about = load_about(model_folder)
    assert about.labels.names == LABELS
    assert about.recurrent == 16


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks(copy: Path, pizhu: Callable[..., Any], tmp_path: Path, name: str) -> None:
    attack, said = ATTACKS[name]
    attack(copy)
    with pytest.raises(ModelError, match=said) as error:
        load_about(copy)
    assert "\n" not in str(error.value)
    (tmp_path / "报告.txt").write_text("我们完成了任务。", encoding="utf-8")
    answer = pizhu("annotate", tmp_path / "报告.txt", "--model", copy, "--out", tmp_path / "out")
    assert (answer.status, answer.out, answer.err) == (2, "", f"pizhu: {error.value}\n")
    assert not (tmp_path / "out").exists()


def seal(folder: Path, *names: str) -> None:
    """Write the checksums of changed files, as someone would who knows the format."""
    import hashlib

    def change(body: dict[str, Any]) -> None:
        for name in names:
            body["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    edit(change)(folder)


def metadata(**values: str) -> Callable[[Path], None]:
    def attack(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = folder / "model.safetensors"
        save_file(load_file(path), path, metadata=values or None)
        seal(folder, path.name)

    return attack


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    seal(folder, "tokenizer.json")


def other_shape(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}), encoding="utf-8")
    seal(folder, "config.json")


def not_bert(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "gpt2", "n_layer": 1, "n_embd": 32}', encoding="utf-8")
    seal(folder, "config.json")


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (metadata(labels="plan,metric,achievement,shortcoming"), "its weights plan,metric,achievement,shortcoming"),
        (metadata(), "its weights None"),
        (edit(lambda b: b["labels"].reverse()), "has the labels metric,plan,shortcoming,achievement, its weights ach"),
        (edit(lambda b: b.update(recurrent=0)), "cannot be loaded"),
        (other_shape, "cannot be loaded"),
        (not_bert, "cannot be loaded"),
        (no_tokenizer, "cannot be loaded"),
    ],
)
def test_parts_that_do_not_belong_together(copy: Path, attack: Callable[[Path], object], said: str) -> None:
    """Checksums hold, and still the parts are checked against each other."""
    attack(copy)
    with pytest.raises(ModelError, match=said) as error:
        load_model(copy)
    assert "\n" not in str(error.value)


def test_it_moves_and_loads_elsewhere(copy: Path) -> None:
    moved = copy.rename(copy.with_name("moved"))
    assert Annotator.load(moved, device="cpu").about.labels.names == LABELS


def test_a_named_model_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIZHU_MODEL", str(tmp_path / "none"))
    with pytest.raises(ModelError, match=r"model folder .*none does not exist"):
        Annotator.load()


def test_the_default_model(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named goes before the user's own, and that before the shipped one."""
    monkeypatch.setenv("PIZHU_MODEL", str(model_folder))
    assert default_model() == model_folder
    monkeypatch.delenv("PIZHU_MODEL")
    monkeypatch.setattr(paths, "own_model", lambda: model_folder)
    assert default_model() == model_folder
    monkeypatch.setattr(paths, "own_model", lambda: model_folder / "none")
    assert default_model() == paths.SHIPPED


@pytest.mark.parametrize("where", ["pizhu.models.folder._card", "pizhu.base.folders._swap"])
def test_saving_that_breaks_off_leaves_the_older_model(copy: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    model, tokenizer, about = load_model(copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, stop)
        save_model(copy, model, tokenizer, about)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_a_rename_that_fails_puts_the_older_model_back(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer, about = load_model(copy)
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise PermissionError(13, "in use")  # as Windows does while another program reads a file
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr("pizhu.base.folders._exchanged", lambda *_: False)  # there a system knows renames only
    with pytest.raises(PermissionError):
        save_model(copy, model, tokenizer, about)
    assert load_about(copy).recurrent == 16
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_what_was_saved_again_is_the_same(copy: Path, tmp_path: Path) -> None:
    model, tokenizer, about = load_model(copy)
    again = save_model(tmp_path / "again", model, tokenizer, about)
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in copy.iterdir()}
