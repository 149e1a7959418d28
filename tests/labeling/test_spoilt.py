"""Whatever a server answers, a command ends with one sentence, in bounded memory, and protects its token."""

import copy
import gzip
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import PizhuError
from pizhu.base.files import read_records
from pizhu.labeling.studio import bounded
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect, list_all
from pizhu.labeling.studio.pull import pull

from .fake_studio import ANSWERS, FakeStudio, fake_studio

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

SPOILT: tuple[Any, ...] = (None, 10**30, float("nan"), "\ud800", "\0", [[]], {"id": {}})
BODIES = (
    b"",
    b'{"count": 1, "results": [{"id"',
    b"\xff\xfe\x00",
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b"<html>",
    b"1" * 5000,
    b"null",
)


@pytest.fixture
def fake() -> Iterator[FakeStudio]:
    with fake_studio() as fake:
        yield fake


class Pulls:
    """Pulls from one that answers falsely, where a first pull was answered rightly."""

    def __init__(self, access: Access, folder: Path) -> None:
        self.access, self.folder = access, folder
        self.numbers = itertools.count()
        pull(access, folder / "good" / "a.jsonl")
        self.good = (folder / "good" / "a.jsonl").read_bytes()

    def __call__(self, *, full: bool) -> PizhuError | None:
        """What was told; a pull that failed leaves what was there, one that did not leaves records."""
        output = Path(shutil.copytree(self.folder / "good", self.folder / str(next(self.numbers)))) / "a.jsonl"
        told = None
        try:
            pull(self.access, output, full=full)
        except PizhuError as error:
            told = error
            assert len(str(error)) < 400 and output.read_bytes() == self.good
        assert all(json.dumps(record, allow_nan=False) for record in read_records(output))
        return told


@pytest.fixture
def pulls(fake: FakeStudio, tmp_path: Path) -> Pulls:
    return Pulls(Access(fake.url, "a-token"), tmp_path)


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a JSON document."""
    yield at
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield from places(value, (*at, key))


def spoilt(document: Any, at: tuple[Any, ...], value: object) -> Any:
    """The document with another value at that place."""
    if not at:
        return value
    document = copy.deepcopy(document)
    place = document
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    return document


@pytest.mark.parametrize("path", ANSWERS)
def test_spoilt_fields(fake: FakeStudio, pulls: Pulls, path: str) -> None:
    """Every field once, with the kinds of nonsense in turn."""
    told = []
    for at, nonsense in zip(places(ANSWERS[path]), itertools.cycle(SPOILT), strict=False):
        fake.answers = {**ANSWERS, path: spoilt(ANSWERS[path], at, nonsense)}
        told.append(pulls(full=not path.endswith("times")))
    assert any(told)


@pytest.mark.parametrize("path", ANSWERS)
def test_spoilt_answers(fake: FakeStudio, pulls: Pulls, path: str) -> None:
    for body in BODIES:
        fake.raw = {path: ({}, body)}
        assert pulls(full=not path.endswith("times")), body[:30]


@pytest.mark.parametrize("packed", ["gzip", "br, gzip"])
def test_packed_answers_are_not_unpacked(fake: FakeStudio, pulls: Pulls, packed: str) -> None:
    """However little it is, it may become anything."""
    for path in ANSWERS:
        fake.raw = {path: ({"content-encoding": packed}, gzip.compress(json.dumps(ANSWERS[path]).encode()))}
        assert "sent a compressed response" in str(pulls(full=not path.endswith("times")))
    assert {headers["Accept-Encoding"] for _, headers in fake.asked} == {"identity"}


@pytest.mark.parametrize("path", [*ANSWERS, "moved"])
def test_answers_without_end(fake: FakeStudio, pulls: Pulls, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading ends soon after the bound, also where the answer is to be passed over."""
    monkeypatch.setattr(bounded, "ANSWER", 1 << 20)
    monkeypatch.setattr(bounded, "EXPORT", 2 << 20)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b" " * (1 << 16)

    headers = {"location": "/api/users/"} if path == "moved" else {}
    fake.raw = {"/api/projects/1/" if path == "moved" else path: (headers, endless())}
    told = pulls(full=not path.endswith("times"))
    assert f"more than {2 if path.endswith('export') else 1} MB" in str(told)
    assert sent < 32 << 20  # what fits into the buffers between them besides


def test_lists_without_end(fake: FakeStudio) -> None:
    """A page that comes again and again, though there is said to be more."""
    fake.answers["/api/x/"] = {"count": 10**9, "results": [{"id": 1}, {"id": 2}]}
    with connect(Access(fake.url, "a-token")) as client:
        assert [entry["id"] for entry in list_all(client, "api/x", "results")] == [1, 2]


def test_the_token_is_not_sent_on(fake: FakeStudio, pulls: Pulls) -> None:
    with fake_studio() as other:
        fake.raw = {"/api/users/": ({"location": f"{other.url}/api/users/"}, b"")}
        pulls(full=True)
        assert other.asked and not any("Authorization" in headers for _, headers in other.asked)
