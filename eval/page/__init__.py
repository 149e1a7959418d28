"""The evaluation report: one self-contained HTML page in Chinese that opens offline."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ...base.page import assemble
from ...base.page.templates import render
from ..curves import Reviewed
from ..evaluate import MODEL, Evaluation, seed
from . import mistakes, sections
from .words import PARTS, SYSTEMS, certain

if TYPE_CHECKING:
    from markupsafe import Markup


def page(found: Evaluation, *, model: str, data: str, made: date | None = None) -> str:
    """The page of an evaluation.

    Text from reports is escaped everywhere: it is data, never markup.

    Args:
        model, data: descriptions of the model and of the data.
        made: the day of the evaluation; None leaves it out.
    """
    parts = [
        ("summary", "结论", _findings(found)),
        ("labels", "各标签得分", sections.labels(found)),
        ("baselines", "与基线比较", sections.baselines(found)),
        ("curves", "精确率—召回率曲线", sections.curves(found)),
        ("calibration", "概率是否可信", sections.calibration(found)),
        ("confusion", "标签之间的混淆", sections.confused(found)),
        ("review", "人工复核", sections.review(found)),
        ("slices", "分组得分", sections.sliced(found)),
        ("errors", "最严重的错误", mistakes.errors(found)),
        ("learning", "学习曲线", sections.learning(found)),
        ("notes", "说明", _notes(found)),
    ]
    day = f" · {made.isoformat()}" if made else ""
    about = f"模型 {model} · 数据 {data}{day}"
    return assemble("评测报告", about, _tiles(found), parts, title=model)


def _tiles(found: Evaluation) -> list[tuple[str, str, str]]:
    scores = found.systems[MODEL]
    errors = [reliability.error.value for reliability in found.reliability.values()]
    share = found.review.flagged / scores.sentences
    rest = found.review.rest
    return [
        ("宏平均 F1", f"{scores.macro_f1.value:.3f}", _between(found, scores.macro_f1.low, scores.macro_f1.high)),
        ("整句全对率", f"{scores.exact_match.value:.1%}", f"{scores.sentences} 句，{scores.reports} 份报告"),
        ("校准误差（各标签平均）", f"{sum(errors) / len(errors):.3f}", f"最大 {max(errors):.3f}"),
        ("建议复核", f"{share:.1%}", f"其余句子宏平均 F1 {rest.macro_f1.value:.3f}")
        if share and rest
        else ("建议复核", "—", "模型没有标记句子"),
    ]


def _between(found: Evaluation, low: float, high: float) -> str:
    return f"95% 区间 {low:.3f} 至 {high:.3f}" if len(found.docs) > 1 else "只有一份报告，无区间"


def _findings(found: Evaluation) -> Markup:
    scores = found.systems[MODEL]
    known = {name: score for name, score in scores.labels.items() if score.support}
    return render(
        "eval/page/summary.html.j2",
        scores=scores,
        flattering=found.division.flattering,
        best=_best(found),
        weakest=min(known, key=lambda name: known[name].f1.value, default=None),
        tenth=min(found.review.curve, key=_far_from_a_tenth) if found.review.wrong else None,
        labels=found.labels,
    )


def _best(found: Evaluation) -> dict[str, Any] | None:
    """The best baseline, and how far the model is ahead of it."""
    others = {name: value.macro_f1.value for name, value in found.systems.items() if name != MODEL}
    if not others:
        return None
    best = max(others, key=lambda name: others[name])
    ahead = found.comparisons[best].macro_f1
    return {"title": SYSTEMS[best], "macro_f1": others[best], "ahead": ahead, "certain": certain(ahead)}


def _far_from_a_tenth(point: Reviewed) -> float:
    return abs(point.share - 0.1)


def _notes(found: Evaluation) -> Markup:
    decision, origin = found.about.decision, found.about.origin
    facts = [
        ("标签", "、".join(label.title for label in found.labels)),
        ("阈值", "、".join(f"{t:g}" for t in decision.thresholds)),
    ]
    if training := origin.get("data", {}).get("training"):
        facts.append(("模型的训练报告", f"{len(training)} 份"))
    if (number := seed(origin)) is not None:
        facts.append(("随机种子", str(number)))
    if versions := origin.get("versions"):
        facts.append(("软件版本", "，".join(f"{package} {version}" for package, version in versions.items())))
    return render(
        "eval/page/notes.html.j2",
        division=found.division,
        training=found.training,
        repeated=found.repeated,
        left_out=[(PARTS.get(name, name), reason) for name, reason in found.left_out.items()],
        facts=facts,
        fingerprint=found.about.fingerprint[:12],
        docs=found.docs,
    )
