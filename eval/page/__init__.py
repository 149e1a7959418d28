"""The evaluation report: one self-contained HTML page, in Chinese, that opens offline."""

from __future__ import annotations

from datetime import date
from html import escape

from ...base.page import assemble
from ...base.page.markup import tag
from ..curves import Reviewed
from ..evaluate import MODEL, Evaluation, seed
from ..held_out import Division
from . import mistakes, sections
from .words import PARTS, SYSTEMS, certain, p_value


def page(found: Evaluation, *, model: str, data: str, made: date | None = None) -> str:
    """The page of an evaluation.

    Text from reports is escaped everywhere: it is data, never markup.

    Args:
        model, data: what was evaluated on what, in words.
        made: the day; None leaves it out.
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
    about = f"模型 {escape(model)} · 数据 {escape(data)}{day}"
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


def _findings(found: Evaluation) -> str:
    scores = found.systems[MODEL]
    unseen = "验证报告（得分偏高，见说明）" if found.division.flattering else "模型未见过的报告"
    said = [
        f"在 {scores.reports} 份{unseen}、{scores.sentences} 个句子上，"
        f"宏平均 F1 为 <b>{scores.macro_f1.value:.3f}</b>，"
        f"{scores.exact_match.value:.1%} 的句子标签全对。"
    ]
    others = {name: value for name, value in found.systems.items() if name != MODEL}
    if others:
        best = max(others, key=lambda name: others[name].macro_f1.value)
        ahead = found.comparisons[best].macro_f1
        p = "" if ahead.p is None else f"，p {'' if ahead.p < 0.001 else '= '}{p_value(ahead.p)}"
        verdict = "差异可信" if certain(ahead) else "尚不能断定不是偶然"
        said.append(
            f"比最好的基线“{SYSTEMS[best]}”（{others[best].macro_f1.value:.3f}）{'高' if ahead.value >= 0 else '低'} "
            f"{abs(ahead.value):.3f}（95% 区间 {ahead.low:+.3f} 至 {ahead.high:+.3f}{p}）：{verdict}。"
        )
    known = {name: score for name, score in scores.labels.items() if score.support}
    if known:
        weakest = min(known, key=lambda name: known[name].f1.value)
        said.append(
            f"得分最低的标签是{tag(weakest, found.labels)}，F1 {known[weakest].f1.value:.3f}"
            f"（精确率 {known[weakest].precision.value:.3f}，召回率 {known[weakest].recall.value:.3f}）。"
        )
    if found.review.wrong:
        tenth = min(found.review.curve, key=_far_from_a_tenth)
        said.append(f"把最没有把握的 {tenth.share:.0%} 句子交人复核，其余句子的宏平均 F1 为 {tenth.rest:.3f}。")
    return '<ul class="findings">' + "".join(f"<li>{line}</li>" for line in said) + "</ul>"


def _far_from_a_tenth(point: Reviewed) -> float:
    return abs(point.share - 0.1)


def _notes(found: Evaluation) -> str:
    rows = [
        "区间是 95% 百分位自助法区间，以报告为单位重抽 1000 次，因为同一份报告的句子并不独立。",
        "显著性检验是配对置换检验：逐份报告交换两个系统的答案；报告不超过 13 份时穷举。未作多重比较校正。",
        "“宏平均”是各标签 F1 的简单平均；分组得分只计该组出现过（真实或给出）的标签。",
    ]
    rows += _known(found.division)
    if found.training[0]:
        rows.append(
            f"基线所用训练数据：{found.training[0]} 份报告，{found.training[1]} 个句子；"
            f"评测句中有 {found.repeated} 句与训练报告中的句子文字完全相同。"
        )
    html = '<ul class="plain">' + "".join(f"<li>{row}</li>" for row in rows) + "</ul>"
    if found.left_out:
        left = "".join(
            f"<li>{PARTS.get(name, escape(name))}：<code>{escape(reason)}</code></li>"
            for name, reason in found.left_out.items()
        )
        html += f'<h3>未做的部分</h3><ul class="plain">{left}</ul>'
    facts = [("标签", "、".join(escape(label.title) for label in found.labels))]
    decision, origin = found.about.decision, found.about.origin
    facts.append(("阈值", "、".join(f"{t:g}" for t in decision.thresholds)))
    if training := origin.get("data", {}).get("training"):
        facts.append(("模型的训练报告", f"{len(training)} 份"))
    if (number := seed(origin)) is not None:
        facts.append(("随机种子", str(number)))
    if versions := origin.get("versions"):
        facts.append(("软件版本", "，".join(escape(f"{package} {version}") for package, version in versions.items())))
    if found.about.fingerprint:
        facts.append(("模型指纹", f"<code>{found.about.fingerprint[:12]}</code>"))
    facts.append(
        ("评测报告", "、".join(escape(doc) for doc in found.docs[:40]) + ("……" if len(found.docs) > 40 else ""))
    )
    return html + '<dl class="facts">' + "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in facts) + "</dl>"


def _known(division: Division) -> list[str]:
    """What reports were to the model, as its folder records it."""
    rows = []
    if division.learned:
        rows.append(f"数据中有 {len(division.learned)} 份报告模型学过，未参加评测。")
    if division.validation:
        rows.append(f"数据中有 {len(division.validation)} 份报告用来选定过模型的阈值和停止时机，未参加评测。")
    if division.flattering:
        rows.append(
            f"<b>得分偏高：</b>所评的 {len(division.scored)} 份报告模型没有学过，但它的阈值和停止时机是按它们选定的；"
            "数据中没有别的报告可评。请另标几份模型没有见过的报告再评。"
        )
    return [*rows, "模型是否见过一份报告，按模型文件夹中记下的报告名称判断。"]
