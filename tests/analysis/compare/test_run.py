"""``pizhu compare`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu.analysis.compare.run import wrong_order
from pizhu.base.errors import MissingExtraError
from pizhu.base.files import write_records
from pizhu.data.report import Report


@pytest.fixture
def records(earlier: Report, later: Report, tmp_path: Path) -> tuple[Path, Path]:
    """The two reports as records that people labelled."""
    paths = tmp_path / "水务局2021年.jsonl", tmp_path / "水务局2022年.jsonl"
    for path, report in zip(paths, (earlier, later), strict=True):
        write_records(path, report.records())
    return paths


def test_two_texts_with_a_model(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    for year in (2021, 2022):
        text = f"档案局{year}年总结\n\n一、主要工作\n\n接收档案{year}卷。\n\n二、下一步打算\n\n建设电子档案中心。\n"
        (tmp_path / f"{year}年 总结.txt").write_text(text, encoding="utf-8")
    out = tmp_path / "对照"
    words = ["compare", tmp_path / "2021年 总结.txt", tmp_path / "2022年 总结.txt", "--model", model_folder, "-o", out]
    answer = pizhu(*words, "--encoder", "none")
    assert answer.status == 0
    page, data = out / "2021年 总结--2022年 总结.html", out / "2021年 总结--2022年 总结.json"
    assert answer.out.splitlines() == [str(page), str(data)]
    assert answer.err.splitlines()[:2] == ["Reading and labelling", "Comparing"]
    assert answer.err.splitlines()[2].startswith("plans: ")
    assert "对照" in page.read_text(encoding="utf-8")
    body = json.loads(data.read_text(encoding="utf-8"))
    assert (body["earlier"], body["later"]) == ("2021年 总结.txt", "2022年 总结.txt")


def test_corrected_records_need_no_model(records: tuple[Path, Path], tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    words = ["compare", *records, "-o", tmp_path / "out", "--encoder", "none", "--model", tmp_path / "no model"]
    answer = pizhu(*words, "--json", "--formats", "json")
    assert (answer.status, answer.err) == (0, "Reading and labelling\nComparing\n")
    body = json.loads(answer.out)
    assert body["counts"]["plans"] == {"answered": 0, "partly": 2, "missing": 1, "general": 2}
    (path,) = (tmp_path / "out").iterdir()
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written.pop("pair") and written == body


def test_pairs_of_equal_names_do_not_replace_each_other(
    earlier: Report, later: Report, tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place, report in (("2021", earlier), ("2022", later), ("2023", later), ("别处/2022", earlier)):
        write_records(Path(place, "总结.jsonl"), report.records())
        write_records(Path(place, f"{Path(place).name}.jsonl"), report.records())

    def written(*words: str) -> list[str]:
        return [str(Path(line)) for line in pizhu("compare", *words, "--encoder", "none").out.splitlines()]

    first = written("2021/总结.jsonl", "2022/总结.jsonl")
    assert first == [str(Path("compared", f"总结-2021--总结-2022.{kind}")) for kind in ("html", "json")]
    before = [Path(path).read_bytes() for path in first]
    assert Path(written("2022/总结.jsonl", "2023/总结.jsonl")[0]).stem == "总结-2022--总结-2023"
    other = written("2021/总结.jsonl", "别处/2022/总结.jsonl", "--formats", "json")  # folders' names are equal too
    assert other[0] not in first and len(other) == 1
    assert [Path(path).read_bytes() for path in first] == before
    assert written("2021/总结.jsonl", "2022/总结.jsonl") == first  # the same pair replaces itself
    assert Path(written("2021/2021.jsonl", "2022/2022.jsonl")[0]).name == "2021--2022.html"
    assert Path(written("2021/2021.jsonl", "别处/2022/2022.jsonl")[0]).name == "2021-2021--2022-2022.html"


def test_an_encoder_takes_part(
    records: tuple[Path, Path], tmp_path: Path, encoder_folder: Path, pizhu: Callable[..., Any]
) -> None:
    answer = pizhu("compare", *records, "-o", tmp_path / "out", "--encoder", encoder_folder, "--json")
    assert answer.status == 0
    assert json.loads(answer.out)["encoder"] == str(encoder_folder)


def test_without_torch_words_alone_are_compared(
    records: tuple[Path, Path], tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pizhu.models.sentence_encoder as meaning

    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("an encoder", "train")

    monkeypatch.setattr(meaning, "load_encoder", missing)
    answer = pizhu("compare", *records, "-o", tmp_path / "out", "--json")
    assert answer.status == 0
    assert answer.err.partition("Reading and labelling")[0] == (
        "pizhu: comparing words only, since an encoder needs packages that are not installed; "
        "run: pip install 'pizhu[train]'\n"
    )
    assert json.loads(answer.out)["encoder"] is None


def test_the_wrong_order_is_noticed(
    records: tuple[Path, Path], tmp_path: Path, pizhu: Callable[..., Any], earlier: Report, later: Report
) -> None:
    assert wrong_order(later, earlier) and not wrong_order(earlier, later) and not wrong_order(later, later)
    answer = pizhu("compare", *records[::-1], "-o", tmp_path / "out", "--encoder", "none")
    assert answer.status == 0 and "give the earlier one first" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.txt", "none.txt", "--encoder", "none"], "none.txt does not exist"),
        (["two.jsonl", "two.jsonl", "--encoder", "none"], "two.jsonl holds 2 reports, expected the records of one"),
        (["bare.jsonl", "bare.jsonl", "--encoder", "none"], "has sentences that are not labelled"),
        (["one.jsonl", "one.jsonl", "--encoder", "none", "--formats", "pdf"], "formats are pdf, expected some of html"),
        (["one.jsonl", "one.jsonl", "--encoder", "some/hub-id"], "some/hub-id"),
        (["one.jsonl"], "Missing argument 'later'; see: pizhu compare --help"),
    ],
)
def test_errors_are_one_sentence(
    words: list[str],
    said: str,
    tmp_path: Path,
    pizhu: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    report: Callable[..., Report],
) -> None:
    one = report("AM 完成3件。").records()
    write_records(tmp_path / "one.jsonl", one)
    write_records(tmp_path / "two.jsonl", [*one, *report("P 要做。", doc="另一份.txt").records()])
    write_records(tmp_path / "bare.jsonl", [{**one[0], "labels": None}])
    monkeypatch.chdir(tmp_path)
    answer = pizhu("compare", *words)
    assert (answer.status, answer.out) == (2, "")
    told = [line for line in answer.err.splitlines() if line not in ("Reading and labelling", "Comparing")]
    assert len(told) == 1 and said in told[0]
    assert not (tmp_path / "compared").exists()


def test_a_model_with_other_labels(tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from pizhu.models.annotator import Annotator

    other = SimpleNamespace(about=SimpleNamespace(labels=SimpleNamespace(names=("risk",))))
    monkeypatch.setattr(Annotator, "load", lambda folder: other)
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    answer = pizhu("compare", tmp_path / "a.txt", tmp_path / "a.txt", "--encoder", "none")
    assert answer.status == 2 and "does not give the label 'achievement'" in answer.err


def test_formats_are_checked_before_anything_is_read(
    tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pizhu.models.annotator import Annotator

    monkeypatch.setattr(Annotator, "load", lambda folder: pytest.fail("the model was loaded"))
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    words = ["compare", tmp_path / "a.txt", tmp_path / "a.txt", "--encoder", "none", "--formats", "pdf"]
    assert "formats are pdf" in pizhu(*words).err
