"""A record is what docs/records.md says, field by field; anything else is refused in one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pizhu
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import DataError
from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.records import (
    NEEDED,
    AnswerRecord,
    Decided,
    DecisionRecord,
    DoubtRecord,
    Kind,
    Record,
    State,
    check_record,
    load_records,
)

DOCS = Path(pizhu.__file__).parent / "docs"
PLACES = {
    "An answer": ("answers", AnswerRecord),
    "A decision": ("adjudication", DecisionRecord),
    "A doubt": ("doubts", DoubtRecord),
}
"""Where the tables below these heads belong, with their types; the other tables are the record's own."""


def rows(page: str) -> Iterator[tuple[str, str, str, Any]]:
    """(head, field, type, example) of each row of the tables of fields."""
    head = ""
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            head = line.lstrip("# ")
        elif match := re.match(r"\| `(\w+)` \| (.+?) \| `(.+?)` \| .+ \|$", line):
            yield head, match[1], match[2], json.loads(match[3])


FIELDS = [
    (PLACES.get(head, ("", Record))[0], field, type_, example) for head, field, type_, example in rows("records.md")
]


def record(**fields: Any) -> dict[str, Any]:
    return {"doc": "甲.txt", "start": 5, "end": 8, "text": "改了。", **fields}


def placed(inside: str, field: str, value: Any) -> dict[str, Any]:
    """A record whose ``field``, of the first of ``inside`` where that is not "", has the value."""
    if not inside:
        return record(**{field: value})
    whole = {name: example for place, name, _, example in FIELDS if place == inside and name != "spans"}
    return record(**{inside: [{**whole, field: value}]})


def test_every_field_is_described() -> None:
    for inside, shape in [("", Record), *PLACES.values()]:
        assert sorted(f for place, f, _, _ in FIELDS if place == inside) == sorted(shape.__annotations__)  # type: ignore[attr-defined]


def test_the_chinese_twin_has_the_same_fields_and_examples() -> None:
    english, chinese = ([(f, example) for _, f, _, example in rows(p)] for p in ("records.md", "records.zh.md"))
    assert english == chinese


@pytest.mark.parametrize(("inside", "field", "type_", "example"), FIELDS)
def test_examples_are_right(inside: str, field: str, type_: str, example: Any) -> None:
    given = placed(inside, field, example)
    if (inside, field) == ("", "start"):
        given["end"] = example + 1
    assert check_record(given, "here", DEFAULT_LABELS) is given
    assert fits(type_, example) or (isinstance(example, list) and isinstance(example[0], dict))


def fits(type_: str, value: Any) -> bool:
    """Whether a value is what the page's words for a type say; of lists of objects the empty one alone is known."""
    plain, optional = re.subn(r",? or null$", "", type_)
    if type_ == "list, each a list of texts or null":
        return isinstance(value, list) and all(item is None or fits("list of texts", item) for item in value)
    if type_.startswith("one of "):
        return (isinstance(value, str) and value in re.findall(r"`(\w+)`", type_)) or (bool(optional) and value is None)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    known = {
        "text": isinstance(value, str),
        "whole number": isinstance(value, int) and number,
        "number": number,
        "true or false": isinstance(value, bool),
        "true, false": isinstance(value, bool),
        "object": isinstance(value, dict),
        "object of numbers": isinstance(value, dict) and all(fits("number", v) and 0 <= v <= 1 for v in value.values()),
        "list of texts": isinstance(value, list) and all(isinstance(item, str) for item in value),
        "list of decisions": isinstance(value, list) and all(isinstance(item, dict) for item in value),
    }
    return (bool(optional) and value is None) or known.get(plain, value == [])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.just(10**400)
    | st.floats()
    | st.text(st.characters(), max_size=3)
    | st.sampled_from(["heading", "none", "single", "plan", "\ud800", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["plan", "\ud800"]), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, max_examples=1500)
@given(st.sampled_from(FIELDS), VALUES)
def test_whatever_is_no_field_is_told(field: tuple[str, str, str, Any], value: Any) -> None:
    inside, name, type_, _ = field
    given = placed(inside, name, value)
    right = fits(type_, value)
    if name in ("start", "end"):
        right = right and 0 <= given["start"] < given["end"] < 2**31
    if name in ("score", "lead_time") and right and value is not None:
        right = abs(value) < 1e300 or isinstance(value, float)  # a float holds no more
    try:
        check_record(given, "甲.jsonl, record 7")
    except DataError as error:
        said = str(error)
        assert not right, said
        assert re.match(r"甲\.jsonl, record 7: \S", said) and name.removesuffix("s") in said, said
        assert said.isprintable() and len(said) < 200
    else:
        assert right


def test_the_page_names_every_choice() -> None:
    told = {field: re.findall(r"`(\w+)`", type_) for _, field, type_, _ in FIELDS if type_.startswith("one of")}
    assert told == {"kind": [*get_args(Kind)], "state": [*get_args(State)], "decided": [*get_args(Decided)]}


@pytest.mark.parametrize("field", NEEDED)
def test_what_every_record_has(field: str) -> None:
    given = {name: value for name, value in record().items() if name != field}
    with pytest.raises(DataError, match=f"^here: lacks {field}$"):
        check_record(given, "here")
    check_record(given, "here", needed=[name for name in NEEDED if name != field])


@pytest.mark.parametrize("row", [[], None, "甲", 3])
def test_what_is_no_object(row: object) -> None:
    with pytest.raises(DataError, match=r"^here: it must be an object, not "):
        check_record(row, "here")


def test_fields_of_ones_own_stay(tmp_path: Path) -> None:
    """Records that are read and written again have the same bytes: whatever the order of fields, and whole scores."""
    own = {"我的": [{"a": None}], "\ud800": 1, "page": 3, "score": 0.5}
    given = [record(**own, scores={"plan": 1, "metric": 0.5}, labels=[]), record(lead=[{**record(), "own": 1}])]
    write_records(tmp_path / "a.jsonl", given)
    write_records(tmp_path / "b.jsonl", load_records(tmp_path / "a.jsonl", DEFAULT_LABELS))
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "\ud800"}, "kind must be one of sentence, heading, furniture"),
        ({"kind": 10**4000}, "kind must be a text, not a whole number"),
        ({"labels": ["x" * 9000]}, "unknown label 'xxx.*, expected one of achievement"),
        ({"scores": {"plan": 10**400}}, "a value of scores holds a number that is too large"),
        ({"start": -(10**4000)}, "start .* is not a range of characters"),
        ({"answers": [{"labels": []}]}, r"answers\[0\] lacks annotator"),
        ({"spans": [{"label": "value", "start": 0, "end": 1, "text": "a"}, {}]}, r"spans\[1\] lacks label"),
        ({"lead": [{"start": 3, "end": 3, "text": "a"}]}, r"lead\[0\]: start 3, end 3 is not a range of characters"),
    ],
)
def test_what_is_told(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=f"^a.jsonl, record 1: {said}") as error:
        check_record(record(**fields), "a.jsonl, record 1", DEFAULT_LABELS)
    assert len(str(error.value)) < 200
