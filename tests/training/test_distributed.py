"""Several processes train the same model as one process with as many reports per step."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from pizhu.base.files import write_records
from pizhu.training.distributed import joined, rank
from pizhu.training.loop import train
from pizhu.training.recipe import load_recipe
from pizhu.training.sources import gather
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pizhu.data.report import Report
    from pizhu.training.recipe import Recipe

LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "pizhu"],
    "accelerate": [
        "accelerate.commands.launch",
        *("--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"),
        *("--main_process_port", "PORT", "--module", "pizhu"),
    ],
}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("RANK", "3")
    assert rank() == 0
    with joined("cpu") as ranks:
        assert (ranks.rank, ranks.count, ranks.first, ranks.device) == (0, 1, True, torch.device("cpu"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "form"),
    [
        *((launcher, ()) for launcher in LAUNCHERS),
        ("torchrun", ("head.recurrent=0", "head.regression=true", "context.units=1", "training.sentences=3")),
    ],
)
def test_two_processes(tmp_path: Path, recipe: Recipe, labelled: Report, launcher: str, form: tuple[str, ...]) -> None:
    if launcher == "accelerate" and find_spec("accelerate") is None:
        pytest.skip("accelerate is not installed")
    reports = [replace(labelled, doc=f"{i}.txt") for i in range(7)]
    write_records(tmp_path / "标注.jsonl", (record for report in reports for record in report.records()))
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in body.items())
        for section, body in recipe.as_dict().items()
    )
    (tmp_path / "配方.toml").write_text(text, encoding="utf-8")
    settings = ["training.epochs=5", "training.patience=3", "training.checkpoint_steps=2", "encoder.frozen_layers=1"]
    settings += form
    words = ["train", "--data", "标注.jsonl", "--no-corpus", "--recipe", "配方.toml", "--device", "cpu", "--json"]
    words += [word for setting in settings for word in ("--set", setting)]
    launch = [word.replace("PORT", free_port()) for word in LAUNCHERS[launcher]]
    done = subprocess.run(
        [sys.executable, "-m", *launch, *words, "--out", "together"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == str(tmp_path / "together")  # told once, not once a process
    sources = gather([tmp_path / "标注.jsonl"], corpus=False)
    chosen = load_recipe(tmp_path / "配方.toml", [*settings, "training.reports=2"])
    train(chosen, sources.training, sources.validation, tmp_path / "alone", device="cpu")
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "together"))
    assert all(torch.allclose(two[name], tensor, atol=2e-4) for name, tensor in one.items())
    about = [json.loads((tmp_path / name / "pizhu.json").read_text("utf-8")) for name in ("alone", "together")]
    assert [a["origin"]["machine"]["processes"] for a in about] == [1, 2]
    assert about[0]["origin"]["recipe"] == about[1]["origin"]["recipe"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "together", "标注.jsonl", "配方.toml"]
