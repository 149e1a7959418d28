"""A run folder loses nothing and doubles nothing, whatever happens to the process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu import Annotator
from pizhu.annotate.run import runfolder
from pizhu.annotate.run.manifest import Entry
from pizhu.annotate.run.run import annotate_files
from pizhu.annotate.run.runfolder import Settings, head_of, open_run
from pizhu.base.errors import ConfigError
from pizhu.base.versions import version_of
from pizhu.tests.support import killing

KILLING = Path(killing.__file__)
forks = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


def write(path: Path, text: str = "一、主要工作\n\n全年接收档案3.2万卷。\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def manifest(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


def kills(tmp_path: Path, *words: str) -> list[dict[str, Any]]:
    for i in range(2):
        write(tmp_path / "in" / f"{i}.txt", f"澄岭县档案局202{i}年总结\n\n一、主要工作\n\n全年接收档案{i}.2万卷。\n")
    (tmp_path / "in" / "bad.txt").write_bytes(b"")
    command = [sys.executable, str(KILLING), str(tmp_path / "in"), str(tmp_path / "work"), *words]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert answer.returncode == 0 and answer.stderr == ""
    body = json.loads(answer.stdout)
    files = {f"{name}.{kind}" for name in ("0", "1") for kind in ("jsonl", "txt")} | {"all/part-00001.jsonl"}
    if words[0] == "opened":
        files = {f"{name}.{kind}" for name in ("0", "1") for kind in ("jsonl", "html", "docx")}
        files |= {"all/index.html", "all/汇总.xlsx"}
    elif words[0] == "full":
        files -= {"0.jsonl", "0.txt"}
    assert set(body["files"]) == files | {"manifest.json"}
    return list(body["kills"])


@forks
@pytest.mark.parametrize(
    "scenario",
    ["new", *(pytest.param(name, marks=pytest.mark.slow) for name in ("opened", "grown", "fresh", "dropped", "full"))],
)
def test_cut_off_at_every_write_and_rename(tmp_path: Path, scenario: str) -> None:
    rows = kills(tmp_path, scenario)
    struck = {row["at"] for row in rows}
    assert {"os.rename 0.jsonl", "half a line of the journal", "os.remove .journal.jsonl"} <= {
        at.replace("os.rename .", "os.rename ") for at in struck
    }
    assert [row for row in rows if row["ended"] or row["differ"]] == []


@forks
@pytest.mark.parametrize("least", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_moments(tmp_path: Path, least: int) -> None:
    rows = kills(tmp_path, "moments", "7", str(least))
    assert sum(row["kills"] for row in rows) >= least
    assert [row for row in rows if row["ended"] or row["differ"]] == []


@pytest.mark.slow
def test_the_command_killed(model_folder: Path, tmp_path: Path) -> None:
    text = "一、主要工作\n\n" + "全年接收档案九万卷。\n" * 200
    paths = [str(write(tmp_path / f"{i}.txt", f"{text}编号{i}。")) for i in range(16)]
    pizhu = str(Path(sys.executable).with_name("pizhu"))
    command = [pizhu, "annotate", *paths, "--model", str(model_folder), "--out"]
    subprocess.run([*command, str(tmp_path / "peace")], check=True, capture_output=True)
    out = tmp_path / "killed"
    for wanted in (1, 6):
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(out.glob("*.jsonl"))) < wanted:
            time.sleep(0.01)
        process.kill()
        process.wait()
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    found, expected = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in (out, tmp_path / "peace"))
    assert found == expected


def test_what_the_manifest_says(annotator: Annotator, model_folder: Path, tmp_path: Path) -> None:
    annotate_files([write(tmp_path / "a.txt"), tmp_path / "none.txt"], tmp_path / "out", annotator)
    body = manifest(tmp_path / "out")
    assert body["model"] == {"name": model_folder.name, "sha256": annotator.about.fingerprint}
    assert body["settings"]["formats"] == ["jsonl"] and body["runtime"] == "onnxruntime on cpu"
    assert {"pizhu", "python", "lxml", "numpy", "onnxruntime", "pypdfium2", "tokenizers"} <= set(body["versions"])
    assert body["versions"]["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert list(body["inputs"]) == ["../a.txt", "../none.txt"]
    done, failed = body["inputs"].values()
    assert (done["state"], done["name"], done["sentences"], len(done["sha256"])) == ("done", "a", 1, 64)
    assert failed["state"] == "failed" and "does not exist" in failed["reason"]


def test_inputs_added_and_changed(annotator: Annotator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = [write(tmp_path / "x" / "A.txt"), write(tmp_path / "x" / "B.txt")]
    annotate_files(first, out, annotator)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.jsonl")}
    added = write(tmp_path / "w" / "A.txt")
    result = annotate_files([added, *first], out, annotator)
    assert (result.reports, result.kept) == (1, 2)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert sorted(p.name for p in out.glob("*.jsonl")) == ["A-w.jsonl", "A.jsonl", "B.jsonl"]
    write(first[1], "只有一句新的话。还有一句。")
    result = annotate_files(first, out, annotator)
    assert (result.reports, result.sentences, result.kept) == (1, 2, 1)
    assert "新的话" in (out / "B.jsonl").read_text(encoding="utf-8")
    first[1].write_bytes(b"")
    result = annotate_files(first, out, annotator)
    assert [reason for _, reason in result.failed] == ["B.txt is empty"]
    assert not (out / "B.jsonl").exists()  # nothing is left of what it said before
    (out / "A.jsonl").unlink()
    assert annotate_files(first, out, annotator).reports == 1


def test_another_model_or_setting_is_refused(annotator: Annotator, tmp_path: Path) -> None:
    path, out = write(tmp_path / "a.txt"), tmp_path / "out"
    annotate_files([path], out, annotator)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    about = annotator.about
    with pytest.raises(
        ConfigError, match=r"started with formats jsonl, not jsonl,html; choose a new folder .* --fresh"
    ):
        annotate_files([path], out, annotator, ("jsonl", "html"))
    from dataclasses import replace

    other = replace(about, name="较新", fingerprint="0" * 64)
    with (
        pytest.raises(ConfigError, match=rf"the model {about.name} \({about.fingerprint[:12]}…\), not 较新 \(0{{12}}"),
        open_run(out, Settings(), other, annotator.runtime.kind),
    ):
        pass
    with open_run(out, Settings(), replace(about, name="moved"), annotator.runtime.kind) as run:
        assert list(run.entries) == ["../a.txt"]
        run.finish(about)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.name != "manifest.json"} == {
        name: data for name, data in before.items() if name != "manifest.json"
    }


def test_beginning_anew_removes_only_what_the_run_wrote(annotator: Annotator, tmp_path: Path) -> None:
    path, out = write(tmp_path / "a.txt"), tmp_path / "out"
    annotate_files([path, write(tmp_path / "b.txt")], out, annotator, ("jsonl", "txt"), layout="hash")
    write(out / "notes.txt", "mine")
    annotate_files([path], out, annotator, ("html",), fresh=True)
    assert sorted(p.name for p in out.rglob("*")) == ["a.html", "manifest.json", "notes.txt"]


def test_only_one_process_writes(annotator: Annotator, tmp_path: Path) -> None:
    with (
        open_run(tmp_path / "out", Settings(), annotator.about, annotator.runtime.kind),
        pytest.raises(ConfigError, match="another process is annotating"),
        open_run(tmp_path / "out", Settings(), annotator.about, annotator.runtime.kind),
    ):
        pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"name": "an app"}', "was not written by pizhu"),
        ('{\n"pizhu run": 99}', "has format 99"),
        (
            '{\n"pizhu run": 1, "inputs": {"a": {"state": "done", "name": "../x", "sha256": ""}}}',
            "cannot be understood",
        ),
        ('{\n"pizhu run": 1', "cannot be understood"),
    ],
)
def test_a_manifest_that_is_none(annotator: Annotator, tmp_path: Path, content: str, said: str) -> None:
    write(tmp_path / "out" / "manifest.json", content)
    for fresh in (False, True):
        with pytest.raises(ConfigError, match=said):
            annotate_files([write(tmp_path / "a.txt")], tmp_path / "out", annotator, fresh=fresh)
    assert (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8") == content


def test_a_journal_with_torn_lines(annotator: Annotator, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{c}.txt") for c in "ab"]
    out = tmp_path / "out"
    with open_run(out, Settings(), annotator.about, annotator.runtime.kind) as run:
        run.record("../a.txt", Entry("a", "0" * 64, 1))
    with (out / ".journal.jsonl").open("ab") as journal:
        journal.write(b'\xff\x00\n[1]\n{"input": "../b.txt", "state": "do')
    with open_run(out, Settings(), annotator.about, annotator.runtime.kind) as run:
        assert list(run.entries) == ["../a.txt"]
        run.record("../b.txt", Entry("b", "1" * 64, 1))
    with open_run(out, Settings(), annotator.about, annotator.runtime.kind) as run:
        assert list(run.entries) == ["../a.txt", "../b.txt"]
    result = annotate_files(paths, out, annotator)
    assert result.reports == 2


def test_a_report_in_the_run_folder_is_refused(annotator: Annotator, tmp_path: Path) -> None:
    path = write(tmp_path / "reports" / "a.txt")
    for named in (path, path.parent):
        with pytest.raises(ConfigError, match="is inside the output folder; choose another with --out"):
            annotate_files([named], path.parent, annotator, ("txt",))
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]
    link = tmp_path / "elsewhere.txt"
    link.symlink_to(path)
    within = write(path.parent / "deeper" / "b.txt")
    for named, out in ((link, path.parent), (path.parent, within.parent)):
        with pytest.raises(ConfigError, match="choose another"):
            annotate_files([named], out, annotator, ("txt",))
        assert path.read_text(encoding="utf-8") == within.read_text(encoding="utf-8")
        assert not (out / "manifest.json").exists()
    within.unlink()
    for _ in range(2):  # the run folder among the reports is not read
        assert len(annotate_files([path.parent], path.parent / "out", annotator, ("txt",)).written) == 1
    write(tmp_path / "out" / "b.txt", "mine")
    (path.parent / "b.txt").write_bytes(b"")
    annotate_files([path.parent / "b.txt"], tmp_path / "out", annotator, ("txt",))
    assert (tmp_path / "out" / "b.txt").read_text(encoding="utf-8") == "mine"  # no report came, nothing is replaced


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--layout", "tree"], "layout is 'tree', expected one of flat, folders, hash"),
        (["--part-size", "0"], "part size is 0, expected a number of sentences above 0"),
        (["--formats", "jsonl,pdf"], "unknown format 'pdf', expected some of jsonl, html, txt"),
    ],
)
def test_settings(words: list[str], said: str, model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    path = write(tmp_path / "a.txt")
    answer = pizhu("annotate", path, "--model", model_folder, "--out", tmp_path / "out", *words)
    assert answer.status == 2 and said in answer.err
    assert not (tmp_path / "out").exists()


def test_the_command_goes_on(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    good, bad = write(tmp_path / "good.txt"), tmp_path / "bad.txt"
    words = ["annotate", good, bad, "--model", model_folder, "--out", tmp_path / "out", "--formats", "jsonl"]
    first = pizhu(*words)
    again = pizhu(*words)
    assert first.status == again.status == 1
    assert first.out == again.out == f"{tmp_path / 'out' / 'good.jsonl'}\n"
    assert again.err.splitlines()[-2:] == [
        "0 reports, 0 sentences annotated, 1 done before",
        f"pizhu: {bad} does not exist",
    ]
    bad.write_bytes(b"")
    assert "--retry-failed" not in pizhu(*words).err
    hint = "pizhu: 1 of these were not retried; to retry them, add --retry-failed"
    assert pizhu(*words).err.splitlines()[-1] == hint
    assert hint not in pizhu(*words, "--retry-failed").err
    write(bad)
    assert pizhu(*words).status == 0


def test_an_input_that_is_named_no_more_and_whose_records_are_gone(annotator: Annotator, tmp_path: Path) -> None:
    """It is forgotten, else nothing could ever be made of all reports again."""
    paths, out = [write(tmp_path / f"{c}.txt") for c in "abc"], tmp_path / "out"
    annotate_files(paths[:2], out, annotator, ("jsonl", "txt", "jsonl-parts"))
    (out / "a.jsonl").unlink()
    annotate_files(paths[1:], out, annotator, ("jsonl", "txt", "jsonl-parts"))
    assert list(manifest(out)["inputs"]) == ["../b.txt", "../c.txt"]
    assert sorted(p.name for p in out.glob("*.*")) == ["b.jsonl", "b.txt", "c.jsonl", "c.txt", "manifest.json"]
    annotate_files(paths, out, annotator, ("jsonl", "txt", "jsonl-parts"))
    assert len(manifest(out)["inputs"]) == 3


def test_other_versions_are_refused_but_not_what_was_missing(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence asks to install what is missing; whoever does so goes on with the same command."""
    versions = {"pypdfium2": "missing", "lxml": "5.0"}
    monkeypatch.setattr(runfolder, "version_of", lambda name, missing: versions.get(name) or version_of(name, missing))
    path, out = write(tmp_path / "a.txt"), tmp_path / "out"
    annotate_files([path], out, annotator)
    versions["pypdfium2"] = "5.0"
    assert annotate_files([path], out, annotator).kept == 1
    assert manifest(out)["versions"]["pypdfium2"] == "5.0"
    for name, found, said in (("pypdfium2", "missing", "missing"), ("lxml", "6.0", "version 6.0")):
        with monkeypatch.context() as patch:
            patch.setitem(versions, name, found)
            with pytest.raises(ConfigError, match=f"was started with {name} version 5.0, not {said};"):
                annotate_files([path], out, annotator)
    with (
        pytest.raises(ConfigError, match="was started with the runtime onnxruntime on cpu, not torch on cuda in bf"),
        open_run(out, Settings(), annotator.about, "torch on cuda in bf"),
    ):
        pass


def test_the_formats_in_use_tell_which_packages_count(annotator: Annotator) -> None:
    def packages(runtime: str, *formats: str) -> set[str]:
        return set(head_of(Settings(formats), annotator.about, runtime)["versions"])

    plain = packages("onnxruntime on cpu", "jsonl")
    assert packages("onnxruntime on cpu", "parquet", "xlsx-all") - plain == {"pyarrow", "xlsxwriter"}
    assert packages("torch on cuda in bfloat16", "jsonl") - plain == {"torch", "transformers"}
