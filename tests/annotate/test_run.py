"""Batch runs: every input gets its own files, a bad one spoils no other, nothing half written stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu import Annotator
from pizhu.annotate.run import annotate_files, expand, output_names
from pizhu.annotate.writers import FORMATS
from pizhu.data.errors import ConfigError, MissingExtraError, ReadError
from pizhu.data.files import read_records

TEXT = "澄岭县档案局2022年工作总结\n\n一、主要工作\n\n全年接收档案3.2万卷。\n"


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_records_point_into_the_text(annotator: Annotator, tmp_path: Path) -> None:
    path = write(tmp_path / "工作 总结.txt")
    result = annotate_files([path], tmp_path / "出", annotator, ("jsonl", "html", "txt"))
    assert names(tmp_path / "出") == ["工作 总结.html", "工作 总结.jsonl", "工作 总结.txt"]
    assert (result.reports, result.sentences, result.failed) == (1, 1, [])
    text = (tmp_path / "出" / "工作 总结.txt").read_text(encoding="utf-8")
    assert text == TEXT
    for record in read_records(tmp_path / "出" / "工作 总结.jsonl"):
        assert record["text"] == text[record["start"] : record["end"]]
        assert record["doc"] == "工作 总结.txt"
        assert (record["kind"] == "sentence") == ("scores" in record)


def test_one_bad_input_among_good_ones(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    good = [write(tmp_path / f"{i}.txt") for i in (1, 2)]
    bad = {
        tmp_path / "empty.txt": b"",
        tmp_path / "binary.txt": b"\x89PNG\r\n\x1a\n\x00\x00",
        tmp_path / "cut.txt": TEXT.encode("utf-16")[:-1],
        tmp_path / "long.txt": b"a" * 2_000_000,
    }
    for path, data in bad.items():
        path.write_bytes(data)
    missing = tmp_path / "missing.txt"
    inputs = [good[0], *bad, missing, good[1]]
    answer = pizhu("annotate", *inputs, "--model", model_folder, "--out", tmp_path / "out", "--json")
    assert answer.status == 1
    assert names(tmp_path / "out") == ["1.html", "1.jsonl", "2.html", "2.jsonl"]
    body = json.loads(answer.out)
    assert (body["reports"], [row["path"] for row in body["failed"]]) == (2, [str(p) for p in (*bad, missing)])
    said = [line for line in answer.err.splitlines() if line.startswith("pizhu: ")]
    assert len(said) == len(bad) + 1
    assert said[-1] == f"pizhu: {missing} does not exist"


def test_what_the_command_prints(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    path = write(tmp_path / "总结.txt")
    answer = pizhu("annotate", path, "--model", model_folder, "--out", tmp_path / "out", "--formats", "txt, jsonl")
    assert answer.out.splitlines() == [str(tmp_path / "out" / f"总结.{kind}") for kind in ("txt", "jsonl")]
    assert answer.err.splitlines()[-1] == "1 reports, 1 sentences annotated"


def test_a_format_whose_packages_are_missing(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pizhu.annotate.run as run

    real = run.read_report

    def read(path: Path, **limits: Any) -> Any:
        if path.stem == "b":
            raise MissingExtraError("a PDF", "pdf")
        return real(path, **limits)

    monkeypatch.setattr(run, "read_report", read)
    result = annotate_files([write(tmp_path / f"{c}.txt") for c in "abc"], tmp_path / "out", annotator)
    assert names(tmp_path / "out") == ["a.jsonl", "c.jsonl"]
    assert result.failed == [(tmp_path / "b.txt", str(MissingExtraError("a PDF", "pdf")))]


def test_nothing_half_written(annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pizhu.annotate import writers

    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(writers, "page", stop)
    with pytest.raises(KeyboardInterrupt):
        annotate_files([write(tmp_path / "a.txt")], tmp_path / "out", annotator, ("html",))
    assert names(tmp_path / "out") == []


@pytest.mark.parametrize("formats", [(), ("doc",), ("jsonl", "json")])
def test_formats(annotator: Annotator, tmp_path: Path, formats: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="expected some of jsonl, html, txt, docx, xlsx, csv, parquet"):
        annotate_files([write(tmp_path / "a.txt")], tmp_path / "out", annotator, formats)
    assert not (tmp_path / "out").exists()


def test_names_that_meet(annotator: Annotator, tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "一" / "总结.txt"),
        write(tmp_path / "二" / "总结.txt"),
        write(tmp_path / "总结.html", f"<html><body><p>{TEXT}</p></body></html>"),
        write(tmp_path / "总结.txt.txt"),
        write(tmp_path / "A.txt"),
        write(tmp_path / "甲" / "a.txt"),
    ]
    assert output_names(paths) == ["总结.txt", "总结.txt-2", "总结.html", "总结.txt-3", "A.txt", "a.txt-2"]
    result = annotate_files(paths, tmp_path / "out", annotator)
    assert len(names(tmp_path / "out")) == len(result.written) == 6


@given(
    st.lists(st.sampled_from(["a", "A", "b", "a.txt", "a-2", "a.txt-2"]).map(lambda s: Path(f"{s}.txt")), max_size=9)
)
def test_no_two_inputs_share_a_name(paths: list[Path]) -> None:
    found = output_names(paths)
    assert len({name.casefold() for name in found}) == len(paths)


def test_folders(tmp_path: Path) -> None:
    for name in ("乙.txt", "甲.HTML", "深/丙.htm", ".隐.txt", "~$丁.txt", "图.png"):
        write(tmp_path / "往年" / name)
    alone = write(tmp_path / "说明.md")
    found = expand([tmp_path / "往年", alone])
    assert [str(p.relative_to(tmp_path)) for p in found] == ["往年/乙.txt", "往年/深/丙.htm", "往年/甲.HTML", "说明.md"]
    (tmp_path / "空").mkdir()
    with pytest.raises(ReadError, match=r"there is no report \(.*\.txt.*\) in the folders"):
        expand([tmp_path / "空"])


def test_no_input_is_overwritten(annotator: Annotator, tmp_path: Path) -> None:
    paths = [write(tmp_path / "甲.txt"), write(tmp_path / "乙.html", f"<html><body><p>{TEXT}</p></body></html>")]
    before = [path.read_bytes() for path in paths]
    result = annotate_files(paths, tmp_path, annotator, ("txt", "html", "jsonl"))
    assert [path.read_bytes() for path in paths] == before
    assert names(tmp_path) == sorted(
        [*(p.name for p in paths), *(f"{n}.annotated.{k}" for n in "甲乙" for k in ("txt", "html", "jsonl"))]
    )
    assert len(result.written) == 6


def test_again_gives_the_same_bytes(annotator: Annotator, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    runs = []
    for _ in range(2):
        annotate_files([path], tmp_path / "out", annotator, FORMATS)
        runs.append({p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()})
    assert runs[0] == runs[1]
