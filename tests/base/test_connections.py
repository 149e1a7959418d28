"""Which connection is closed at the limit; tests/annotate/service tests sockets and slow clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pizhu.base.connections import ConnectionTable, _address_key
from pizhu.base.errors import ConfigError
from pizhu.base.terms import Terms


@dataclass(eq=False)
class Fake:
    """A connection as the table sees it."""

    table: ConnectionTable
    address_key: str = "a"
    idle: int = 2
    since: float = 0.0
    gone: bool = field(default=False)

    def idleness(self) -> int:
        return self.idle

    def give_way(self) -> None:
        self.gone = True
        self.table.remove(self)  # type: ignore[arg-type]


def table_of(*fakes: dict[str, Any], most: int, per_address: int = 99) -> tuple[ConnectionTable, list[Fake]]:
    table = ConnectionTable(Terms(most, per_address))
    present = [Fake(table, **options) for options in fakes]
    assert all(table.add(fake) for fake in present)  # type: ignore[arg-type]
    return table, present


def admits(table: ConnectionTable, **options: Any) -> bool:
    return table.add(Fake(table, **options))  # type: ignore[arg-type]


def test_who_waited_longest_makes_room() -> None:
    table, present = table_of({"since": 3.0}, {"since": 1.0}, {"since": 2.0, "idle": 0}, most=3)
    assert admits(table, address_key="b", since=9.0)
    assert [fake.gone for fake in present] == [False, True, False]


def test_who_leaves_anyway_goes_first_and_slow_uploads_last() -> None:
    table, present = table_of({"idle": 1}, {"idle": 2, "since": 1.0}, {"idle": 3, "since": 2.0}, most=3)
    for expected in ([0, 0, 1], [0, 1, 1], [1, 1, 1]):
        assert admits(table, idle=0)
        assert [fake.gone for fake in present] == expected
    assert not admits(table, idle=3), "all others are at work"


def test_who_is_at_work_is_never_sent_away() -> None:
    table, present = table_of({"idle": 0}, {"idle": 0}, most=2)
    for _ in range(9):
        assert not admits(table, idle=3)
    assert not any(fake.gone for fake in present)
    assert len(table._all) == 3, "of the refused one alone reads why"


def test_an_address_makes_room_among_its_own() -> None:
    table, present = table_of(
        {"address_key": "a", "since": 5.0}, {"address_key": "b", "since": 1.0}, most=9, per_address=1
    )
    assert admits(table, address_key="a")
    assert [fake.gone for fake in present] == [True, False]


def test_nothing_is_left_of_who_is_gone() -> None:
    table, present = table_of({"address_key": "a"}, {"address_key": "b"}, most=9)
    for fake in present * 2:
        table.remove(fake)  # type: ignore[arg-type]
    assert not table._all and not table._of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.5", "10.0.0.6", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.5", "10.0.0.5", True),
        ("::ffff:10.0.0.5", "::ffff:10.0.0.6", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "10.0.0.5", False),
    ],
)
def test_what_is_one_address(one: str, other: str, same: bool) -> None:
    assert (_address_key(one) == _address_key(other)) is same


@pytest.mark.parametrize("name", ["connections", "per_address", "patience", "pace"])
def test_terms_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is 0, expected a number above 0"):
        Terms(**{name: 0})
