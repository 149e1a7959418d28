"""A report: its text, stored once, and its sentences as ranges of that text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from .repair import repair

if TYPE_CHECKING:
    from .records import Kind, Record


class Span(NamedTuple):
    """A half-open range of characters and its text: what splitters pass to :meth:`Report.build`.

    Attributes:
        level: depth of the text under it, 1 the outermost, for headings and for sentences that are inline headings
            (``1.深化流程再造。``); 0 if it heads nothing, as the report's title does.
        reach: the offset where the text under an inline heading ends; 0 for the next one of its level or a higher one.
    """

    start: int
    end: int
    kind: Kind
    level: int = 0
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, heading or piece of page furniture of one report.

    Attributes:
        id: 16 hexadecimal digits made from the report's name, the heading path and the normalised text (and the
            number of the occurrence if all three repeat): stable while the surrounding text changes.
        source: the report's whole text, shared by all of its sentences.
        start, end: the half-open range of characters in ``source``.
        kind: only a ``sentence`` is labelled.
        headings: the headings above it, outermost first, as :func:`title_of` names them.
        labels: label names in the label set's order; ``()`` means "none", ``None`` means "not labelled".
        scores: probability of each label, 0 to 1, if a model gave them.
        review: True if the model is unsure, so that a person should look.
    """

    id: str
    source: str
    start: int
    end: int
    kind: Kind
    headings: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    scores: Mapping[str, float] | None = None
    review: bool = False

    @property
    def text(self) -> str:
        """The characters of the range."""
        return self.source[self.start : self.end]

    @property
    def title(self) -> str:
        """Its name in the heading paths below it."""
        return title_of(self.text)

    @property
    def clean(self) -> str:
        """``text`` repaired for people to read: broken lines joined, stray spaces removed, uniform punctuation."""
        return repair(self.text, close=self.kind == "sentence").text

    def __repr__(self) -> str:  # the default would print the whole report
        return f"Sentence({self.text!r}, kind={self.kind!r}, labels={self.labels!r})"


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        doc: its name, with the extension (``报告.docx``).
        text: the extracted text; for a .txt file its decoded characters exactly.
        sentences: sentences, headings and furniture in the order of the text.
    """

    doc: str
    text: str
    sentences: tuple[Sentence, ...]

    @property
    def heading(self) -> Sentence | None:
        """The first heading, which is the title if the report has one."""
        return next((s for s in self.sentences if s.kind == "heading"), None)

    @property
    def title(self) -> str:
        """The text of the first heading; empty if there is none."""
        return self.heading.text if self.heading else ""

    @classmethod
    def build(cls, doc: str, text: str, spans: Iterable[Span]) -> Report:
        """Make a report from ranges in order, and give each its heading path and its id.

        Every sentence stores its path, so paths stay short: a heading that would make a path longer than
        ``LONGEST_PATH`` characters heads nothing.
        """
        path: list[tuple[int, int, str]] = []  # level, reach, text
        seen: Counter[bytes] = Counter()
        sentences = []
        for span in spans:
            while path and (0 < span.level <= path[-1][0] or 0 < path[-1][1] <= span.start):
                path.pop()
            headings = tuple(heading for _, _, heading in path)
            piece = text[span.start : span.end]
            key = "\0".join((doc, *headings, normalise(piece)))
            digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8)
            seen[first := digest.digest()] += 1
            digest.update(f"\0{seen[first]}".encode("ascii"))
            sentences.append(Sentence(digest.hexdigest(), text, span.start, span.end, span.kind, headings))
            if span.level:
                title = title_of(piece)
                if sum(map(len, headings)) + len(title) <= LONGEST_PATH:
                    path.append((span.level, span.reach, title))
        return cls(doc, text, tuple(sentences))

    def with_labels(
        self,
        labels: Sequence[Sequence[str] | None],
        scores: Sequence[Mapping[str, float] | None] | None = None,
        review: Sequence[bool] | None = None,
    ) -> Report:
        """The same report with ``labels`` (and ``scores``, ``review``), one entry for each of ``sentences``."""
        scored = scores if scores is not None else [s.scores for s in self.sentences]
        doubted = review if review is not None else [s.review for s in self.sentences]
        return replace(
            self,
            sentences=tuple(
                replace(s, labels=None if names is None else tuple(names), scores=given, review=doubt)
                for s, names, given, doubt in zip(self.sentences, labels, scored, doubted, strict=True)
            ),
        )

    def records(self) -> list[Record]:
        """One JSON-ready record per sentence, heading or piece of furniture, as docs/records.md says."""
        records: list[Record] = []
        previous = ""
        for s in self.sentences:
            record: Record = {
                "id": s.id,
                "doc": self.doc,
                "start": s.start,
                "end": s.end,
                "kind": s.kind,
                "text": s.text,
                "headings": list(s.headings),
                "previous": previous,
                "labels": None if s.labels is None else list(s.labels),
            }
            if s.scores is not None:
                record["scores"] = {name: round(score, 4) for name, score in s.scores.items()}
                record["review"] = s.review
            records.append(record)
            if s.kind == "sentence":
                previous = s.text
        return records


def labelled(reports: Iterable[Report]) -> list[Report]:
    """The reports with at least one labelled sentence."""
    return [r for r in reports if any(s.kind == "sentence" and s.labels is not None for s in r.sentences)]


LONGEST_TITLE = 100
LONGEST_PATH = 400
"""Characters of one heading in a path, and of a whole path; no heading of a real report comes near."""


def title_of(text: str) -> str:
    """The name of a heading with this text in the paths below it: the text on one line.

    More than ``LONGEST_TITLE`` characters are cut off with an ellipsis, because every record stores the path.
    """
    title = " ".join(text.split())
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def normalise(text: str) -> str:
    """``text`` in the form for ids and models: NFKC, without white space, invisible characters and lone surrogates.

    NFKC folds full-width letters, digits and most punctuation; other characters stay, such as Chinese quotation marks.
    """
    # NFKC sorts consecutive accents in time that grows with the square of their number.
    pieces = (text[at : at + _AT_ONCE] for at in range(0, len(text), _AT_ONCE))
    folded = "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)
    return _UNSEEN.sub("", folded)


_AT_ONCE = 1000
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\ud800-\udfff]+")
