"""What all formats for people share: text that every format can hold, colours, the wording of the model's opinion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...data.labels import Label, LabelSet
from ...data.records import Record

_ILLEGAL = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile(r"(?<![ \t\u00a0])[ \t\u00a0]*+[\r\n\v\f\x85\u2028\u2029]\s*")
_WORTH_SAYING = 0.1


def legal(text: str) -> str:
    """``text`` with U+FFFD for each character that XML, and so Word and Excel, cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)


def readable(text: str) -> str:
    """A sentence on one line, otherwise unchanged, so that a search for it in the report finds it."""
    return legal(_BREAK.sub(_joint, text))


def _joint(broken: re.Match[str]) -> str:
    text, start, end = broken.string, broken.start(), broken.end()
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return "" if any(c >= "\u2e80" for c in around) else " "  # Chinese has no space between joined lines


def tint(label: Label) -> str:
    """The label's colour, pale enough to read black text on it: ``RRGGBB``, as Office writes colours."""
    channels = (int(label.color[i : i + 2], 16) for i in (1, 3, 5))
    return "".join(f"{round(255 - (255 - channel) * 0.3):02X}" for channel in channels)


def titles(names: Iterable[str], labels: LabelSet) -> list[str]:
    """The labels' titles in the label set's order."""
    wanted = set(names)
    return [label.title for label in labels if label.name in wanted]


def opinion(given: Sequence[str], scores: Mapping[str, float], review: bool, labels: LabelSet) -> str:
    """``成效 98%　指标 91%``; for review also the other likely labels: ``【待核】计划 55%（或：成效 43%）``."""
    said = "　".join(_share(label, scores) for label in labels if label.name in given) or "无标签"
    if not review:
        return said
    others = [label for label in labels if label.name not in given and scores.get(label.name, 0) >= _WORTH_SAYING]
    others.sort(key=lambda label: -scores[label.name])
    maybe = "、".join(_share(label, scores) for label in others)
    return f"【待核】{said}" + (f"（或：{maybe}）" if maybe else "")


def _share(label: Label, scores: Mapping[str, float]) -> str:
    # 99.6% is not certain, so nothing is rounded up to 100%.
    return f"{label.title} {min(99, round(scores[label.name] * 100))}%" if label.name in scores else label.title


@dataclass
class Counts:
    """The number of sentences, of those with each label, of those without labels, and of those to review."""

    sentences: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    none: int = 0
    review: int = 0

    @classmethod
    def of(cls, records: Iterable[Record]) -> Counts:
        """Count the sentences among ``records``."""
        counts = cls()
        for record in records:
            if record["kind"] == "sentence":
                counts.add(record)
        return counts

    def add(self, record: Record) -> None:
        """Count one sentence."""
        given = record.get("labels") or ()
        self.sentences += 1
        self.labels.update(given)
        self.none += not given
        self.review += bool(record.get("review"))

    def merge(self, other: Counts) -> None:
        """Add the counts of another report."""
        self.sentences += other.sentences
        self.labels.update(other.labels)
        self.none += other.none
        self.review += other.review
