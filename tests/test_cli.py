"""The command line as users run it, in separate processes: help texts, one sentence per error, exit statuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu.cli import app
from typer.main import get_command

PIZHU = str(Path(sys.executable).with_name("pizhu"))
COMMANDS = [
    "",
    "annotate",
    "compact",
    "compare",
    "data",
    "data check",
    "data export",
    "data stats",
    "demo",
    "distil",
    "evaluate",
    "label",
    "label adjudicate",
    "label agreement",
    "label pull",
    "label push",
    "label serve",
    "label transfer",
    "metrics",
    "read",
    "serve",
    "table",
    "train",
]


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PIZHU, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_manual(command: str, pizhu: Callable[..., Any]) -> None:
    answer = pizhu(*command.split(), "--help")
    assert (answer.status, answer.err) == (0, "")
    assert f"Usage: pizhu {command}".strip() in answer.out


def test_every_option_and_argument_is_explained() -> None:
    def silent(command: Any, path: str) -> list[str]:
        found = [
            f"{path} {p.name}"
            for p in command.params
            if not getattr(p, "help", None) and p.name not in ("help", "version")
        ]
        for name, inner in getattr(command, "commands", {}).items():
            assert inner.help, f"{path} {name} has no manual"
            found += silent(inner, f"{path} {name}")
        return found

    assert silent(get_command(app), "pizhu") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'; see: pizhu --help"),
        (["annotate"], "Missing argument 'inputs'; see: pizhu annotate --help"),
        (["read", "--nonsense", "x"], "No such option: --nonsense; see: pizhu read --help"),
        (["train", "--data"], "Option '--data' requires an argument; see: pizhu"),
        (["train", "--recipe", "best"], "there is no recipe 'best'; name a TOML file or one of default, demo"),
        (["train", "--set", "training.epochs=0"], "training.epochs is 0, expected 1 to 10000"),
        (["train", "--data", "none.jsonl"], "none.jsonl does not exist"),
        (["train", "--labels", "none.toml"], "label set file none.toml does not exist"),
        (["train", "--no-corpus"], "there is no labelled sentence to train on; label some and pull them"),
        (["train", "--any-versions"], "--any-versions needs --again"),
        (["train", "--out", "."], "exists and is not a model folder"),
        (
            ["annotate", "x.txt", "--model", "none"],
            "model folder none does not exist; name another, or train one with: pizhu train",
        ),
        (["annotate", "."], "no report found"),
        (["metrics", "x.txt", "--out", "x.pdf"], "x.pdf must end in .csv or"),
        (["evaluate", "--out", "kept.bin"], "kept.bin is a file; choose a folder with --out"),
        (["evaluate", "none"], "model folder none does not exist"),
        (["data", "check", "none"], "there is no report (*.txt) in corpus folder none"),
        (["data", "stats", "none"], "there is no report (*.txt) in corpus folder none"),
    ],
)
def test_errors_are_one_sentence(
    words: list[str], said: str, pizhu: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept.bin").write_text("precious", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    answer = pizhu(*words)
    assert (answer.status, answer.out) == (2, "")
    assert re.fullmatch(r"pizhu: [^\n]+\n", answer.err)
    assert said in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["kept.bin"]


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    result = run("annotate", "报告.txt", "--model", tmp_path / "没有 模型")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"pizhu: model folder {tmp_path / '没有 模型'} does not exist")
    assert result.stderr.count("\n") == 1
    result = run("--debug", "annotate", "报告.txt", "--model", tmp_path / "none")
    assert result.returncode != 0 and "Traceback" in result.stderr and "ModelError" in result.stderr


def test_without_words_it_shows_the_manual(pizhu: Callable[..., Any]) -> None:
    for words in ([], ["label"], ["data"]):
        answer = pizhu(*words)
        assert answer.status == 2
        assert "Usage: pizhu" in answer.out and answer.err == ""


def test_the_version(pizhu: Callable[..., Any]) -> None:
    from importlib.metadata import version

    assert pizhu("--version").out == f"{version('pizhu')}\n"


def test_a_place_that_cannot_be_written(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    answer = pizhu("annotate", tmp_path / "a.txt", "--model", model_folder, "--out", tmp_path / "out")
    assert answer.status == 2
    assert answer.err.splitlines()[-1] == f"pizhu: {tmp_path / 'out'}: File exists"


def test_stopped_by_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    import pizhu.data.corpus.check as check

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "check_corpus", stop)
    answer = pizhu("data", "check")
    assert (answer.status, answer.err) == (130, "pizhu: stopped\n")


def test_json_is_only_json(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    answer = pizhu("annotate", tmp_path / "a.txt", "--model", model_folder, "--out", tmp_path / "out", "--json")
    assert json.loads(answer.out) == {
        "reports": 1,
        "sentences": 1,
        "kept": 0,
        "written": [str(tmp_path / "out" / "a.jsonl"), str(tmp_path / "out" / "a.html")],
        "failed": [],
    }
    assert json.loads(pizhu("data", "stats", "--json").out)["reports"] > 0


def test_tables(pizhu: Callable[..., Any]) -> None:
    answer = pizhu("data", "stats")
    assert answer.status == 0
    assert all(word in answer.out for word in ("annual-summary", "validation", "shortcoming", "hard cases"))


def test_export(tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    answer = pizhu("data", "export", tmp_path)
    assert answer.out.splitlines() == [str(tmp_path / f"{split}.jsonl") for split in ("train", "validation", "test")]


def test_train_tells_what_it_made(
    tmp_path: Path, encoder_folder: Path, labelled: Any, pizhu: Callable[..., Any]
) -> None:
    from dataclasses import replace

    from pizhu.base.files import write_records

    data, out = tmp_path / "标注.jsonl", tmp_path / "模型"
    reports = [replace(labelled, doc=f"{i}.txt") for i in range(9)]
    write_records(data, (record for report in reports for record in report.records()))
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        f"[encoder]\nname = {str(encoder_folder)!r}\nfrozen_layers = 1\n"
        "[context]\ntokens = 96\nprefix = 16\nunit = 48\n[training]\nepochs = 1\n",
        encoding="utf-8",
    )
    words = ["train", "--data", data, "--no-corpus", "--recipe", recipe, "--out", out, "--device", "cpu"]
    answer = pizhu(*words)
    assert answer.status == 0
    assert answer.out.splitlines()[-1] == str(out)
    assert "decision rule" in answer.out and "Training" in answer.err and "validation macro-F1" in answer.err
    body = json.loads(pizhu(*words, "--json").out)
    assert body["model"] == str(out)
    assert len(body["origin"]["data"]["training"]) + len(body["origin"]["data"]["validation"]) == 9


def test_what_a_training_is_told_to_tell(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from pizhu.cli.train import show_model, watching
    from pizhu.models.folder import load_model, save_model
    from pizhu.training.loop import Progress

    watching(lambda *_: None)(Progress("resume", 4, 21, 0.0, None))
    assert capsys.readouterr().err == "resuming from step 4 of 21\n"
    network, tokenizer, about = load_model(model_folder)
    scores = {"validation": {"macro_f1": 0.5, "sentences": 7}}
    chosen = replace(about.decision, review_below=0.4)
    for decision, said in ((about.decision, "plain: too few validation sentences"), (chosen, "chosen on validation")):
        save_model(tmp_path / "m", network, tokenizer, replace(about, scores=scores, decision=decision))
        show_model(tmp_path / "m", False)
        assert said in " ".join(capsys.readouterr().out.split())
    show_model(model_folder, False)
    assert "plain: no report was kept for validation" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_real_reports(tmp_path: Path) -> None:
    """Reports of ../shared, some of every kind and time, are annotated with the default model, without a failure."""
    folder = Path(__file__).parents[2] / "shared" / "reports"
    if not folder.is_dir():
        pytest.skip("../shared/reports is not there")
    reports = [*sorted(folder.glob("seed/*.txt")), *sorted(folder.glob("national/*.txt"))[::10]]
    result = subprocess.run(
        [PIZHU, "annotate", *map(str, reports), "--out", str(tmp_path), "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr
    body = json.loads(result.stdout)
    assert (body["reports"], body["failed"]) == (len(reports), [])
    for path in reports:
        raw = path.read_bytes().decode("utf-8-sig")
        records = [
            json.loads(line)
            for line in (tmp_path / f"{path.stem}.jsonl").read_text(encoding="utf-8").split("\n")
            if line
        ]
        assert any(record["labels"] for record in records)
        assert all(record["text"] == raw[record["start"] : record["end"]] for record in records)


def test_time_left() -> None:
    from pizhu.cli.progress import _left

    assert _left(now=110, done=30, total=90, begun=100, first=10) == ", about 0:00:30 left"
    assert _left(100, 10, 90, 100, 10) == _left(110, 90, 90, 100, 10) == ""
