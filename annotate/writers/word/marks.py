"""Marks a Word document: shades sentences by label and adds a comment with the model's opinion to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby

from lxml import etree

from ....data.labels import LabelSet
from ....data.readers.word import Place
from ....data.report import Sentence
from ..shown import legal, opinion, tint
from .ooxml import Maker, set_text

AUTHOR = "批注"
DOUBTFUL = "批注（待核）"
"""Two authors, because Word can show only the comments of one author."""

# The elements that may contain runs, and so the marks of a comment.
_INLINE = frozenset(
    ["p", "hyperlink", "ins", "moveTo", "smartTag", "sdtContent", "fldSimple", "customXml", "dir", "bdo"]
)
# The run properties that must follow the shading in the order of the schema.
_BEHIND_SHADING = frozenset(
    ["fitText", "vertAlign", "rtl", "cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath", "rPrChange"]
)
_NODE = 50
"""Bytes that an element or attribute takes besides its text; about half in the file, more in memory."""
_BLANK = frozenset([None, "auto", "FFFFFF", "ffffff"])


@dataclass(frozen=True)
class _Run:
    """What all pieces of a split run share: its properties, and their approximate size in bytes with its attributes."""

    properties: etree._Element | None
    size: int

    @classmethod
    def of(cls, run: etree._Element, name: str) -> _Run:
        properties = run.find(name)
        inside = [] if properties is None else list(properties.iter())
        size = sum(len(value) + _NODE for node in (run, *inside) for value in (*node.attrib.values(), node.text or ""))
        return cls(properties, size)


class Marker:
    """Marks the sentences of one document, in the order of its text; time is linear in its length.

    Args:
        grow: called with the number of bytes by which the document grows when a run is split and its properties copied.

    Attributes:
        body: the document's body part, changed in place.
        comments: the comments part, changed in place.
        touched: the parts changed so far: the body, and notes with shaded sentences.
    """

    def __init__(
        self,
        body: etree._Element,
        comments: etree._Element,
        labels: LabelSet,
        grow: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.body = body
        self.comments = comments
        self.touched = {body}
        self._labels = labels
        self._tints = {label.name: tint(label) for label in labels}
        self._make = Maker(etree.QName(body).namespace or "")
        # Texts being split, and how many characters of each have moved to runs before it.
        self._cuts: dict[etree._Element, tuple[str, int]] = {}
        self._grow = grow
        self._runs: dict[etree._Element, _Run] = {}
        self._references: dict[tuple[str, str | None], etree._Element] | None = None
        self._number = max(_numbers(body, comments, self._make.name("id")), default=-1)

    def mark(self, sentences: Iterable[tuple[Sentence, Sequence[Place]]]) -> None:
        """Shade each sentence that has a label in the first label's colour; comment on it and on sentences to review.

        ``sentences`` are in the order of the text, each with its places from before the first mark.
        """
        for sentence, places in sentences:
            self._mark(sentence, places)
        # Shorten the texts only now: rewriting the rest at every split would take quadratic time.
        for node, (text, gone) in self._cuts.items():
            set_text(node, text[gone:])
        self._cuts.clear()

    def _mark(self, sentence: Sentence, places: Sequence[Place]) -> None:
        given = sentence.labels or ()
        if not places or not (given or sentence.review):
            return
        color = self._tints[given[0]] if given else None
        nodes = self._cut_out(places, color)
        said = opinion(given, sentence.scores or {}, sentence.review, self._labels)
        self.comment(nodes[0], nodes[-1], [said], DOUBTFUL if sentence.review else AUTHOR)

    def comment(self, first: etree._Element, last: etree._Element, lines: Sequence[str], author: str = AUTHOR) -> None:
        """Attach a comment to everything from ``first`` to ``last``."""
        start, end = self._anchor(first), self._anchor(last)
        if start is None or end is None:
            return
        if not (self._is_direct(first) and self._is_direct(last)):
            end = start  # a note's reference may come before the beginning of the sentence
        make = self._make
        self._number += 1
        number = {"id": str(self._number)}
        start.addprevious(make("commentRangeStart", number))
        close = make("commentRangeEnd", number)
        _add_behind(end, close)
        _add_behind(close, make("r", None, make("commentReference", number)))
        paragraphs = [make("p", None, make("r", None, make.text(legal(line)))) for line in lines]
        self.comments.append(make("comment", {**number, "author": author, "initials": author[:1]}, *paragraphs))

    def _cut_out(self, places: Sequence[Place], color: str | None) -> list[etree._Element]:
        """Split runs so that the sentence begins and ends with a run; shade its runs and return its nodes."""
        found = []
        for parent, group in groupby(places, key=lambda place: place.node.getparent()):
            inside = list(group)
            if parent is None or parent.tag != self._make.name("r"):  # leaves mathematics and drawings unchanged
                found.append(inside[0].node)
                continue
            run = self._cut(parent, inside[0], inside[-1])
            self.touched.add(run.getroottree().getroot())
            if color is not None:
                self._shade(run, color)
            found.append(run)
        return found

    def _cut(self, run: etree._Element, first: Place, last: Place) -> etree._Element:
        self._split(run, first.node, first.start)
        return self._split(run, last.node, last.end, whole=True)

    def _split(self, run: etree._Element, node: etree._Element, at: int, whole: bool = False) -> etree._Element:
        """Move the content of ``run`` before character ``at`` of ``node`` to a new run before it, with its properties.

        Returns the new run; if nothing would remain in ``run`` and ``whole`` is set, ``run`` itself, unchanged.
        """
        text, gone = self._cuts.get(node) or (node.text or "", 0)
        length = len(text) if node.tag == self._make.name("t") else 1
        if run not in self._runs:
            self._runs[run] = _Run.of(run, self._make.name("rPr"))
        own = self._runs[run]
        # Not all of the run's children: visiting the remaining ones again at each split would take quadratic time.
        moved = [node] if at >= length else []
        moved = [c for c in (*reversed([*node.itersiblings(preceding=True)]), *moved) if c is not own.properties]
        inner = gone < at < length
        nothing_behind = at >= length and all(c is own.properties for c in node.itersiblings())
        if not inner and (not moved or (whole and nothing_behind)):
            return run
        front = self._make("r")
        front.attrib.update(run.attrib)
        if own.properties is not None:
            front.append(deepcopy(own.properties))
        self._grow(own.size)
        front.extend(moved)
        if inner:
            front.append(self._make.text(text[gone:at]))
            self._cuts[node] = text, at
        run.addprevious(front)
        return front

    def _shade(self, run: etree._Element, color: str) -> None:
        """Give a run a background, unless it has one already."""
        make = self._make
        properties = run.find(make.name("rPr"))
        if properties is None:
            properties = make("rPr")
            run.insert(0, properties)
        own = properties.find(make.name("shd"))
        if properties.find(make.name("highlight")) is not None:
            return
        if own is not None:
            if own.get(make.name("fill")) not in _BLANK:
                return
            properties.remove(own)
        names = [etree.QName(node) if isinstance(node.tag, str) else None for node in properties]
        place = next(
            (i for i, q in enumerate(names) if q and (q.namespace != make.namespace or q.localname in _BEHIND_SHADING)),
            len(names),
        )
        properties.insert(place, make.shade(color))

    def _anchor(self, node: etree._Element) -> etree._Element | None:
        """The run in the body, or its equivalent, to which a comment on ``node`` is attached."""
        while True:
            boxes = [a for a in node.iterancestors() if a.tag == self._make.name("txbxContent")]
            if boxes:  # Word does not allow comments in text boxes
                node = boxes[-1]
            root = node.getroottree().getroot()
            if root is self.body:
                return self._inline(node)
            # Nor does it allow them in notes, so they are attached to the note's reference.
            reference = self._reference(node)
            if reference is None:
                return None
            node = reference

    def _reference(self, node: etree._Element) -> etree._Element | None:
        """The first reference in the body to the note that contains ``node``."""
        kinds = ("footnote", "endnote")
        if self._references is None:
            self._references = {}
            for kind in kinds:
                for found in self.body.iter(self._make.name(f"{kind}Reference")):
                    self._references.setdefault((kind, found.get(self._make.name("id"))), found)
        for ancestor in node.iterancestors(*map(self._make.name, kinds)):
            key = etree.QName(ancestor).localname, ancestor.get(self._make.name("id"))
            if key in self._references:
                return self._references[key]
        return None

    def _inline(self, node: etree._Element) -> etree._Element | None:
        parent = node.getparent()
        while parent is not None:
            name = etree.QName(parent)
            if name.namespace == self._make.namespace and name.localname in _INLINE:
                return node
            node, parent = parent, parent.getparent()
        return None

    def _is_direct(self, node: etree._Element) -> bool:
        in_box = next(node.iterancestors(self._make.name("txbxContent")), None) is not None
        return not in_box and node.getroottree().getroot() is self.body


def _add_behind(node: etree._Element, new: etree._Element) -> None:
    new.tail, node.tail = node.tail, None
    node.addnext(new)


def _numbers(body: etree._Element, comments: etree._Element, name: str) -> Iterator[int]:
    """The numbers of existing comments, including those that only the body mentions."""
    for root, tags in ((comments, ["{*}comment"]), (body, ["{*}commentRangeStart", "{*}commentReference"])):
        for node in root.iter(*tags):
            value = node.get(name) or ""
            if value.isascii() and value.isdigit():
                yield int(value)
