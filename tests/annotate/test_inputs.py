"""Every kind of input is found once, and names in archives and tables are never paths."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.annotate.inputs.base import Input
from pizhu.annotate.inputs.find import find
from pizhu.annotate.run.names import Names, safe
from pizhu.annotate.run.reading import read_inputs
from pizhu.annotate.run.run import annotate_files
from pizhu.base.errors import ConfigError, ReadError
from pizhu.base.limits import DEFAULT_LIMITS, limits

TEXT = "一、主要工作\n\n全年接收档案3.2万卷。\n"


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def found(*words: Any, **options: Any) -> list[str]:
    return [item.inside or item.doc for item in find(words, **options) if not item.end]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("乙.txt", "甲.HTML", "深/丙.htm", ".隐.txt", "~$丁.txt", "图.png", ".藏/戊.txt"):
        write(tmp_path / "往年" / name)
    write(tmp_path / "说明.md")
    return tmp_path


def test_files_folders_and_patterns(folder: Path) -> None:
    everything = ["乙.txt", "丙.htm", "甲.HTML"]
    assert found("往年", "说明.md") == [*everything, "说明.md"]
    assert found("往年/*.txt") == ["乙.txt"]
    assert found("往年/**/*.htm*") == ["丙.htm"]
    assert sorted(found("往年/**")) == sorted([*everything, "图.png"])
    assert found("往年", str(folder / "往年" / "乙.txt"), "往年/乙.txt") == everything  # each once
    write(folder / "[2021]总结.txt")
    assert found("[2021]总结.txt") == ["[2021]总结.txt"]
    assert [item.under for item in find(["往年"])] == ["", "深", ""]
    assert find(["往年", "说明.md"]).count() == 4


def test_what_a_run_wrote_is_no_input(folder: Path) -> None:
    write(folder / "往年" / "结果" / "manifest.json", '{\n"pizhu run": 1}')
    write(folder / "往年" / "结果" / "乙.html")
    assert "乙.html" not in found("往年")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("between", ["\n", "\r\n", "\0"])
def test_lists(folder: Path, encoding: str, between: str) -> None:
    (folder / "清单.txt").write_bytes(between.join(["往年/乙.txt", "", "往年/*.HTML", "-带横线.txt"]).encode(encoding))
    write(folder / "-带横线.txt")
    assert found("@清单.txt") == ["乙.txt", "甲.HTML", "-带横线.txt"]


def test_the_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO("往年/乙.txt\n说明.md\n".encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    assert found("@-") == ["乙.txt", "说明.md"]
    Stdin.buffer = io.BytesIO(TEXT.encode())
    inputs = find(["-"])
    assert [item.key(folder) for item in inputs] == ["-"]
    assert [result().report.text for _, result in read_inputs(inputs, DEFAULT_LIMITS)] == [TEXT]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("word", "error", "said"),
    [
        ("空", ReadError, r"no report found; supported: .*\.txt"),
        ("往年/*.doc", ReadError, "no file matches the pattern"),
        ("@无.txt", ReadError, "the list 无.txt cannot be read"),
        ("@环.txt", ConfigError, "names another list"),
    ],
)
def test_what_cannot_be_found(folder: Path, word: str, error: type[Exception], said: str) -> None:
    (folder / "空").mkdir()
    write(folder / "环.txt", "@环.txt")
    write(folder / "@另.txt")
    with pytest.raises(error, match=said):
        find([word])
    assert found("@另.txt") == ["@另.txt"]  # a file of that name is a file


HOSTILE = {
    "../../外.txt": TEXT.encode(),
    "/etc/绝.txt": TEXT.encode(),
    "C:\\Windows\\盘.txt": TEXT.encode(),
    "con.txt": TEXT.encode(),
    "深/深/<script>.txt": TEXT.encode(),
    "图.png": b"\x89PNG",
    "__MACOSX/._外.txt": b"x",
    "空.txt": b"",
}


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("layout", ["flat", "folders", "hash"])
def test_hostile_names_in_archives(
    tmp_path: Path, model: Any, make: Callable[[Path, dict[str, bytes]], Path], layout: str
) -> None:
    archive = make(tmp_path / ("x.zip" if make is zipped else "x.tar.gz"), HOSTILE)
    inputs = find([archive])
    out = tmp_path / "a" / "b" / "out"
    result = annotate_files(inputs, out, model, layout=layout)
    assert (result.reports, len(result.failed)) == (5, 1)
    assert result.failed[0][0].endswith("!/空.txt") and "空.txt is empty" in result.failed[0][1]
    outside = {p for p in tmp_path.rglob("*") if p.is_file() and out not in p.parents}
    assert outside == {archive}
    names = sorted(p.name for p in out.rglob("*.jsonl"))
    assert names == sorted(["外.jsonl", "绝.jsonl", "盘.jsonl", "_con.jsonl", "_script_.jsonl"])
    assert annotate_files(inputs, out, model, layout=layout).kept == 5


def test_chinese_names_that_windows_packed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"AAAA.txt": TEXT.encode()})
    data = path.read_bytes().replace(b"AAAA.txt", "总结".encode("gbk") + b".txt")
    path.write_bytes(data)
    assert found(path) == ["总结.txt"]


def test_members_of_one_name_are_told_apart(tmp_path: Path, model: Any) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "第一份报告。")
        archive.writestr("a.txt", "第二份报告。")
    assert found(tmp_path / "x.zip") == ["a.txt", "a.txt#2"]
    annotate_files([tmp_path / "x.zip"], tmp_path / "out", model)
    texts = [p.read_text(encoding="utf-8") for p in sorted((tmp_path / "out").glob("*.jsonl"))]
    assert len(texts) == 2 and sum("第二份" in text for text in texts) == 1


@pytest.mark.parametrize("make", [zipped, tarred])
def test_archives_over_the_limits(tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]) -> None:
    path = make(
        tmp_path / ("x.zip" if make is zipped else "x.tgz"), {f"{i}.txt": b"a" * (2**20 - 2**14) for i in range(4)}
    )
    few = find([path], limits=limits(["file_mb=1", "archive_mb=2"]))
    assert ["archive_mb" in item.trouble for item in few] == [False, False, True]
    path = make(path, {"a.txt": b"a" * 2**21, "b.txt": b"b"})
    (big, small, end) = find([path], limits=limits(["file_mb=1"]))
    assert "a.txt is larger than the limit of 1 MB" in big.trouble
    assert small.data == b"b" and not end.trouble


def test_what_is_passed_over_in_a_tar_file_counts(tmp_path: Path) -> None:
    one = limits(["archive_mb=1", "file_mb=1"])
    path = tarred(tmp_path / "x.tgz", {"a.txt": b"a", "b.png": b"b" * 2**21, "c.txt": b"c"})
    (first, end) = find([path], limits=one)
    assert first.data == b"a" and "x.tgz unpacks to more than 1 MB, perhaps a zip bomb" in end.trouble
    path = tarred(path, {"a.txt": b"a" * 2**21})
    (first, end) = find([path], limits=one)
    assert "a.txt is larger" in first.trouble and "archive_mb" in end.trouble


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_headers_of_tar_files_are_not_unpacked_without_end(tmp_path: Path, ending: str, format: int) -> None:
    path = tmp_path / f"x.tar.{ending}"
    with tarfile.open(path, f"w:{ending}", format=format) as archive:  # type: ignore[call-overload]
        for name in ("a.txt", f"{'长' * 300}.txt", f"{'b' * 20 * 2**20}.txt"):
            archive.addfile(tarfile.TarInfo(name))
    tracemalloc.start()
    *good, end = find([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.doc for item in good] == ["a.txt", f"{'长' * 300}.txt"]
    assert "headers alone are more than 1 MB" in end.trouble
    assert peak < 10 * 2**20


def test_what_a_tar_file_says_of_all_that_follow_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for number in range(20):
            told = tarfile.TarInfo.create_pax_global_header({f"key{number}": "v" * 2**19})  # type: ignore[attr-defined]
            archive.fileobj.write(told)  # type: ignore[union-attr]
            archive.addfile(tarfile.TarInfo(f"{number}.txt"))
    tracemalloc.start()
    assert len(found(path)) == 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_many_headers_before_one_member(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    info = tarfile.TarInfo("././@PaxHeader")
    info.type = tarfile.XHDTYPE
    path.write_bytes(info.tobuf() * 1500 + bytes(10240))
    ((end),) = find([path])
    assert "x.tar is damaged" in end.trouble


def test_a_tar_file_that_is_cut_off(tmp_path: Path) -> None:
    whole = tarred(tmp_path / "whole.tgz", {"a.txt": b"a", "b.txt": os.urandom(2**18)}).read_bytes()
    (tmp_path / "x.tgz").write_bytes(whole[: 2**17])
    first, *_, end = find([tmp_path / "x.tgz"])
    assert first.data == b"a" and "x.tgz is damaged" in end.trouble


def test_packings_that_are_not_known(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.txt": TEXT.encode(), "b.txt": TEXT.encode()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = data[8] = 9  # Deflate64, as Windows packs large files
    path.write_bytes(data)
    one, other, end = find([path])
    assert one.trouble == "a.txt cannot be unpacked: its compression method is not supported, only Deflate is"
    assert other.data == TEXT.encode() and not end.trouble
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:  # which zipfile unpacks without a bound
        archive.writestr("a.txt", bytes(2**20))
    one, end = find([path])
    assert "not supported" in one.trouble
    data = bytearray(zipped(path, {"a.txt": b"a"}).read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 99  # the version of the format that is needed
    path.write_bytes(data)
    (end,) = find([path])
    assert "x.zip is damaged or not a zip archive: zip file version 9.9" in end.trouble


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".parquet"])
def test_damaged_archives(tmp_path: Path, model: Any, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    path.write_bytes(b"PK\x03\x04 nonsense")
    good = write(tmp_path / "good.txt")
    result = annotate_files([path, good, tmp_path / f"none{ending}"], tmp_path / "out", model)
    assert result.reports == 1
    assert [("damaged" in reason, "does not exist" in reason) for _, reason in result.failed] == [
        (True, False),
        (False, True),
    ]
    if ending == ".zip":  # mended, it is no failure any more
        zipped(path, {"a.txt": TEXT.encode()})
        assert annotate_files([path, good], tmp_path / "out", model).failed == []
        manifest = (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")
        assert '"../x.zip"' not in manifest and '"../x.zip!/a.txt"' in manifest


def test_tables(tmp_path: Path, model: Any) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = {
        "id": ["甲/乙", "../丙", "甲/乙"],
        "text": [TEXT, "办理完毕。", None],
        "body": ["一。", "二。", "三。"],
    }
    path = tmp_path / "报告.parquet"
    pq.write_table(pa.table(rows), path)
    assert find([path]).count() == 3
    assert found(path) == ["甲/乙", "../丙", "甲/乙#2"]
    result = annotate_files([path], tmp_path / "out", model)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.jsonl")) == ["_.._丙.jsonl", "甲_乙.jsonl"]
    assert (result.reports, [reason for _, reason in result.failed]) == (2, ["row 2 has no text"])
    assert found(path, id_column="body") == ["一。", "二。", "三。"]
    ((end),) = find([path], text_column="none")
    assert "has no column 'none', but id, text, body; name one with --text-column" in end.trouble
    pq.write_table(pa.table({"text": [TEXT]}), path)
    assert found(path) == ["报告-0"]


def test_tables_over_the_limits(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    small = limits(["file_mb=1", "archive_mb=2"])
    path = tmp_path / "x.parquet"

    def troubles(texts: list[str]) -> list[str]:
        pq.write_table(pa.table({"text": texts}), path, compression="zstd")
        before = pa.total_allocated_bytes()
        seen = []
        for item in find([path], limits=small):
            seen.append(item.trouble)
            assert pa.total_allocated_bytes() - before < 16 * 2**20
        return seen

    assert troubles(["a" * 2**19, "b" * (2**20 + 1), "", ""]) == [
        *("", "row 1 is larger than the limit of 1 MB", "", ""),
        "",
    ]
    # The same text again and again, which the file holds once.
    assert troubles(["a" * 2**23] * 64)[-1].startswith("x.parquet unpacks to more than")
    assert troubles([str(i) * 2**22 for i in range(8)]) == [
        "rows of x.parquet are larger than the limit of 1 MB; raise --limit file_mb"
    ]


def test_what_pyarrow_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    def batches(*_: Any, **__: Any) -> None:
        raise pa.ArrowNotImplementedError("no such encoding")

    pq.write_table(pa.table({"text": [TEXT]}), tmp_path / "x.parquet")
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", batches)
    (end,) = find([tmp_path / "x.parquet"])
    assert end.trouble == "x.parquet is damaged or not a Parquet file: no such encoding"


def test_damaged_datasets(tmp_path: Path, model: Any) -> None:
    pytest.importorskip("datasets")
    for name, file, text in (
        ("one", "state.json", "{}"),
        ("two", "dataset_dict.json", "[]"),
        ("three", "dataset_dict.json", '{"splits": 3}'),
    ):
        write(tmp_path / name / file, text)
        write(tmp_path / name / "dataset_info.json", "{}")
    good = write(tmp_path / "good.txt")
    places = [tmp_path / name for name in ("one", "two", "three")]
    result = annotate_files([*places, good], tmp_path / "out", model)
    assert result.reports == 1
    assert ["is damaged or not a dataset" in reason for _, reason in result.failed] == [True] * 3


def test_datasets(tmp_path: Path, model: Any) -> None:
    datasets = pytest.importorskip("datasets")
    one = datasets.Dataset.from_dict({"id": ["甲", "乙"], "text": [TEXT, "办理完毕。"]})
    one.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": one, "test": one}).save_to_disk(tmp_path / "both")
    assert found(tmp_path / "one") == ["甲", "乙"]
    assert found(tmp_path / "both") == ["train/甲", "train/乙", "test/甲", "test/乙"]
    assert annotate_files([tmp_path / "both"], tmp_path / "out", model, layout="folders").reports == 4
    assert (tmp_path / "out" / "test" / "乙.jsonl").is_file()


def test_a_report_is_known_by_its_place_seen_from_the_run_folder(tmp_path: Path, monkeypatch: Any) -> None:
    write(tmp_path / "in" / "a.txt")
    monkeypatch.chdir(tmp_path / "in")
    words = ("a.txt", "./a.txt", "../in/a.txt", str(Path.cwd()))
    keys = {item.key(tmp_path / "out") for word in words for item in find([word])}
    assert keys == {"../in/a.txt"}
    if os.name == "posix":
        (tmp_path / "linked").symlink_to(tmp_path / "in")
        assert [item.key(tmp_path / "out") for item in find([tmp_path / "linked" / "a.txt"])] == ["../in/a.txt"]


@given(st.text(st.characters()))
def test_names_are_safe(text: str) -> None:
    name = safe(text)
    assert name == Path(name).name and name not in ("", ".", "..")
    assert len(name.encode("utf-8")) <= 160
    assert not set(name) & set('<>:"/\\|?*\0\n') and not name.startswith(".") and not name.endswith((" ", "."))
    assert safe(name) == name


@pytest.mark.parametrize(
    "text", ["con", "CON.x", "con .x", "LPT1 .a", "com¹", "lpt³.txt", "CONIN$", "conout$.a", "nul.tar.gz", "aux  "]
)
def test_devices_of_windows_are_no_names(text: str) -> None:
    assert safe(text) == f"_{text.strip()}"
    assert safe(f"{text.strip()[:2]}-") == f"{text[:2]}-"


LONG = st.text("ab中𠀀 .", min_size=1, max_size=200)


@given(st.lists(st.tuples(st.lists(LONG, max_size=30), LONG), unique_by=lambda place: ("/".join(place[0]), place[1])))
def test_paths_are_bounded(places: list[tuple[list[str], str]]) -> None:
    for layout in ("flat", "folders", "hash"):
        names = Names(layout)
        given = set()
        for folders, stem in places:
            under = "/".join(folders)
            name = names.give(Input(Path("/r"), f"{under}/{stem}", stem, stem, under), f"{under}/{stem}")
            assert len(name.encode("utf-16-le")) // 2 <= 200
            assert all(part == safe(part) and len(part.encode()) <= 177 for part in name.split("/"))
            given.add(name.casefold())
        assert len(given) == len(places)


def test_long_folders_keep_their_beginning() -> None:
    def given(under: str) -> str:
        return Names("folders").give(Input(Path("/r"), "", "a.txt", "a", under), under)

    deep = "/".join(f"第{i}级" for i in range(20))
    assert given(deep) == f"{deep}/a"
    one, other = given(f"市/{'x' * 70}/{'y' * 70}"), given(f"市/{'x' * 70}/{'z' * 70}")
    assert one.startswith(f"市/{'x' * 70}/") and one.count("/") == 3 and one != other


PLACES = st.tuples(st.sampled_from(["", "x", "X", "y/x"]), st.sampled_from(["a", "A", "b", "a-x", "ａ"]))


@given(st.lists(PLACES, unique=True), st.data(), st.sampled_from(["flat", "folders", "hash"]))
def test_names_are_distinct_and_stay(places: list[tuple[str, str]], data: st.DataObject, layout: str) -> None:
    def item(place: tuple[str, str]) -> tuple[Input, str]:
        under, stem = place
        return Input(Path("/r", under, f"{stem}.txt"), "", f"{stem}.txt", stem, under), f"{under}/{stem}.txt"

    names = Names(layout)
    given = {place: names.give(*item(place)) for place in places}
    assert len({name.casefold() for name in given.values()}) == len(places)
    # Killed with any of them done, and started again, also with more inputs: what was done keeps its name …
    done = {place: given[place] for place in places if data.draw(st.booleans())}
    names = Names(layout, done.values())
    again = {place: done.get(place) or names.give(*item(place)) for place in places}
    assert again == given  # … and the rest get theirs
