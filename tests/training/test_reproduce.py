"""``pizhu train --again``: the same weights from the folder's records, or one sentence that says why not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pizhu.base.files import write_records

if TYPE_CHECKING:
    from pizhu.data.report import Report
    from pizhu.training.recipe import Recipe


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("again")


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


@pytest.fixture(scope="module")
def data(place: Path, labelled: Report) -> Path:
    reports = [replace(labelled, doc=f"报告{i}.txt") for i in range(9)]
    write_records(place / "标注.jsonl", (record for report in reports for record in report.records()))
    return place / "标注.jsonl"


@pytest.fixture(scope="module")
def made(place: Path, data: Path, recipe: Recipe) -> Path:
    from pizhu.training.loop import train
    from pizhu.training.sources import gather

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        sources = gather([Path("标注.jsonl")], corpus=False)
    assert sources.validation
    shutil.copytree(recipe.encoder.name, place / Path(recipe.encoder.name).name)  # where --again looks for it
    short = replace(recipe, training=replace(recipe.training, epochs=2, heading_dropout=0.5, patience=1))
    return train(short, sources.training, sources.validation, place / "m", sources=sources.origin, device="cpu")


def test_the_same_weights(made: Path, pizhu: Callable[..., Any]) -> None:
    answer = pizhu("train", "--again", "m")
    assert answer.status == 0, answer.err
    assert "the same, byte for byte" in answer.err
    again = made.with_name("m-again")
    for name in ("model.safetensors", "pizhu.json", "config.json", "tokenizer.json"):
        assert (again / name).read_bytes() == (made / name).read_bytes()


def test_the_model_itself_stays(made: Path, pizhu: Callable[..., Any]) -> None:
    before = (made / "model.safetensors").stat().st_mtime_ns
    answer = pizhu("train", "--again", "m", "--out", made)
    assert answer.status == 2 and "m, which the new model is made from, would be lost" in answer.err
    assert (made / "model.safetensors").stat().st_mtime_ns == before


def test_it_names_no_folder_of_this_machine(made: Path, recipe: Recipe) -> None:
    """The tests' encoder was given by its absolute path."""
    encoder = Path(recipe.encoder.name)
    assert encoder.is_absolute()
    for name in ("pizhu.json", "README.md"):
        text = (made / name).read_text(encoding="utf-8")
        assert encoder.name in text and encoder.parent.name not in text


def test_a_start_that_is_elsewhere(
    made: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pizhu: Callable[..., Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = pizhu("train", "--again", made, "--data", data, "--out", "again")
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert "is not available: encoder folder ./" in answer.err


def test_another_number_of_processes(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pizhu: Callable[..., Any]
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("WORLD_SIZE", "2")
        answer = pizhu("train", "--again", "m")
    assert answer.status == 2 and "by another number of processes (1); run: pizhu train --again m" in answer.err
    other = shutil.copytree(made, tmp_path / "m2")
    text = (other / "pizhu.json").read_text(encoding="utf-8")
    (other / "pizhu.json").write_text(text.replace('"processes": 1', '"processes": 2'), encoding="utf-8")
    answer = pizhu("train", "--again", other)
    assert answer.status == 2 and f"run: torchrun --nproc-per-node 2 -m pizhu train --again {other}" in answer.err


def test_data_that_moved(made: Path, data: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    moved = shutil.copy(data, tmp_path / "别处.jsonl")
    assert pizhu("train", "--again", made, "--data", moved, "--out", tmp_path / "again").status == 0


def test_other_data(made: Path, data: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    lines = data.read_text(encoding="utf-8").splitlines()
    changed = json.loads(lines[5]) | {"labels": ["metric"]}
    (tmp_path / "标注.jsonl").write_text("\n".join([*lines[:5], json.dumps(changed), *lines[6:]]), encoding="utf-8")
    answer = pizhu("train", "--again", made, "--data", tmp_path / "标注.jsonl")
    assert answer.status == 2
    assert answer.err.count("\n") == 1 and "标注.jsonl has the fingerprint" in answer.err
    answer = pizhu("train", "--again", made, "--data", data, "--data", data)
    assert answer.status == 2 and "was made from 标注.jsonl; give the present path of each" in answer.err


def test_absent_data(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pizhu: Callable[..., Any]) -> None:
    monkeypatch.chdir(tmp_path)
    answer = pizhu("train", "--again", made)
    assert answer.status == 2 and "标注.jsonl, from which model" in answer.err


def test_other_versions(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pizhu: Callable[..., Any]) -> None:
    import pizhu.training.reproduce as module
    from pizhu.training.provenance import versions

    here = versions()
    monkeypatch.setattr(module, "versions", lambda: here | {"torch": "9.9"})
    answer = pizhu("train", "--again", made)
    assert answer.status == 2
    assert f"was made with torch {here['torch']}, but 9.9 is installed; install that version" in answer.err
    assert pizhu("train", "--again", made, "--any-versions", "--out", tmp_path / "again").status == 0


def test_another_start(made: Path, tmp_path: Path, recipe: Recipe) -> None:
    from pizhu.base.errors import ModelError
    from pizhu.training.reproduce import check_start, reproduce
    from safetensors.torch import load_file, save_file

    found = reproduce(made)
    check_start(made, found.recipe)
    other = shutil.copytree(recipe.encoder.name, tmp_path / "encoder")
    weights = load_file(other / "model.safetensors")
    weights["encoder.layer.0.output.dense.bias"] += 1
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="started from another"):
        check_start(made, replace(found.recipe, encoder=replace(found.recipe.encoder, name=str(other))))


def test_a_model_that_does_not_say(model_folder: Path, pizhu: Callable[..., Any]) -> None:
    answer = pizhu("train", "--again", model_folder)
    assert answer.status == 2 and "does not record where its data come from" in answer.err


def test_what_another_command_made(pizhu: Callable[..., Any]) -> None:
    from pizhu.models.paths import SHIPPED

    answer = pizhu("train", "--again", SHIPPED, "--out", "shipped-again")
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert "was made by `pizhu compact`; run that again" in answer.err


@pytest.mark.parametrize(
    "words", [["--recipe", "demo"], ["--recipe", "default"], ["--set", "training.epochs=2"], ["--no-corpus"]]
)
def test_what_the_model_says_is_not_said_again(made: Path, words: list[str], pizhu: Callable[..., Any]) -> None:
    answer = pizhu("train", "--again", made, *words)
    assert (
        answer.status == 2 and "--again cannot be combined with --recipe, --set, --labels or --no-corpus" in answer.err
    )
