"""Addresses and tokens: their sources, what is refused, and that messages show no secret."""

import os
from pathlib import Path

import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.private import read_private, write_private
from pizhu.labeling.server.accounts import Account, Accounts, read_people
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access, find_access

SERVED = Access("http://127.0.0.1:8080", "owner-token")
posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIZHU_LABEL_STUDIO_URL", "PIZHU_LABEL_STUDIO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_the_served_one_is_found() -> None:
    assert find_access(served=SERVED) == SERVED


def test_its_token_goes_nowhere_else() -> None:
    with pytest.raises(LabelingError, match=r"no token for Label Studio at https://else\.example"):
        find_access("https://else.example/", served=SERVED)


def test_the_environment_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIZHU_LABEL_STUDIO_TOKEN", "from-environment")
    monkeypatch.setenv("PIZHU_LABEL_STUDIO_URL", "https://else.example/")
    assert find_access(served=SERVED) == Access("https://else.example", "from-environment")
    write_private(tmp_path / "token", "from-file\n")
    assert find_access(token_file=tmp_path / "token").token == "from-file"


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "令 牌"
    path.write_text("secret-token", encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(LabelingError, match="chmod 600") as error:
        find_access(SERVED.url, path)
    assert "secret-token" not in str(error.value)


@posix
def test_private_files_are_private_from_the_start(tmp_path: Path) -> None:
    write_private(tmp_path / "a", "x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert read_private(tmp_path / "a") == "x"


@pytest.mark.parametrize("text", ["", "two words", "令牌", "a\nb"])
def test_what_is_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    write_private(tmp_path / "token", text)
    with pytest.raises(LabelingError, match="not a Label Studio token") as error:
        find_access(SERVED.url, tmp_path / "token")
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://a", "http://", "http://me:pass@host", "http://h:port"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(LabelingError, match="must look like") as error:
        find_access(url, served=SERVED)
    assert "pass" not in str(error.value)


def test_nothing_to_talk_to() -> None:
    with pytest.raises(LabelingError, match="pizhu label serve"):
        find_access()


def test_secrets_are_not_shown() -> None:
    shown = repr([SERVED, Account("甲", "a@b.cn", "pass-word", "tok-en"), Server("u", 1, "f", "tok-en")])
    assert not any(secret in shown for secret in ("owner-token", "pass-word", "tok-en"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_people(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "人员.txt"
    path.write_text("# 第一组\n甲\n 乙 ，YI@office.example  # 组长\n\n", encoding=encoding)
    assert read_people(path) == [("甲", None), ("乙", "yi@office.example")]


@pytest.mark.parametrize(
    ("text", "complaint"), [("甲\n甲", "line 2: the name 甲 is taken"), ("甲, jia", "not an email"), ("owner", "taken")]
)
def test_bad_people(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "p").write_text(text, encoding="utf-8")
    with pytest.raises(LabelingError, match=complaint):
        read_people(tmp_path / "p")


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match=r"名单\.txt does not exist"):
        read_people(tmp_path / "名单.txt")
    with pytest.raises(LabelingError, match="cannot be read"):
        read_people(tmp_path)


def test_the_owner_stays_the_same(tmp_path: Path) -> None:
    owner = Accounts(tmp_path / "accounts.json").owner
    assert len(owner.token) == 40
    assert Accounts(tmp_path / "accounts.json").owner == owner


def test_damaged_accounts(tmp_path: Path) -> None:
    write_private(tmp_path / "accounts.json", "{")
    with pytest.raises(LabelingError, match="not an accounts file"):
        Accounts(tmp_path / "accounts.json")
