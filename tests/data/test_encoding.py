"""Every usual Chinese encoding is detected from its bytes, and a file that is not text is refused."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import ReadError
from pizhu.data.encoding import decode

TEXT = (
    "澄岭市档案局2022年工作总结\r\n\r\n一、馆藏建设\r\n全年接收档案3.2万卷，整理照片1.1万张。\r\n下一步，我们将继续努力。\r\n"
    * 3
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("length", [12, 60, None])
def test_each_encoding_is_found(encoding: str, length: int | None) -> None:
    text = TEXT[:length]
    assert decode(text.encode(encoding), "报告.txt") == text


def test_traditional_characters_in_big5() -> None:
    text = "各項工作取得進展，為人民服務的能力進一步提升。"
    assert decode(text.encode("big5"), "報告.txt") == text


def test_a_declared_encoding_is_believed_where_it_fits() -> None:
    text = "档案"
    assert decode(text.encode("gbk"), "页.html", "gb2312") == text
    assert decode(TEXT.encode("gb18030"), "页.html", "utf-16") == TEXT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("utf-16")[:-1], "cut off"),
        (TEXT.encode("utf-16-le")[:-1], "cut off"),
        ("全年接收档案三万卷。".encode()[:-1], "cut off"),
        (b"\xff\xfe" + b"\x00\xd8\x00\xd8" * 4 + b"a\0", "says it is UTF-16"),
        ("全年接收档案".encode() + b"\xff" + "三万卷，整理照片。".encode(), "damaged bytes, the first at 18"),
        (random.Random(1).randbytes(5000), "not text"),
        (b"\0" * 1000, "not text"),
    ],
)
def test_what_is_no_text_says_why(data: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said) as error:
        decode(data, "坏.txt")
    assert str(error.value).startswith("坏.txt ")
    assert "\n" not in str(error.value)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_text_or_one_sentence(data: bytes) -> None:
    try:
        decode(data, "x")
    except ReadError as error:
        assert str(error).startswith("x ")
