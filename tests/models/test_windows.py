"""Windows cover every report: each unit is labelled once, inside its window, within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pizhu.base.errors import ModelError
from pizhu.data.report import Report, Span, normalise
from pizhu.models.windows import ROLES, ContextFormat, SpecialTokens, units, windows
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

if TYPE_CHECKING:
    from pizhu.data.records import Kind


def tokenizer() -> Tokenizer:
    """A character a token; what it does not know is the fourth id."""
    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"一二三四五六七八九十全年完成了。，；"]
    made = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    return made


TOKENIZER = tokenizer()
SPECIAL = SpecialTokens.of(TOKENIZER)
PIECES = st.text(
    alphabet=st.sampled_from("一二三四五完成了。， \u3000\n\t\x00\u202e\u200b🙂é\ud800"), min_size=1, max_size=60
)
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["sentence", "heading", "furniture"])


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any text cut anywhere, with headings of any level."""
    rows = draw(st.lists(st.tuples(PIECES, KINDS, st.integers(0, 5), st.sampled_from(["", "\n", " "])), max_size=25))
    text, spans = "", []
    for piece, kind, level, space in rows:
        text += space
        spans.append(Span(len(text), len(text) + len(piece), kind, level if kind == "heading" else 0))
        text += piece
    return Report.build("任意.txt", text, spans)


@st.composite
def formats(draw: st.DrawFn) -> ContextFormat:
    """Any context format that a recipe allows."""
    prefix, unit = draw(st.integers(0, 40)), draw(st.integers(8, 40))
    tokens = draw(st.integers(max(32, prefix + unit + 3), 150))
    before, after = (draw(st.integers(0, 6)) for _ in "ba")
    return ContextFormat(tokens, before, after, prefix, unit, draw(st.integers(0, 3)))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(reports(), formats())
def test_every_unit_is_answered_once(report: Report, context: ContextFormat) -> None:
    parts = units(report, TOKENIZER, context)
    assert [part.index for part in parts] == [i for i, s in enumerate(report.sentences) if s.kind != "furniture"]
    assert all(0 <= part.role < ROLES and len(part.tokens) <= context.unit for part in parts)
    found = windows(report, parts, TOKENIZER, SPECIAL, context)
    assert [unit for window in found for unit, _, _ in window.spans] == list(range(len(parts)))
    for window in found:
        assert window.tokens[0] == SPECIAL.cls and window.tokens[-1] == SPECIAL.sep
        assert window.tokens.count(SPECIAL.cls) == 1 and window.tokens.count(SPECIAL.sep) == 2
        assert len(window.tokens) <= context.tokens
        assert not context.units or len(window.spans) <= context.units
        for unit, start, end in window.spans:
            assert window.tokens[start:end] == parts[unit].tokens


def report_of(*rows: tuple[str, Kind]) -> Report:
    text, spans = "", []
    for piece, kind in rows:
        spans.append(Span(len(text), len(text) + len(piece), kind, 1 if kind == "heading" else 0))
        text += piece + "\n"
    return Report.build("报告.txt", text, spans)


def text_of(ids: tuple[int, ...]) -> str:
    return "".join(TOKENIZER.id_to_token(i) or "" for i in ids)


def test_what_stands_in_a_window() -> None:
    report = report_of(("一、", "heading"), ("二。", "sentence"), ("三", "furniture"), ("四。", "sentence"))
    context = ContextFormat(tokens=32, prefix=8, unit=8)
    (window,) = windows(report, units(report, TOKENIZER, context), TOKENIZER, SPECIAL, context)
    assert text_of(window.tokens) == "[CLS]一[UNK][SEP]一[UNK]二。四。[SEP]"
    assert window.spans == ((0, 4, 6), (1, 6, 8), (2, 8, 10))


def test_neighbours_are_context_and_not_answered_again() -> None:
    report = report_of(*((c * 8, "sentence") for c in "一二三四五"))
    context = ContextFormat(tokens=36, before=1, after=1, prefix=0, unit=16)
    found = windows(report, units(report, TOKENIZER, context), TOKENIZER, SPECIAL, context)
    assert [text_of(w.tokens[2:-1]) for w in found] == [
        "一" * 8 + "二" * 8 + "三" * 8 + "四" * 8 + "五",
        "四" * 8 + "五" * 8,
    ]
    assert [[unit for unit, _, _ in w.spans] for w in found] == [[0, 1, 2, 3], [4]]


def test_long_units_keep_head_and_tail() -> None:
    report = report_of(("一" * 30 + "二" * 30, "sentence"))
    context = ContextFormat(tokens=32, prefix=0, unit=12)
    (part,) = units(report, TOKENIZER, context)
    assert text_of(part.tokens) == "一" * 9 + "二" * 3


def test_roles_tell_paragraphs_and_levels() -> None:
    text = "题\n一、\n（一）\n一。二。\n三。"
    spans = [
        Span(0, 1, "heading"),
        Span(2, 4, "heading", 1),
        Span(5, 8, "heading", 2),
        Span(9, 11, "sentence"),
        Span(11, 13, "sentence"),
        Span(14, 16, "sentence"),
    ]
    parts = units(Report.build("a", text, spans), TOKENIZER, ContextFormat())
    assert [part.role for part in parts] == [2, 2, 3, 1, 0, 1]


def test_a_report_of_furniture_only() -> None:
    report = report_of(("打印", "furniture"))
    assert units(report, TOKENIZER, ContextFormat()) == []
    assert windows(report, [], TOKENIZER, SPECIAL, ContextFormat()) == []


def test_a_tokenizer_without_frames() -> None:
    with pytest.raises(ModelError, match=r"has no <s> or \[CLS\]"):
        SpecialTokens.of(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))


@given(st.text(max_size=200) | PIECES)
def test_normalised_text_can_be_read_by_any_tokenizer(text: str) -> None:
    plain = normalise(text)
    plain.encode("utf-8")
    assert not any(c.isspace() for c in plain)
