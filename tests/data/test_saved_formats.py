"""Saved pages in one file, and what LibreOffice converts."""

import base64
import quopri
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pizhu.base.errors import ReadError
from pizhu.data.read import Limits, read_report
from pizhu.data.readers import office

PAGE = '<html><body><div class="nav"><a>首页</a></div><p>全年接收档案三万卷。</p><p>群众满意。</p></body></html>'


def mht(encode: str, charset: str) -> bytes:
    data = PAGE.encode(charset)
    body = quopri.encodestring(data) if encode == "quoted-printable" else base64.encodebytes(data)
    head = (
        "From: <由浏览器保存>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n"
        ' boundary="=b"\r\n\r\n'
        f'--=b\r\nContent-Type: text/html; charset="{charset}"\r\nContent-Transfer-Encoding: {encode}\r\n\r\n'
    )
    return head.encode("utf-8") + body + b"\r\n--=b\r\nContent-Type: image/png\r\n\r\nxx\r\n--=b--\r\n"


@pytest.mark.parametrize("encode", ["quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "gb2312"])
def test_mht(tmp_path: Path, encode: str, charset: str) -> None:
    path = tmp_path / "页.mht"
    path.write_bytes(mht(encode, charset))
    rows = [(s.kind, s.text) for s in read_report(path).sentences]
    assert rows == [("furniture", "首页"), ("sentence", "全年接收档案三万卷。"), ("sentence", "群众满意。")]


def test_mht_without_a_page(tmp_path: Path) -> None:
    path = tmp_path / "页.mht"
    path.write_bytes(b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b--\r\n')
    with pytest.raises(ReadError, match="without a page in it"):
        read_report(path)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (OLE + "Workbook".encode("utf-16-le"), "is a spreadsheet"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "no text document"),
    ],
)
def test_what_is_no_report(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "旧.doc"
    path.write_bytes(data)
    with pytest.raises(ReadError, match=said):
        read_report(path)


def test_without_libreoffice_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "find_office", lambda: None)
    path = tmp_path / "旧.doc"
    path.write_bytes(OLE)
    with pytest.raises(ReadError, match="package libreoffice-writer"):
        read_report(path, isolated=False)


needs_office = pytest.mark.skipif(office.find_office() is None, reason="LibreOffice is not installed")


@needs_office
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["doc", "odt", "rtf", "wps"])
def test_what_libreoffice_converts(tmp_path: Path, ending: str) -> None:
    page = tmp_path / "源.html"
    page.write_text(PAGE.replace('<div class="nav"><a>首页</a></div>', ""), encoding="utf-8")
    target = {"doc": "doc:MS Word 97", "wps": "doc:MS Word 97"}.get(ending, ending)
    profile = f"-env:UserInstallation={(tmp_path / 'p').as_uri()}"
    command = [
        office.find_office() or "",
        "--headless",
        profile,
        "--infilter=HTML (StarWriter)",
        "--convert-to",
        target,
    ]
    subprocess.run([*command, "--outdir", str(tmp_path), str(page)], check=True, capture_output=True, timeout=120)
    made = tmp_path / f"源.{'doc' if ending == 'wps' else ending}"
    path = made.rename(tmp_path / f"往年 报告.{ending}")
    assert [s.text for s in read_report(path).sentences] == ["全年接收档案三万卷。", "群众满意。"]


@needs_office
@pytest.mark.slow
def test_two_files_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.rtf" for i in range(3)]
    for path in paths:
        path.write_bytes(rb"{\rtf1\ansi Work is done. All is well.}")
    with ThreadPoolExecutor(3) as threads:
        assert len([report.text for report in threads.map(read_report, paths)]) == 3


@needs_office
@pytest.mark.slow
def test_damaged_and_slow_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "坏.doc"
    path.write_bytes(OLE + bytes(range(256)) * 20)
    with pytest.raises(ReadError, match=r"坏\.doc "):
        read_report(path)
    sleeper = tmp_path / "soffice"
    sleeper.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    sleeper.chmod(0o755)
    monkeypatch.setattr(office, "find_office", lambda: str(sleeper))
    with pytest.raises(ReadError, match="longer than the limit of 1 seconds"):
        read_report(path, limits=Limits(seconds=1), isolated=False)
