"""What a labelled corpus holds, in counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..labels import DEFAULT_LABELS
from .load import SPLITS, CorpusReport, load_splits

_COMPLETION = re.compile(
    r"了|已|完成|实现|达到|全年|今年|去年|[12]\d{3}年|[0-9０-９%％]|[一二两三四五六七八九十百千万亿][余多]?[个项件家人次起户批期场名条倍成亿万元]"
)


def stats(reports: Sequence[CorpusReport]) -> dict[str, Any]:
    """Counts, JSON-ready: reports, sentences, labels, tokens and types (characters), by genre and split; hard cases.

    ``bare_achievements`` is the share of achievement sentences without a figure or a mark of completion.
    """
    rows = [
        (report, sentence, case)
        for report in reports
        for sentence, case in zip(report.report.sentences, report.cases, strict=True)
        if sentence.kind == "sentence"
    ]
    labels: Counter[str] = Counter(name for _, s, _ in rows for name in s.labels or ())
    characters: Counter[str] = Counter(c for _, s, _ in rows for c in s.text if not c.isspace())
    achievements = [s for _, s, _ in rows if "achievement" in (s.labels or ())]
    numbered = re.compile(r"^\s*(?:[0-9]+[.、．]|[（(][一二三四五六七八九十]+[）)]|[一二三四五六七八九十]+是)")
    bare = sum(not _COMPLETION.search(numbered.sub("", s.text)) for s in achievements)
    cases: Counter[str] = Counter(case for _, _, case in rows if case)
    cases["digits-no-metric"] = sum(
        bool(re.search("[0-9]", s.text)) and "metric" not in (s.labels or ()) for _, s, _ in rows
    )
    cases["target-figures"] = sum({"plan", "metric"} <= set(s.labels or ()) for _, s, _ in rows)
    cases["hanzi"] = sum("metric" in (s.labels or ()) and not re.search("[0-9０-９]", s.text) for _, s, _ in rows)
    cases["furniture"] = sum(s.kind == "furniture" for r in reports for s in r.report.sentences)
    lengths = sorted(len(s.text) for _, s, _ in rows)
    return {
        "reports": len(reports),
        "sentences": len(rows),
        "labels": {name: labels[name] for name in DEFAULT_LABELS.names}
        | {"none": sum(not s.labels for _, s, _ in rows)},
        "characters": {"tokens": sum(characters.values()), "types": len(characters)},
        "sentence_length": {"median": lengths[len(lengths) // 2], "longest": lengths[-1]} if lengths else {},
        "bare_achievements": round(bare / max(1, len(achievements)), 4),
        "cases": dict(sorted(cases.items())),
        "by_kind": _by(reports, "kind"),
        "by_level": _by(reports, "level"),
        "by_body": _by(reports, "body"),
        "by_plan": _by(reports, "plan"),
        "by_style": dict(sorted(Counter(style for r in reports for style in r.style).items())),
        "years": [min(r.year for r in reports), max(r.year for r in reports)],
        "by_split": _by_split(reports),
    }


def _by(reports: Sequence[CorpusReport], name: str) -> dict[str, dict[str, int]]:
    groups: dict[str, list[CorpusReport]] = {}
    for report in reports:
        groups.setdefault(getattr(report, name), []).append(report)
    return {key: _counts(group) for key, group in sorted(groups.items())}


def _by_split(reports: Sequence[CorpusReport]) -> dict[str, dict[str, int]]:
    splits = load_splits(reports[0].path.parent)
    return {split: _counts([r for r in reports if r.id in splits[split]]) for split in SPLITS}


def _counts(reports: Sequence[CorpusReport]) -> dict[str, int]:
    sentences = [s for r in reports for s in r.report.sentences if s.kind == "sentence"]
    labels: Counter[str] = Counter(name for s in sentences for name in s.labels or ())
    return {"reports": len(reports), "sentences": len(sentences), **{n: labels[n] for n in DEFAULT_LABELS.names}}
