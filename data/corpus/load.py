"""The labelled corpus: reports written for this project, one per file, with their labels in place.

A file is a TOML head between two ``+++`` lines, then one line per unit: ``CODE | text`` or ``CODE @case | text``. CODE
is ``#`` (heading), ``~`` (furniture), ``-`` (a sentence without a tag) or the initials of its labels (``AM``). An empty
line ends a paragraph; the lines of a paragraph follow each other in the text with nothing between them. ``@case``
names the hard case of the guideline for which the sentence was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from ...base.errors import ConfigError, DataError
from ...base.toml import brief, parse_toml, read_toml
from ..labels import DEFAULT_LABELS
from ..records import Kind
from ..report import Report, Span
from ..segment.outline import outline

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
LEVELS = ("national", "province", "city", "county", "township", "enterprise", "university")
KINDS = (
    "annual-summary",
    "budget",
    "government-report",
    "half-year",
    "info-disclosure",
    "rectification",
    "rule-of-law",
    "special-topic",
    "work-points",
)
PLANS = ("none", "part", "only", "mixed")
CASES = ("leadin", "thanks", "pledge", "praise", "found", "fragment", "twin", "hanzi", "done-in-plan")
_CODES = {label.name[0].upper(): label.name for label in DEFAULT_LABELS}
_LINE = re.compile(rf"([{''.join(_CODES)}]{{1,{len(_CODES)}}}|[-#~])(?: @([a-z-]+))? \| (.+)")


@dataclass(frozen=True)
class CorpusReport:
    """A report of the corpus.

    Attributes:
        id: the file's stem.
        level, body, kind, year, plan, style: the fields of the head; ``plan`` tells whether the report has a plan part.
        report: the text and its labelled sentences.
        cases: for each entry of ``report.sentences`` the hard case for which it was written, or None.
        lines: for each entry the line in the file, counted from 1.
        path: the file.
    """

    id: str
    level: str
    body: str
    kind: str
    year: int
    plan: str
    style: tuple[str, ...]
    report: Report
    cases: tuple[str | None, ...]
    lines: tuple[int, ...]
    path: Path


def corpus_folder() -> Path:
    """The folder of the shipped corpus."""
    return Path(str(files(__package__)))


def load_corpus(folder: str | Path | None = None, split: Split | None = None) -> list[CorpusReport]:
    """All reports of a corpus folder (None: the shipped one) by name, or those of one ``split``.

    Raises:
        DataError: a file or the list of splits is wrong; the message names file and line.
    """
    folder = corpus_folder() if folder is None else Path(folder)
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise DataError(f"there is no report (*.txt) in corpus folder {folder}")
    if split is not None:
        wanted = load_splits(folder)[split]
        paths = [path for path in paths if path.stem in wanted]
    return [parse_report(path) for path in paths]


def load_splits(folder: str | Path | None = None) -> dict[Split, tuple[str, ...]]:
    """The ids of each split from ``splits.toml``."""
    path = (corpus_folder() if folder is None else Path(folder)) / "splits.toml"
    try:
        table = read_toml(path, str(path))
    except ConfigError as error:
        raise DataError(str(error)) from None
    lists = [ids for ids in table.values() if isinstance(ids, list) and all(isinstance(name, str) for name in ids)]
    if set(table) != set(SPLITS) or len(lists) < len(SPLITS):
        raise DataError(f"{path}: expected the lists {', '.join(SPLITS)} of report names")
    return {split: tuple(table[split]) for split in SPLITS}


def parse_report(path: Path) -> CorpusReport:
    """Read one file of the corpus; a DataError names the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    try:
        end = lines.index("+++", 1) if lines[0] == "+++" else -1
    except ValueError:
        end = -1
    if end < 0:
        raise DataError(f"{path}, line 1: expected a head between two +++ lines")
    head = _head(path, "\n".join(lines[1:end]))
    text = ""
    spans: list[Span] = []
    labels: list[tuple[str, ...] | None] = []
    cases: list[str | None] = []
    numbers: list[int] = []
    for number, code, case, piece in _rows(path, lines, end + 1):
        alone = code in "#~" or not spans or spans[-1].kind != "sentence" or lines[number - 2] == ""
        if spans and alone:
            text += "\n"
        spans.append(Span(len(text), len(text) + len(piece), _kind(code)))
        text += piece
        labels.append(tuple(name for c, name in _CODES.items() if c in code))
        cases.append(case)
        numbers.append(number)
    if all(span.kind != "sentence" for span in spans):
        raise DataError(f"{path} holds no sentence")
    report = Report.build(path.name, text, outline(text, spans)).with_labels(labels)
    return CorpusReport(path.stem, **head, report=report, cases=tuple(cases), lines=tuple(numbers), path=path)


def _rows(path: Path, lines: Sequence[str], first: int) -> Iterator[tuple[int, str, str | None, str]]:
    for number, line in enumerate(lines[first:], first + 1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[3] != match[3].strip():
            raise DataError(f"{path}, line {number}: expected 'CODE | text', found {line[:40]!r}")
        code, case = match[1], match[2]
        if code not in "-#~" and code != "".join(c for c in _CODES if c in code):
            raise DataError(f"{path}, line {number}: write the code {code} in the order {''.join(_CODES)}, each once")
        if case is not None and case not in CASES:
            raise DataError(f"{path}, line {number}: unknown case @{case}, expected one of {', '.join(CASES)}")
        yield number, code, case, match[3]


def _kind(code: str) -> Kind:
    return "heading" if code == "#" else "furniture" if code == "~" else "sentence"


def _head(path: Path, text: str) -> dict[str, Any]:
    try:
        head = parse_toml(text, f"{path}: the head")
    except ConfigError as error:
        raise DataError(str(error)) from None
    wanted = {"level": str, "body": str, "kind": str, "year": int, "plan": str, "style": list}
    for name, kind in wanted.items():
        if not isinstance(head.get(name), kind):
            raise DataError(f"{path}: the head needs {name} ({kind.__name__})")
    for name, known in {"level": LEVELS, "kind": KINDS, "plan": PLANS}.items():
        if head[name] not in known:
            raise DataError(f"{path}: {name} is {brief(head[name])}, expected one of {', '.join(known)}")
    if not all(isinstance(style, str) for style in head["style"]):
        raise DataError(f"{path}: style is {brief(head['style'])}, expected a list of texts")
    if extra := set(head) - set(wanted):
        raise DataError(f"{path}: unknown {brief(min(extra))} in the head")
    return {**head, "style": tuple(head["style"])}
