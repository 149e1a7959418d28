"""Marks on a Word document: sentences shaded by label, and a comment on each that says what the model thinks."""

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
"""Two authors, because Word can show the comments of one of them alone."""

# What may hold runs, and so the marks of a comment, in a paragraph.
_INLINE = frozenset(
    ["p", "hyperlink", "ins", "moveTo", "smartTag", "sdtContent", "fldSimple", "customXml", "dir", "bdo"]
)
# What follows the shading in the order that the schema of run properties prescribes.
_BEHIND_SHADING = frozenset(
    ["fitText", "vertAlign", "rtl", "cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath", "rPrChange"]
)
_NODE = 50
"""Bytes that an element or attribute takes, besides its text; half of that in the file, more in memory."""
_BLANK = frozenset([None, "auto", "FFFFFF", "ffffff"])


@dataclass(frozen=True)
class _Run:
    """What every piece of a run has: its properties, and about how many bytes these and its attributes take."""

    properties: etree._Element | None
    size: int

    @classmethod
    def of(cls, run: etree._Element, name: str) -> _Run:
        properties = run.find(name)
        inside = [] if properties is None else list(properties.iter())
        size = sum(len(value) + _NODE for node in (run, *inside) for value in (*node.attrib.values(), node.text or ""))
        return cls(properties, size)


class Marker:
    """Marks the sentences of one document, in the order of its text; time is linear in what there is of it.

    Args:
        grow: is told by how many bytes the document grows where runs are split and what they have is copied.

    Attributes:
        body: the document's body part, changed in place.
        comments: the part that the comments go to, changed in place.
        touched: the parts with changes so far: the body, and notes with shaded sentences.
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
        # Texts that are being cut, and how much of each is in runs in front by now.
        self._cuts: dict[etree._Element, tuple[str, int]] = {}
        self._grow = grow
        self._runs: dict[etree._Element, _Run] = {}
        self._references: dict[tuple[str, str | None], etree._Element] | None = None
        self._number = max(_numbers(body, comments, self._make.name("id")), default=-1)

    def mark(self, sentences: Iterable[tuple[Sentence, Sequence[Place]]]) -> None:
        """Shade sentences in their first label's colour and comment on them, where they have one or need review.

        They come in the order of the text, each with its places as they were before the first mark.
        """
        for sentence, places in sentences:
            self._mark(sentence, places)
        # Only now, since rewriting the rest at every cut would take a long text quadratic time.
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
        """Hang a comment on what stands from ``first`` to ``last``."""
        start, end = self._anchor(first), self._anchor(last)
        if start is None or end is None:
            return
        if not (self._is_direct(first) and self._is_direct(last)):
            end = start  # a note's reference may stand in front of what the sentence began with
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
        """Make the sentence begin and end with a run, shade its runs, and return what it consists of."""
        found = []
        for parent, group in groupby(places, key=lambda place: place.node.getparent()):
            inside = list(group)
            if parent is None or parent.tag != self._make.name("r"):  # mathematics, drawings: they are left alone
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
        """Move what ``run`` holds before character ``at`` of ``node`` to a new run in front, with its properties.

        Returns the run in front; where nothing would stay behind and ``whole`` is set, the run itself, unchanged.
        """
        text, gone = self._cuts.get(node) or (node.text or "", 0)
        length = len(text) if node.tag == self._make.name("t") else 1
        if run not in self._runs:
            self._runs[run] = _Run.of(run, self._make.name("rPr"))
        own = self._runs[run]
        # Not the run's children: what was moved away must not be gone over again with each text.
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
        """Give a run a background, unless its author gave it one."""
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
        """The run (or what stands in a run's place) of the body that a comment on ``node`` hangs on."""
        while True:
            boxes = [a for a in node.iterancestors() if a.tag == self._make.name("txbxContent")]
            if boxes:  # Word has no comments in text boxes
                node = boxes[-1]
            root = node.getroottree().getroot()
            if root is self.body:
                return self._inline(node)
            # Nor does it have them in notes: they hang on the note's reference.
            reference = self._reference(node)
            if reference is None:
                return None
            node = reference

    def _reference(self, node: etree._Element) -> etree._Element | None:
        """Where the body refers to the note that ``node`` stands in, first."""
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
    """The numbers of the comments that are there, also of those that only the body knows."""
    for root, tags in ((comments, ["{*}comment"]), (body, ["{*}commentRangeStart", "{*}commentReference"])):
        for node in root.iter(*tags):
            value = node.get(name) or ""
            if value.isascii() and value.isdigit():
                yield int(value)
