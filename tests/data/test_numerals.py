"""Numerals of every kind have one exact value; the independent cn2an writes what is read here."""

from __future__ import annotations

import re
from decimal import Decimal

import cn2an
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.data.quantities.numerals import NUMERAL, interval, number

UPPER = 10**12


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("1,234,567", "1234567"),
        ("2.46", "2.46"),
        ("3.2万", "32000"),
        ("1.23456万", "12345.6"),
        ("3.42万亿", "3420000000000"),
        ("1亿2000万", "120000000"),
        ("1万3千", "13000"),
        ("5百", "500"),
        ("3.5百万", "3500000"),
        ("9007199254740993", "9007199254740993"),
        ("两千", "2000"),
        ("一百二", "120"),
        ("两万五", "25000"),
        ("三千零五十", "3050"),
        ("一亿零三万", "100030000"),
        ("一万三千亿", "1300000000000"),
        ("四点三", "4.3"),
        ("三点一四万", "31400"),
        ("十", "10"),
        ("百", "100"),
        ("二〇二五", "2025"),
        ("一九八○", "1980"),
    ],
)
def test_values(text: str, value: str) -> None:
    assert number(text) == Decimal(value)
    assert re.fullmatch(NUMERAL, text) or text == "百"


@pytest.mark.parametrize(
    "text", ["", "万里", "点五", "百千", "三四百", "1.2.3", "12,34", "三点", "五千三千", "9" * 41, "-3"]
)
def test_what_is_no_numeral(text: str) -> None:
    assert number(text) is None


@given(st.integers(0, UPPER))
@settings(max_examples=500)
def test_there_and_back(value: int) -> None:
    for text in (cn2an.an2cn(str(value)), str(value), f"{value:,}"):
        assert number(text) == value
        match = re.match(NUMERAL, text + "件")
        assert match is not None and match[0] == text


@given(st.integers(0, 99_999_999), st.integers(0, 9999), st.sampled_from(["", "万", "亿", "万亿"]))
def test_scales_are_exact(whole: int, part: int, scale: str) -> None:
    factor = {"": 1, "万": 10**4, "亿": 10**8, "万亿": 10**12}[scale]
    assert number(f"{whole}.{part:04}{scale}") == Decimal(f"{whole}.{part:04}") * factor


@given(st.text(alphabet="零一二两三五九十百千万亿点0159.,", max_size=60))
@settings(max_examples=500)
def test_nonsense_has_a_value_or_none(text: str) -> None:
    value = number(text)
    assert value is None or value >= 0
    assert interval(text) is None or interval(text) != (value, value)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("两三百", 200, 300), ("十五六", 15, 16), ("七八十", 70, 80), ("三四", 3, 4), ("一两万", 10**4, 2 * 10**4)],
)
def test_digits_side_by_side_are_a_range(text: str, low: int, high: int) -> None:
    assert interval(text) == (low, high)


@pytest.mark.parametrize("text", ["三五", "一二三", "一百二十", "", "四三"])
def test_other_digits_are_none(text: str) -> None:
    assert interval(text) is None
