"""Links two reports: which plans are answered, which shortcomings have a plan, which figures changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...base.errors import ConfigError
from ...data.quantities import quantities
from ...data.report import Report, Sentence, normalise
from ...data.segment.markers import marker
from .figures import Figure, Movement, Reported, movements, targets
from .place import Place, Side
from .ranking import highest
from .similarity import DEFAULT_WEIGHTS, Encodes, Floats, Similarity, Weights

Status = Literal["answered", "partly", "missing", "general"]
NEEDED = ("achievement", "shortcoming", "plan", "metric")
"""The labels that comparing needs."""
MOST_EVIDENCE = 3
"""The most sentences shown for one plan or shortcoming."""


@dataclass(frozen=True)
class Rule:
    """Maps similarity to probability: ``1 / (1 + exp(-slope * (similarity - middle)))``.

    Fitted on the development pairs by ``bench/compare.py --fit``.
    """

    middle: float
    slope: float

    def probability(self, similarity: float) -> float:
        """The probability, 0 to 1, that a person would link the two sentences."""
        return float(1 / (1 + np.exp(-np.clip(self.slope * (similarity - self.middle), -60, 60))))


@dataclass(frozen=True)
class Rules:
    """A rule for each question; the rules depend on how the similarity is computed."""

    answer: Rule
    plan: Rule
    again: Rule


WITH_ENCODER = Rules(Rule(0.18, 28), Rule(0.125, 40), Rule(0.195, 26))
BY_WORDS = Rules(Rule(0.115, 30), Rule(0.07, 36), Rule(0.085, 28))


@dataclass(frozen=True)
class Evidence:
    """A sentence that answers another, and the probability that it does."""

    place: Place
    probability: float


@dataclass(frozen=True)
class PlanAnswer:
    """The outcome of a plan of the earlier report.

    Attributes:
        status: ``answered``; ``partly``, with the ``reasons``; ``missing``: the later report does not seem to mention
            it; ``general``: it opens a list, names a field or is a pledge, so there is nothing to look for.
        evidence: achievements of the later report, highest probability first; for a missing plan the nearest one, for
            people to judge.
        reasons: ``target`` (a planned figure was not reached), ``ongoing`` (the answer says that it is not done yet).
        targets: the planned figures with the reported ones.
    """

    place: Place
    status: Status
    evidence: tuple[Evidence, ...] = ()
    reasons: tuple[str, ...] = ()
    targets: tuple[Movement, ...] = ()


@dataclass(frozen=True)
class ShortcomingAnswer:
    """The plans against a shortcoming.

    Attributes:
        status: ``answered``: a plan addresses it; ``missing``: no plan found; ``general``: it opens or closes a list.
        plans: plans of its own report and, for a shortcoming of the earlier report, also of the later one, highest
            probability first; for a missing one the nearest, for people to judge.
        again: shortcomings of the later report that repeat it.
    """

    place: Place
    status: Status
    plans: tuple[Evidence, ...] = ()
    again: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two reports and the links between them.

    Attributes:
        encoder: the name of the encoder that compared meanings; None if only words were compared.
        similarity: compares any two sentences.
    """

    earlier: Report
    later: Report
    encoder: str | None
    plans: tuple[PlanAnswer, ...]
    shortcomings: tuple[ShortcomingAnswer, ...]
    figures: tuple[Movement, ...]
    similarity: Similarity

    def sentence(self, place: Place) -> Sentence:
        """The sentence at a place."""
        return (self.earlier if place.side == "earlier" else self.later).sentences[place.index]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many plans and shortcomings have each status, and how many figures rose, fell and stayed."""
        statuses: tuple[Status, ...] = ("answered", "partly", "missing", "general")
        moved = [movement.difference for movement in self.figures]
        return {
            "plans": {s: sum(plan.status == s for plan in self.plans) for s in statuses},
            "shortcomings": {s: sum(x.status == s for x in self.shortcomings) for s in statuses if s != "partly"},
            "again": {"count": sum(bool(x.again) for x in self.shortcomings)},
            "figures": {
                "up": sum(d > 0 for d in moved),
                "down": sum(d < 0 for d in moved),
                "same": sum(d == 0 for d in moved),
            },
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; identifies sentences by report, id and offsets, as in the records of ``pizhu annotate``."""
        return {
            "earlier": self.earlier.doc,
            "later": self.later.doc,
            "encoder": self.encoder,
            "counts": self.counts(),
            "plans": [
                {
                    **self._place(plan.place),
                    "status": plan.status,
                    "reasons": list(plan.reasons),
                    "evidence": self._evidence(plan.evidence),
                    "targets": [movement.as_dict() for movement in plan.targets],
                }
                for plan in self.plans
            ],
            "shortcomings": [
                {
                    **self._place(found.place),
                    "status": found.status,
                    "plans": self._evidence(found.plans),
                    "again": self._evidence(found.again),
                }
                for found in self.shortcomings
            ],
            "figures": [movement.as_dict() for movement in self.figures],
        }

    def _evidence(self, found: Iterable[Evidence]) -> list[dict[str, Any]]:
        return [{**self._place(e.place), "probability": round(e.probability, 3)} for e in found]

    def _place(self, place: Place) -> dict[str, Any]:
        s = self.sentence(place)
        return {
            "report": place.side,
            "sentence": place.index,
            "id": s.id,
            "start": s.start,
            "end": s.end,
            "text": s.text,
            "headings": list(s.headings),
        }


