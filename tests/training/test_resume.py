"""A training that is interrupted and resumed gives the same model as an uninterrupted one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from pizhu.base.errors import ModelError
from pizhu.base.files import write_records
from pizhu.models.folder import reserved
from pizhu.training.checkpoint import State, load_checkpoint, save_checkpoint
from pizhu.training.loop import Progress, train
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

if TYPE_CHECKING:
    from pizhu.data.report import Report
    from pizhu.training.recipe import Recipe


class Stopped(Exception):
    """What a user's watch may raise."""


@pytest.fixture(scope="module")
def reports(labelled: Report) -> list[Report]:
    """Three reports, so that the order within a pass counts."""
    return [replace(labelled, doc=f"{i}.txt") for i in range(3)]


@pytest.fixture(scope="module")
def few(recipe: Recipe) -> Recipe:
    return replace(
        recipe, training=replace(recipe.training, epochs=7, crop=0.5, heading_dropout=0.3, checkpoint_steps=4)
    )


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, few: Recipe, reports: list[Report]
) -> dict[str, torch.Tensor]:
    out = tmp_path_factory.mktemp("undisturbed") / "model"
    return load_file(train(few, reports, [], out, device="cpu") / "model.safetensors")


def stop_at(step: int) -> object:
    def watch(at: Progress) -> None:
        if at.stage == "train" and at.step == step:
            raise Stopped

    return watch


