"""State files match their types, or are refused in words that quote nothing from them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.typed import Misfit, parse, typed
from pizhu.labeling.backend.state import Run, State
from pizhu.labeling.server.accounts import Account
from pizhu.labeling.server.postgresql import PostgreSQL
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.snapshots import Snapshot

RUN = Run(3, "taken", "asked", "2026-11-22T00:34:52Z", "2026-11-22T00:40:00Z", (4, 1), 0.5, 0.75)
WHOLE: list[Any] = [
    Account("甲", "jia@example.cn", "secret", "token"),
    PostgreSQL("u", "h", 5432, "n", "secret"),
    Server("http://127.0.0.1:1", 7, "/f", "token", "127.0.0.1", None),
    State("ab", 2, (1, 2), 4, ("甲.txt",), (), RUN),
    Snapshot("2026-11-22T00:34:52Z", 1, "2026-11-22T00:34:52Z", "t", {"1": "甲"}, "ff", True, 3),
]
IDS = [type(whole).__name__ for whole in WHOLE]


@pytest.mark.parametrize("whole", WHOLE, ids=IDS)
def test_what_was_written_comes_back(whole: Any) -> None:
    text = json.dumps({**asdict(whole), "of a later version": [1]}, ensure_ascii=False)
    assert parse(text, type(whole)) == parse(text.encode(), type(whole)) == whole


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9) | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(st.characters(), max_size=2), inner, max_size=2)
    ),
    max_leaves=3,
)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(WHOLE), st.data())
def test_a_spoilt_field_is_told(whole: Any, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(asdict(whole))))
    value = data.draw(VALUES)
    try:
        found = parse(json.dumps({**asdict(whole), field: value}), type(whole))
    except Misfit as error:
        said = str(error)
        assert said.startswith(("it ", field, f"a value of {field}")) and len(said) < 120 and said.isprintable(), said
        assert "secret" not in said and "token" not in said.removeprefix("token")
    else:
        kept = json.loads(json.dumps(asdict(found)))[field]
        assert kept == json.loads(json.dumps(value)) and type(kept) is type(value)


@dataclass(frozen=True)
class Pair:
    left: int
    right: list[str]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("9" * 5000, "it is not JSON"),
        ("[1]", "it must be an object, not a list"),
        ("{}", "lacks left"),
        ('{"left": 1.5, "right": []}', "left must be a whole number, not a number"),
        ('{"left": true, "right": []}', "left must be a whole number, not true or false"),
        ('{"left": 1, "right": null}', "right must be a list, not null"),
        ('{"left": 1, "right": ["a", 2]}', r"right\[1\] must be a text, not a whole number"),
        ('{"left": 1, "right": [], "\\ud800": 1}', "it holds half a character"),
    ],
)
def test_in_words(text: str, said: str) -> None:
    with pytest.raises(Misfit, match=f"^{said}$"):
        parse(text, Pair)


def test_lists() -> None:
    assert typed([{"left": 1, "right": ["a"]}], list[Pair]) == [Pair(1, ["a"])]
    with pytest.raises(Misfit, match=r"^\[1\] lacks right$"):
        typed([{"left": 1, "right": []}, {"left": 2}], list[Pair])
