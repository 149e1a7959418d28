"""Checks a labelled corpus for faults before anything is trained on it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..labels import DEFAULT_LABELS
from ..report import Sentence, normalise
from .load import SPLITS, CorpusReport, Split, load_corpus, load_splits

LONGEST_RUN = 24
"""Characters in a row that two reports may share; set phrases of government language are shorter."""
RUN_SHARE = 0.01
"""Share of sentences that may have a longer run in common with another report."""
NEAR = 0.6
"""Jaccard similarity of character 5-grams from which two sentences are near-duplicates."""
NEAR_SHARE = 0.005
"""Share of sentences that may have a near-duplicate in another report."""

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]"
)


@dataclass(frozen=True)
class Problem:
    """A fault, with its file and line (0: the file as a whole)."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path.name}{f', line {self.line}' if self.line else ''}: {self.message}"


@dataclass
class Findings:
    """What a check found.

    Attributes:
        problems: the faults that make the check fail.
        reports, sentences: how many were read.
        shared_runs: sentences with a run longer than ``LONGEST_RUN`` in common with another report.
        near_duplicates: sentences with a near-duplicate in another report.
    """

    problems: list[Problem] = field(default_factory=list)
    reports: int = 0
    sentences: int = 0
    shared_runs: int = 0
    near_duplicates: int = 0


@dataclass(frozen=True)
class _Place:
    """A sentence of the corpus and its position."""

    report: CorpusReport
    line: int
    sentence: Sentence
    plain: str

    def problem(self, message: str) -> Problem:
        return Problem(self.report.path, self.line, message)

    def __str__(self) -> str:
        return f"{self.report.path.name}, line {self.line}"


def check_corpus(folder: str | Path | None = None) -> Findings:
    """Check a corpus folder (None: the shipped one).

    Raises:
        DataError: a file cannot be read at all.
    """
    reports = load_corpus(folder)
    sides = {name: split for split, names in load_splits(folder).items() for name in names}
    places = [
        _Place(report, line, sentence, re.sub(r"\W", "", normalise(sentence.text)))
        for report in reports
        for line, sentence in zip(report.lines, report.report.sentences, strict=True)
        if sentence.kind == "sentence"
    ]
    found = Findings(reports=len(reports), sentences=len(places))
    found.problems += _splits(reports, folder)
    found.problems += _characters(reports)
    found.problems += _labels(places, sides)
    found.problems += _conflicts(places)
    _runs(places, found)
    _near(places, sides, found)
    found.problems.sort(key=lambda p: (p.path.name, p.line))
    return found


def _splits(reports: Sequence[CorpusReport], folder: str | Path | None) -> Iterator[Problem]:
    splits = load_splits(folder)
    path = reports[0].path.parent / "splits.toml"
    named = Counter(name for names in splits.values() for name in names)
    for name, times in named.items():
        if times > 1:
            yield Problem(path, 0, f"report {name} is listed {times} times; a report belongs to one split")
    ids = {report.id for report in reports}
    for name in sorted(named.keys() - ids):
        yield Problem(path, 0, f"report {name} is listed but there is no {name}.txt")
    for report in reports:
        if report.id not in named:
            yield Problem(report.path, 0, "is in no split; list it in splits.toml")


def _characters(reports: Sequence[CorpusReport]) -> Iterator[Problem]:
    for report in reports:
        for number, line in enumerate(report.path.read_text(encoding="utf-8").split("\n"), 1):
            if match := _INVISIBLE.search(line):
                yield Problem(
                    report.path, number, f"invisible character U+{ord(match[0]):04X} in column {match.start() + 1}"
                )


def _labels(places: Sequence[_Place], sides: Mapping[str, Split]) -> Iterator[Problem]:
    seen: dict[Split, set[str]] = {split: set() for split in SPLITS}
    for place in places:
        if (side := sides.get(place.report.id)) is not None:
            seen[side].update(place.sentence.labels or ())
        if "metric" in (place.sentence.labels or ()) and not _NUMBER.search(place.sentence.text):
            yield place.problem("is labelled metric but holds no number")
    path = places[0].report.path.parent / "splits.toml"
    for split, names in seen.items():
        for missing in sorted(set(DEFAULT_LABELS.names) - names):
            yield Problem(path, 0, f"no sentence of the {split} split has the label {missing}")


_NUMBER = re.compile(r"[0-9０-９%％〇零一二两三四五六七八九十百千万亿半倍翻]")


def _conflicts(places: Sequence[_Place]) -> Iterator[Problem]:
    """One text in one context (title, heading path) with two sets of labels."""
    first: dict[tuple[str, tuple[str, ...], str], _Place] = {}
    for place in places:
        key = (place.report.id, place.sentence.headings, place.plain)
        other = first.setdefault(key, place)
        if other.sentence.labels != place.sentence.labels:
            yield place.problem(f"the same text in the same context has other labels in line {other.line}")


def _runs(places: Sequence[_Place], found: Findings) -> None:
    size = LONGEST_RUN + 1
    shared: dict[int, tuple[_Place, _Place]] = {}
    first: dict[str, _Place] = {}
    for place in places:
        for i in range(len(place.plain) - size + 1):
            run = place.plain[i : i + size]
            other = first.setdefault(run, place)
            if other.report is not place.report:
                shared.setdefault(id(place), (place, other))
                shared.setdefault(id(other), (other, place))
    found.shared_runs = len(shared)
    if len(shared) > RUN_SHARE * len(places):
        found.problems += [
            a.problem(f"shares more than {LONGEST_RUN} characters in a row with {b}") for a, b in shared.values()
        ]


def _near(places: Sequence[_Place], sides: Mapping[str, Split], found: Findings) -> None:
    grams = [{p.plain[i : i + 5] for i in range(len(p.plain) - 4)} for p in places]
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for i, some in enumerate(grams):
        for gram in some:
            holders[gram].append(i)
    near: dict[int, int] = {}
    for i, some in enumerate(grams):
        common: Counter[int] = Counter()
        for gram in some:
            # A gram that hundreds of sentences hold (政府工作报告) says nothing and would cost the square of it.
            if len(holders[gram]) <= 200:
                common.update(j for j in holders[gram] if j < i)
        for j, count in common.items():
            if places[i].report is places[j].report or count <= NEAR * (len(some | grams[j])):
                continue
            near[i], near[j] = j, i
            one, two = (sides.get(places[k].report.id) for k in (i, j))
            if one and two and one != two:
                found.problems.append(
                    places[i].problem(f"is nearly the same as {places[j]} on the other side of a split ({one}, {two})")
                )
    found.near_duplicates = len(near)
    if len(near) > NEAR_SHARE * len(places):
        found.problems += [places[i].problem(f"is nearly the same as {places[j]}") for i, j in near.items()]