@pytest.mark.parametrize("stops", [[2], [9], [5, 9, 20], [4, 8]])
def test_stopped_and_started_again(
    tmp_path: Path, few: Recipe, reports: list[Report], undisturbed: dict[str, torch.Tensor], stops: list[int]
) -> None:
    out = tmp_path / "模 型"
    for step in stops:
        with pytest.raises(Stopped):
            train(few, reports, [], out, device="cpu", watch=stop_at(step))  # type: ignore[arg-type]
        assert not out.exists()
    told: list[Progress] = []
    train(few, reports, [], out, device="cpu", watch=told.append)
    kept = stops[-1] // 4 * 4
    assert next(at.step for at in told if at.stage == "train") == kept + 1  # it went on from the last checkpoint
    assert [(at.step, at.steps) for at in told if at.stage == "resume"] == ([(kept, 21)] if kept else [])
    found = load_file(out / "model.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in undisturbed.items())
    assert [path.name for path in tmp_path.iterdir()] == ["模 型"]


@pytest.mark.parametrize("stop", [8, 10, 13])
def test_early_stopping_survives_a_stop(tmp_path: Path, few: Recipe, reports: list[Report], stop: int) -> None:
    """Stopped before, at and after its best validation, it still ends with the best weights."""
    patient = replace(few, training=replace(few.training, epochs=30, patience=3, encoder_lr=1e-3, checkpoint_steps=4))
    told: list[Progress] = []
    validation = [replace(reports[0], doc="v.txt")]
    whole = train(patient, reports, validation, tmp_path / "whole", device="cpu", watch=told.append)
    last = told[-1]
    assert last.step < last.steps, "it was to stop early"
    scores = [p.score for p in told if p.stage == "train" and p.step % 5 == 0]  # ninety steps, twenty validations
    assert scores.index(max(scores, key=lambda s: s or 0)) == len(scores) - 4
    with pytest.raises(Stopped):
        train(patient, reports, validation, tmp_path / "stopped", device="cpu", watch=stop_at(stop))  # type: ignore[arg-type]
    again = train(patient, reports, validation, tmp_path / "stopped", device="cpu")
    for name in ("model.safetensors", "pizhu.json"):
        assert (again / name).read_bytes() == (whole / name).read_bytes()


def test_other_settings_or_data_start_from_the_beginning(tmp_path: Path, few: Recipe, reports: list[Report]) -> None:
    def started(recipe: Recipe, data: list[Report]) -> int:
        steps: list[int] = []

        def watch(at: Progress) -> None:
            if at.stage == "train":
                steps.append(at.step)
                if len(steps) == 6:
                    raise Stopped

        with pytest.raises(Stopped):
            train(recipe, data, [], tmp_path / "m", device="cpu", watch=watch)
        return steps[0]

    assert started(few, reports) == 1
    assert started(few, reports) == 5
    assert started(replace(few, training=replace(few.training, seed=9)), reports) == 1
    assert started(few, reports[:2]) == 1
    other = [("plan", "metric", "achievement", "shortcoming") for _ in reports[0].sentences]
    assert started(few, [report.with_labels(other) for report in reports]) == 1


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_checkpoint_costs_time_only(tmp_path: Path, damage: bytes | None) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = tmp_path / "c.safetensors"
    state = State(5)
    state.note(0.5, model)
    state.note(0.1 + 0.2, model)
    save_checkpoint(path, model, optimizer, state, "run")
    found = load_checkpoint(path, model, optimizer, "run")
    assert (found.step, found.scores, found.stale) == (5, [0.5, 0.1 + 0.2], 1)
    assert all(torch.equal(found.best[name], tensor) for name, tensor in state.best.items())
    assert load_checkpoint(path, model, optimizer, "another run") == State()
    path.write_bytes(path.read_bytes()[:-7] if damage is None else damage)
    assert load_checkpoint(path, model, optimizer, "run") == State()
    assert load_checkpoint(tmp_path / "none", model, optimizer, "run") == State()


def remade(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Write the checkpoint anew with other tensors, as a bad disk or a careless hand may leave it."""
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    change(tensors)
    save_file(tensors, path, about)


@pytest.mark.parametrize("kept", [1, 0])
def test_a_checkpoint_without_one_of_its_tensors_costs_time_only(tmp_path: Path, kept: int) -> None:
    """Nothing of it is taken, or what goes on would be neither the old training nor a new one."""
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = State(5)
    state.note(0.5, model if kept else None)
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, model, optimizer, state, "run")
    names = load_file(path).keys()
    assert {name.partition("/")[0] for name in names} == {"parameter", "step", "exp_avg", "exp_avg_sq", "best"} - (
        set() if kept else {"best"}
    )
    other = nn.Linear(3, 2)
    untouched = {name: value.clone() for name, value in other.state_dict().items()}
    moved = torch.optim.AdamW(other.parameters())
    changes: list[Callable[[dict[str, torch.Tensor]], object]] = [
        *(lambda t, n=name: t.pop(n) for name in names),
        *(lambda t, n=name: t.update({n: torch.zeros(7)}) for name in names),
        *(lambda t, n=name: t.update({n: t[n].to(torch.float64)}) for name in names),
        *(lambda t, n=name: t.update({f"x{n}": t.pop(n)}) for name in names),
        *(lambda t, n=name: t.update({f"{n}x": t.pop(n)}) for name in names),
        lambda t: t.clear(),
        lambda t: t.update({"parameter/none": torch.zeros(1)}),
        lambda t: t.update({"none": torch.zeros(1)}),
    ]
    for change in changes:
        save_checkpoint(path, model, optimizer, state, "run")
        remade(path, change)
        assert load_checkpoint(path, other, moved, "run") == State()
        assert not moved.state
        assert all(torch.equal(untouched[name], value) for name, value in other.state_dict().items())
    save_checkpoint(path, model, optimizer, state, "run")
    assert load_checkpoint(path, other, moved, "run").step == 5


def test_a_checkpoint_is_forced_to_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Linear(3, 2)
    path = tmp_path / "c.safetensors"
    forced: list[Path] = []
    monkeypatch.setattr("pizhu.base.files.to_disk", lambda part: forced.append(part) or path.exists())
    save_checkpoint(path, model, torch.optim.AdamW(model.parameters()), State(1), "run")
    assert [part.parent for part in forced] == [tmp_path] and forced != [path]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_another_process_makes_a_model_in(tmp_path: Path, few: Recipe, reports: list[Report]) -> None:
    out = tmp_path / "m"
    with (
        reserved(out),
        pytest.raises(ModelError, match=r"another train, .* is making the model .*m now; wait") as error,
    ):
        train(few, reports, [], out, device="cpu")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_what_killed_trainings_left_goes_with_the_next(tmp_path: Path, few: Recipe, reports: list[Report]) -> None:
    out = tmp_path / "m"
    with pytest.raises(Stopped):
        train(few, reports, [], out, device="cpu", watch=stop_at(9))  # type: ignore[arg-type]
    left = [tmp_path / ".m.123.part", tmp_path / ".m.training" / ".checkpoint.safetensors.0a1b2c3d.part"]
    left[0].mkdir()
    for path in (left[0] / "model.safetensors", left[1], tmp_path / ".m.lock"):
        path.touch()
    told: list[Progress] = []

    def watch(at: Progress) -> None:
        told.append(at)
        assert not any(path.exists() for path in left)

    train(few, reports, [], out, device="cpu", watch=watch)
    assert told[0].stage == "resume"  # what is of use stays
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.slow
def test_killed_on_the_command_line(tmp_path: Path, few: Recipe, reports: list[Report]) -> None:
    """kill -9, as soon as there is a checkpoint; the same command again ends with the undisturbed model."""
    data = tmp_path / "标注.jsonl"
    write_records(data, (record for report in reports for record in report.records()))
    command = [str(Path(sys.executable).with_name("pizhu")), "train", "--data", str(data), "--no-corpus", "--json"]
    settings = {
        "encoder.name": few.encoder.name,
        "encoder.frozen_layers": 0,
        "context.tokens": 96,
        "context.prefix": 16,
        "context.unit": 48,
        "head.recurrent": 16,
        "training.epochs": 70,
        "training.checkpoint_steps": 3,
    }
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    outs = {}
    for name in ("undisturbed", "killed"):
        out = tmp_path / name
        if name == "killed":
            checkpoint = tmp_path / ".killed.training" / "checkpoint.safetensors"
            with subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.DEVNULL) as process:
                until = time.monotonic() + 120
                while not checkpoint.exists() and process.poll() is None and time.monotonic() < until:
                    time.sleep(0.005)
                os.kill(process.pid, signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
            assert checkpoint.exists() and not out.exists()
        subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        outs[name] = load_file(out / "model.safetensors")
    assert all(torch.equal(outs["killed"][name], tensor) for name, tensor in outs["undisturbed"].items())
