"""Every command with only some packages installed: it works, or one sentence says which extra it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pizhu
import pytest
from pizhu.cli import app
from pizhu.models.paths import SHIPPED
from pizhu.tests.support.extras import EXTRAS
from typer.main import get_command

from .test_docs import commands

ROOT = Path(pizhu.__file__).parent
NONE: frozenset[str] = frozenset()
TRAIN, LABEL = frozenset({"train"}), frozenset({"label"})

# (words, the extras that it needs, words that are tried instead where it has them: it must not begin long work then)
COMMANDS: list[tuple[list[str], frozenset[str], list[str] | None]] = [
    (["read", "报告.txt"], NONE, None),
    (
        ["read", "报告.pdf"],
        NONE,
        None,
    ),  # what reads it has a process of its own: tests/data/test_pdf.py takes its package away
    (["annotate", "报告.txt", "--out", "结果", "--formats", "jsonl,html,docx,csv,txt"], NONE, None),
    (["annotate", "报告.txt", "--out", "表", "--formats", "xlsx,parquet"], frozenset({"tables"}), None),
    (
        ["annotate", "报告.txt", "--out", "群", "--engine", "ray"],
        frozenset({"ray"}),
        ["annotate", "没有.txt", "--out", "群"],
    ),
    (["table", "结果", "--out", "汇总.csv"], NONE, None),
    (["table", "结果", "--out", "汇总.xlsx"], frozenset({"tables"}), None),
    (["compare", "报告.txt", "明年.txt", "--out", "对照"], NONE, None),
    (["metrics", "报告.txt"], NONE, None),
    (["serve", "--secret-file", "没有"], frozenset({"serve"}), ["serve", "--secret-file", "没有"]),
    (["train", "--data", "标注.jsonl", "--out", "新"], TRAIN, ["train", "--recipe", "没有"]),
    (["distil", str(SHIPPED), "--out", "新"], TRAIN, ["distil", "没有", "--out", "新"]),
    (["compact", str(SHIPPED), "--out", "新"], TRAIN, ["compact", "没有", "--out", "新"]),
    (["evaluate", str(SHIPPED), "标注.jsonl", "--fast", "--errors", "0"], NONE, None),
    (["demo"], TRAIN | LABEL, None),
    (["label", "serve", "--folder", "服务"], LABEL, ["label", "serve", "--annotators", "没有.txt", "--folder", "服务"]),
    (["label", "status", "--folder", "服务"], NONE, None),
    (["label", "stop", "--folder", "服务"], NONE, None),
    (["label", "backup", "--folder", "服务"], NONE, None),
    (["label", "restore", "没有.zip", "--folder", "新服务"], NONE, None),
    *(
        (["label", *words, "--folder", "服务"], NONE, None)
        for words in (["push", "标注.jsonl"], ["config"], ["rename"], ["pull", "a.jsonl"], ["transfer", "答案.jsonl"])
    ),
    (["label", "agreement", "答案.jsonl"], LABEL, None),
    (["label", "adjudicate", "答案.jsonl", "--folder", "服务"], NONE, None),
    (["label", "next", "报告.txt", "--out", "下一批.jsonl"], NONE, None),
    (["label", "errors", "标注.jsonl"], LABEL, None),
    (["label", "predict-serve", "--folder", "服务"], LABEL | {"serve"}, None),
    (["label", "connect", "http://127.0.0.1:9", "--folder", "服务"], NONE, None),
    (["label", "disconnect", "--folder", "服务"], NONE, None),
    (["label", "proposals", "--folder", "服务"], NONE, None),
    (["data", "check"], NONE, None),
    (["data", "stats"], NONE, None),
    (["data", "export", "语料"], NONE, None),
]
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"


def test_every_command_is_tried() -> None:
    tried = {tuple(words[: 2 if words[0] in {"label", "data"} else 1]) for words, _, _ in COMMANDS}
    assert tried == {path for path, _ in commands(get_command(app))}


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_with_one_extra_alone(extra: str, tmp_path: Path) -> None:
    sample = next(p for p in sorted((ROOT / "data" / "samples").iterdir()) if p.suffix == ".txt")
    for name in ("报告.txt", "明年.txt"):
        (tmp_path / name).write_bytes(sample.read_bytes())
    (tmp_path / "报告.pdf").write_bytes(PDF)
    (tmp_path / "答案.jsonl").write_bytes((ROOT / "data" / "samples" / "answers.jsonl").read_bytes())
    records = subprocess.run(
        [sys.executable, "-m", "pizhu", "read", "报告.txt", "--json"], cwd=tmp_path, capture_output=True, check=True
    )
    rows = [json.loads(line) for line in records.stdout.splitlines()]
    asked = [row for row in rows if row["kind"] == "sentence"]
    for number, row in enumerate(asked):
        row["labels"] = [["achievement"], ["plan"], []][number % 3]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "标注.jsonl").write_text(text, encoding="utf-8")

    given = frozenset({extra}) if extra else NONE
    lines = [words if not needed <= given or light is None else light for words, needed, light in COMMANDS]
    answer = subprocess.run(
        [sys.executable, "-m", "pizhu.tests.support.extras", extra],
        input=json.dumps(lines).encode(),
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=600,
        env={**os.environ, "PIZHU_LABEL_STUDIO_ENV": str(tmp_path / "nothing installed")},
    )
    assert answer.returncode == 0, answer.stderr.decode()
    for line, (_, needed, _), (status, _, errors) in zip(
        lines, COMMANDS, json.loads(answer.stdout.splitlines()[-1]), strict=True
    ):
        said = f"pizhu {' '.join(line)} with {extra or 'no extra'}: {status}, {errors}"
        assert status in (0, 1, 2) and "Traceback" not in errors, said
        if needed - given:
            assert status in (1, 2) and "packages that are not installed; run: pip install" in errors, said
            assert all(name in errors for name in needed - given), said
    assert not (tmp_path / "nothing installed").exists(), "Label Studio was installed before packages were asked for"
    assert not (tmp_path / "新").exists()