def compare_reports(
    earlier: Report,
    later: Report,
    encoder: Encodes | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
    rules: Rules | None = None,
) -> Comparison:
    """Link two labelled reports of one body.

    Args:
        encoder: computes vectors of meaning; None compares only words.
        rules: None takes the rules fitted with or without an encoder.

    Raises:
        ConfigError: a report is not labelled.
    """
    for report in (earlier, later):
        if any(s.kind == "sentence" and s.labels is None for s in report.sentences):
            raise ConfigError(f"{report.doc} has sentences that are not labelled; annotate it with a model first")
    return _Linker(earlier, later, encoder, weights, rules or (WITH_ENCODER if encoder else BY_WORDS)).comparison()


def title(report: Report) -> str:
    """The report's title, cleaned for display; its name if it has no title."""
    first = report.heading
    # If a numbered heading such as 一、工作回顾 comes first, the text lacks its title.
    return report.doc if first is None or marker(normalise(first.text)) else first.clean


class _Linker:
    """Answers the three questions for two reports."""

    def __init__(self, earlier: Report, later: Report, encoder: Encodes | None, weights: Weights, rules: Rules) -> None:
        self._reports: dict[Side, Report] = {"earlier": earlier, "later": later}
        self._encoder = encoder
        self._rules = rules
        self._similarity = Similarity(earlier, later, encoder, weights)

    def comparison(self) -> Comparison:
        return Comparison(
            self._reports["earlier"],
            self._reports["later"],
            self._encoder.name if self._encoder else None,
            self._plans(),
            (*self._shortcomings("earlier"), *self._shortcomings("later")),
            self._figures(),
            self._similarity,
        )

    def _plans(self) -> tuple[PlanAnswer, ...]:
        plans = self._labelled("plan", "earlier")
        achievements = self._concrete(self._labelled("achievement", "later"))
        concrete = self._concrete(plans)
        scores = self._similarity.between(concrete, achievements)
        figures = [figure for place in achievements for figure in self._amounts(place)]
        reported = Reported(figures, self._similarity.words)
        answers = {
            place: self._answer(place, self._best(row, achievements, self._rules.answer), reported)
            for place, row in zip(concrete, scores, strict=True)
        }
        return tuple(answers.get(place) or PlanAnswer(place, "general") for place in plans)

    def _answer(self, place: Place, nearest: tuple[Evidence, ...], reported: Reported) -> PlanAnswer:
        found = [e for e in nearest if e.probability >= 0.5]
        places = {e.place for e in found}
        planned = self._amounts(place)
        others = reported.named_like(planned, places)
        goals = targets(planned, reported.of(places), others, self._similarity.words)
        # A figure reported under the planned figure's name answers the plan, even if the sentences differ.
        found += [Evidence(goal.new.place, goal.score) for goal in goals if goal.new.place not in places]
        if not found:
            return PlanAnswer(place, "missing", nearest[:1])
        reasons = []
        if any(goal.met is False for goal in goals):
            reasons.append("target")
        if any(_ONGOING.search(self._sentence(e.place).text) for e in found):
            reasons.append("ongoing")
        distinct = {e.place: e for e in sorted(found, key=lambda e: e.probability)}  # keeps the highest per place
        evidence = tuple(sorted(distinct.values(), key=lambda e: -e.probability))
        return PlanAnswer(place, "partly" if reasons else "answered", evidence, tuple(reasons), tuple(goals))

    def _shortcomings(self, side: Side) -> tuple[ShortcomingAnswer, ...]:
        shortcomings = self._labelled("shortcoming", side)
        concrete = self._concrete(shortcomings)
        # The later report has no successor here, so only its own plans can address its shortcomings.
        plans = self._concrete(self._labelled("plan", *(("earlier", "later") if side == "earlier" else ("later",))))
        later = self._concrete(self._labelled("shortcoming", "later")) if side == "earlier" else []
        against = self._similarity.between(concrete, plans)
        repeated = self._similarity.between(concrete, later)
        answers = {}
        column = {plan: i for i, plan in enumerate(plans)}
        for place, row, same in zip(concrete, against, repeated, strict=True):
            if place in column:  # a sentence with both labels is not a plan against itself
                row[column[place]] = -1
            nearest = self._best(row, plans, self._rules.plan)
            found = tuple(e for e in nearest if e.probability >= 0.5)
            again = tuple(e for e in self._best(same, later, self._rules.again) if e.probability >= 0.5)
            answers[place] = ShortcomingAnswer(place, "answered" if found else "missing", found or nearest[:1], again)
        return tuple(answers.get(place) or ShortcomingAnswer(place, "general") for place in shortcomings)

    def _figures(self) -> tuple[Movement, ...]:
        old, new = (
            [
                figure
                for place in self._labelled("metric", side)
                if "plan" not in (self._sentence(place).labels or ())
                for figure in self._amounts(place)
            ]
            for side in ("earlier", "later")
        )
        likeness = self._similarity.alike([f.place for f in old], [f.place for f in new])
        return tuple(movements(old, new, self._similarity.words, likeness))

    def _best(self, row: Floats, candidates: Sequence[Place], rule: Rule) -> tuple[Evidence, ...]:
        order = highest(row, MOST_EVIDENCE).tolist()
        return tuple(Evidence(candidates[i], rule.probability(float(row[i]))) for i in order)

    def _amounts(self, place: Place) -> list[Figure]:
        # 由412人精简到356人: the first figure belongs to the period before.
        return [Figure(place, q) for q in quantities(self._sentence(place)) if q.change not in ("由", "从")]

    def _labelled(self, label: str, *sides: Side) -> list[Place]:
        return [
            Place(side, i)
            for side in sides
            for i, s in enumerate(self._reports[side].sentences)
            if s.kind == "sentence" and label in (s.labels or ())
        ]

    def _sentence(self, place: Place) -> Sentence:
        return self._reports[place.side].sentences[place.index]

    def _concrete(self, places: Sequence[Place]) -> list[Place]:
        return [place for place in places if not self._is_general(place)]

    def _is_general(self, place: Place) -> bool:
        sentence = self._sentence(place)
        after = self._reports[place.side].sentences[place.index + 1 : place.index + 2]
        text = normalise(sentence.text)
        heads = bool(after) and sentence.title in after[0].headings
        # 三是加快能力建设。 names the field of what follows; 三是强队伍，招聘教师50名。 says what will be done.
        return (heads and len(text) <= _FIELD and "," not in text) or bool(_GENERAL.search(text))


_FIELD = 24
"""The longest run-in heading that only names a field, in characters."""


_ONGOING = re.compile("正在|尚未|还在|仍在|仍未|正加紧|抓紧|滞后|预计|仅达|筹备|编制中|前期工作|尚需|待.{0,6}后")
_GENERAL = re.compile(
    "[:：!！]$|(?:以下|如下|下列|下面).{0,4}(?:工作|方面|任务|问题|不足)[。；;]?$"
    "|[一二三四五六七八九十0-9](?:个方面|项工作|项任务|件大?事)(?:的?工作)?[。；;:：]?$"
    "|(?:总体|工作)(?:思路|要求|目标)[是为]"
    "|新篇章|新华章|努力奋斗|不懈奋斗|满意答卷|优异成绩|新的?更?大?贡献|保驾护航|贡献.{0,6}力量|不负.{0,8}(?:重托|期望|期待|厚望)"
    "|(?:采取|拿出).{0,10}措施.{0,10}(?:解决|破解|击破|克服)"
)
"""Sentences that open or close a list, set the tone or pledge: nothing that one could look for a year later."""
