"""Hand-linked pairs: two reports of one body, and which sentences of the later one answer which of the earlier one.

A pair is a folder with two files in the corpus' format, named by year, and ``links.toml``. There each sentence is
identified by an excerpt that occurs in no other sentence with the required label. ``data/pairs/README.md`` says how the
shipped pairs were made and what the links mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pizhu.analysis.compare.place import Place, Side
from pizhu.base.errors import DataError
from pizhu.data.corpus.load import CorpusReport, parse_report

PairSplit = Literal["development", "held-out"]
PAIR_SPLITS: tuple[PairSplit, ...] = ("development", "held-out")
STATUSES = ("answered", "partly", "unanswered", "general")


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity as written, and its sentence."""

    place: Place
    text: str


@dataclass(frozen=True)
class PlanLink:
    """The outcome of a plan of the earlier report.

    Attributes:
        status: ``answered``, ``partly``, ``unanswered``, or ``general`` for a plan that names nothing to look for.
        answers: the achievements of the later report that answer it; empty unless it is answered, wholly or partly.
    """

    plan: Place
    status: str
    answers: tuple[Place, ...]


@dataclass(frozen=True)
class ShortcomingLink:
    """The plans that follow from a shortcoming.

    Attributes:
        general: it only opens a list or closes it.
        plans: plans against it, in its own report or the next one.
        again: shortcomings of the later report that repeat it.
    """

    shortcoming: Place
    general: bool
    plans: tuple[Place, ...]
    again: tuple[Place, ...]


@dataclass(frozen=True)
class FigureLink:
    """Two quantities of the same thing: reported in both years, or planned and reported (``met``: whether reached)."""

    old: Amount
    new: Amount
    met: bool | None = None


@dataclass(frozen=True)
class Pair:
    """Two linked reports."""

    id: str
    split: PairSplit
    earlier: CorpusReport
    later: CorpusReport
    plans: tuple[PlanLink, ...]
    shortcomings: tuple[ShortcomingLink, ...]
    figures: tuple[FigureLink, ...]
    targets: tuple[FigureLink, ...]


def pairs_folder() -> Path:
    """The folder of the shipped pairs."""
    return Path(__file__).parents[2] / "data" / "pairs"


def load_pairs(folder: str | Path | None = None, split: PairSplit | None = None) -> list[Pair]:
    """The pairs of a folder (None: the shipped ones) by name, or those of one ``split``.

    Raises:
        DataError: a report or a list of links is wrong; the message names file and excerpt.
    """
    folder = pairs_folder() if folder is None else Path(folder)
    found = [parse_pair(path.parent) for path in sorted(folder.glob("*/links.toml"))]
    if not found:
        raise DataError(f"there is no pair (a folder with links.toml) in {folder}")
    return [pair for pair in found if split in (None, pair.split)]


def parse_pair(folder: Path) -> Pair:
    """Read one pair; a DataError says what is wrong. Every plan and shortcoming must have exactly one entry."""
    reports = sorted(folder.glob("*.txt"))
    if len(reports) != 2:
        raise DataError(f"{folder} holds {len(reports)} reports (*.txt), expected the earlier and the later one")
    path = folder / "links.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if table.get("split") not in PAIR_SPLITS:
        raise DataError(f"{path}: split is {table.get('split')!r}, expected {' or '.join(PAIR_SPLITS)}")
    links = _Links(path, *map(parse_report, reports))
    pair = Pair(
        folder.name,
        table["split"],
        links.earlier,
        links.later,
        tuple(map(links.plan, table.get("plan", []))),
        tuple(map(links.shortcoming, table.get("shortcoming", []))),
        tuple(map(links.figure, table.get("figure", []))),
        tuple(map(links.target, table.get("target", []))),
    )
    links.complete((link.plan for link in pair.plans), "plan", ("earlier",))
    links.complete((link.shortcoming for link in pair.shortcomings), "shortcoming", ("earlier", "later"))
    return pair


@dataclass(frozen=True)
class _Links:
    """The rows of ``links.toml`` with their excerpts looked up."""

    path: Path
    earlier: CorpusReport
    later: CorpusReport

    def plan(self, row: Mapping[str, Any]) -> PlanLink:
        status, by = row.get("status"), row.get("by", [])
        if status not in STATUSES or bool(by) != (status in ("answered", "partly")):
            raise DataError(f"{self.path}: plan {row.get('plan')!r} has status {status!r} and {len(by)} answers")
        answers = tuple(self._find(text, "achievement", "later") for text in by)
        return PlanLink(self._find(row.get("plan"), "plan", "earlier"), status, answers)

    def shortcoming(self, row: Mapping[str, Any]) -> ShortcomingLink:
        place = self._find(row.get("text"), "shortcoming", "earlier", "later")
        # Only the later report's own plans can address its shortcomings, since there is no third report.
        sides: tuple[Side, ...] = ("earlier", "later") if place.side == "earlier" else ("later",)
        plans = tuple(self._find(text, "plan", *sides) for text in row.get("plan", []))
        again = tuple(self._find(text, "shortcoming", "later") for text in row.get("again", []))
        return ShortcomingLink(place, row.get("status") == "general", plans, again)

    def figure(self, row: Mapping[str, Any]) -> FigureLink:
        return FigureLink(self._amount(row.get("earlier"), "earlier"), self._amount(row.get("later"), "later"))

    def target(self, row: Mapping[str, Any]) -> FigureLink:
        old, new = self._amount(row.get("plan"), "earlier"), self._amount(row.get("result"), "later")
        return FigureLink(old, new, bool(row.get("met")))

    def complete(self, linked: Iterable[Place], label: str, sides: Iterable[Side]) -> None:
        places = list(linked)
        wanted = {
            Place(side, i)
            for side in sides
            for i, s in enumerate(self._report(side).report.sentences)
            if label in (s.labels or ())
        }
        for place in sorted(wanted ^ set(places)) or [p for p in places if places.count(p) > 1]:
            text = self._report(place.side).report.sentences[place.index].text
            raise DataError(f"{self.path}: expected one {label} entry for {text!r}, found {places.count(place)}")

    def _amount(self, pair: Any, side: Side) -> Amount:
        if not isinstance(pair, list) or len(pair) != 2:
            raise DataError(f"{self.path}: expected [excerpt, quantity], found {pair!r}")
        place = self._find(pair[0], "metric", side)
        if pair[1] not in self._report(side).report.sentences[place.index].text:
            raise DataError(f"{self.path}: {pair[1]!r} does not stand in the sentence of {pair[0]!r}")
        return Amount(place, pair[1])

    def _find(self, text: Any, label: str, *sides: Side) -> Place:
        found = [
            Place(side, i)
            for side in sides
            for i, s in enumerate(self._report(side).report.sentences)
            if label in (s.labels or ()) and isinstance(text, str) and text in s.text
        ]
        if len(found) != 1:
            raise DataError(f"{self.path}: {text!r} stands in {len(found)} sentences labelled {label}, expected one")
        return found[0]

    def _report(self, side: Side) -> CorpusReport:
        return self.earlier if side == "earlier" else self.later
