"""Reading users' files: encodings, web pages, files that are not reports, and the command."""

import json
from pathlib import Path

import pytest
from pizhu.base.errors import ReadError
from pizhu.data.read import Limits, read_report
from typer.testing import CliRunner

TEXT = "澄岭市档案局2022年工作总结\r\n\r\n一、馆藏建设\r\n\r\n全年接收档案3.2万卷。整理照片1.1万张。\r\n"
PAGE = """<!DOCTYPE html><html><head><meta charset="{charset}"><title>别的</title>
<script>var 假 = "一、假";</script></head>
<body><div class="nav"><a href="a">首页</a> <a href="b">政务公开</a></div>
<div>当前位置：<a>首页</a> &gt; <a>工作总结</a></div><h1>澄岭市档案局2022年工作总结</h1>
<div id="zoom"><p>&emsp;&emsp;一年来，我局工作<b>平稳</b>推进。</p><p><strong>一、馆藏建设</strong></p>
<p><strong>接收规范有序。</strong>接收档案3.2万卷。<br>&emsp;&emsp;整理照片1.1万张。</p>
<table><tr><th>项目</th><th>数量</th></tr><tr><td>接收</td><td>3.2</td></tr></table>
<p style="display: none">看不见。</p></div>
<div class="share">分享到：<a>微信</a></div><footer>版权所有 澄岭市</footer></body></html>"""
REPORTS = Path(__file__).parents[3] / "shared" / "reports"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_offsets_are_into_the_decoded_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "工作 总结.txt"
    path.write_bytes(TEXT.encode(encoding))
    report = read_report(path)
    assert report.doc == "工作 总结.txt"
    assert report.text == TEXT
    assert [s.text for s in report.sentences][-2:] == ["全年接收档案3.2万卷。", "整理照片1.1万张。"]
    assert report.sentences[-1].headings == ("一、馆藏建设",)


@pytest.mark.parametrize("charset", ["utf-8", "gb2312"])
def test_a_saved_page_whatever_its_name(tmp_path: Path, charset: str) -> None:
    path = tmp_path / "页.txt"
    path.write_bytes(PAGE.format(charset=charset).encode("gb18030" if charset == "gb2312" else charset))
    rows = [(s.kind, s.text, s.headings) for s in read_report(path).sentences]
    assert rows == [
        ("furniture", "首页 政务公开", ()),
        ("furniture", "当前位置：首页 > 工作总结", ()),
        ("heading", "澄岭市档案局2022年工作总结", ()),
        ("sentence", "一年来，我局工作平稳推进。", ()),
        ("heading", "一、馆藏建设", ()),
        ("sentence", "接收规范有序。", ("一、馆藏建设",)),
        ("sentence", "接收档案3.2万卷。", ("一、馆藏建设", "接收规范有序。")),
        ("sentence", "整理照片1.1万张。", ("一、馆藏建设",)),
        ("furniture", "项目\t数量", ("一、馆藏建设",)),
        ("sentence", "接收\t3.2", ("一、馆藏建设",)),
        ("furniture", "分享到：微信", ("一、馆藏建设",)),
        ("furniture", "版权所有 澄岭市", ("一、馆藏建设",)),
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("空.txt", b"", "is empty"),
        ("白.txt", "\n \u3000\n".encode(), "is empty"),
        ("壳.txt", "首页 > 政务公开\n打印 关闭\n".encode(), "holds no sentence"),
        ("图.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "is a picture"),
        ("页.html", b"<html><body><script>1</script></body></html>", "web page without any text"),
    ],
)
def test_what_is_no_report_says_why(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ReadError, match=said) as error:
        read_report(path)
    assert str(error.value).startswith(name)


def test_missing_files_folders_and_limits(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="does not exist"):
        read_report(tmp_path / "无.txt")
    with pytest.raises(ReadError, match="is a folder"):
        read_report(tmp_path)
    path = tmp_path / "长.txt"
    path.write_text("全面推进" * 300_000, encoding="utf-8")
    with pytest.raises(ReadError, match="line of 1,200,000 characters"):
        read_report(path)
    with pytest.raises(ReadError, match="1,200,000 characters"):
        read_report(path, limits=Limits(characters=1_000_000))
    with pytest.raises(ReadError, match="larger than the limit of 1 MB"):
        read_report(path, limits=Limits(file_mb=1))


def test_the_command_shows_what_it_can_and_says_what_it_cannot(tmp_path: Path) -> None:
    import typer
    from pizhu.cli.read import read

    app = typer.Typer()
    app.command()(read)
    good, bad = tmp_path / "好.txt", tmp_path / "坏.txt"
    good.write_text(TEXT, encoding="utf-8")
    bad.write_bytes(b"")
    result = CliRunner().invoke(app, [str(bad), str(good), "--json"])
    assert result.exit_code == 1
    assert "坏.txt is empty" in result.stderr
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["heading", "heading"] + [
        "sentence"
    ] * 2
    table = CliRunner().invoke(app, [str(good)])
    assert table.exit_code == 0
    assert "馆藏建设" in table.stdout


@pytest.mark.skipif(not REPORTS.is_dir(), reason="the real reports beside the repository are absent")
def test_all_real_reports_are_read() -> None:
    for path in sorted(REPORTS.rglob("*.txt")):
        report = read_report(path)
        assert sum(s.kind == "sentence" for s in report.sentences) > 40, path.name
        assert all(report.text[s.start : s.end] == s.text for s in report.sentences)
