"""The worst errors on the page: each in its context, with what led to it and the training sentences like it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ...base.page import charts
from ...base.page.markup import tag, tags
from ...data.labels import LabelSet
from ..attribution import Attribution, Word
from ..evaluate import Evaluation
from ..mistakes import Mistake, Nearest

_STRONG = 0.5
"""Share of the strongest word's weight from which a word is underlined, so that print without colours shows it."""


def errors(found: Evaluation) -> str:
    """The section; empty where none were asked for."""
    if not found.mistakes:
        return ""
    said = "模型最没料到的错误：真实标签在它看来最不可能的句子在前。灰色是前后文，小标签是人工标注。"
    if any(m.attribution for m in found.mistakes):
        said += (
            "底色是词语对所示标签的作用（积分梯度）："
            '<span class="w" style="--c:var(--for);--a:.35">蓝色</span>使模型更倾向于给，'
            '<span class="w" style="--c:var(--against);--a:.35">橙色</span>使它更倾向于不给；'
            "作用最大的词另加实线（倾向于给）或点线（倾向于不给）。"
        )
    body = "".join(_error(number, m, found) for number, m in enumerate(found.mistakes, 1))
    return f"<p>{said}全部 {found.review.wrong} 句错误中的 {len(found.mistakes)} 句。</p>{body}"


def _error(number: int, mistake: Mistake, found: Evaluation) -> str:
    labels = found.labels
    flag = '<span class="flag">已标记复核</span>' if mistake.review else ""
    words = mistake.attribution.words if mistake.attribution else {}
    most = _most(mistake.attribution)
    path = f'<p class="path">{escape(" › ".join(mistake.headings))}</p>' if mistake.headings else ""
    around = {n.place: n for n in (*mistake.before, *mistake.after)}
    lines = []
    for place in sorted([*around, mistake.place]):
        neighbour = around.get(place)
        text = _words(words[place], most) if place in words else escape(neighbour.text if neighbour else mistake.text)
        if neighbour is None:
            lines.append(f'<li class="own"><bdi>{text}</bdi></li>')
        elif neighbour.kind == "heading":
            lines.append(f'<li class="heading"><bdi>{text}</bdi></li>')
        else:
            known = tags(neighbour.labels, labels) if neighbour.labels else ""
            lines.append(f"<li><bdi>{text}</bdi>{known}</li>")
    explained = ""
    if mistake.attribution:
        missed = "漏给" if mistake.label in mistake.truth else "误给"
        window = _words(mistake.attribution.path, most) or "（无）"
        explained = (
            f'<p class="path">归因对象：{missed}的{tag(mistake.label, labels)}。模型读到的标题与报告名：{window}</p>'
        )
    return (
        f'<article class="error"><header><b>{number}</b><span>真实 {tags(mistake.truth, labels)}</span>'
        f"<span>给出 {tags(mistake.given, labels)}</span>{flag}<small>{escape(mistake.doc)}</small></header>"
        f'<div class="place"><div>{path}<ol class="context">{"".join(lines)}</ol>{explained}'
        f"{_nearest(mistake.nearest, labels)}</div><div>{_probabilities(mistake, found)}</div></div></article>"
    )


def _most(attribution: Attribution | None) -> float:
    if attribution is None:
        return 1.0
    words = [*attribution.path, *(word for group in attribution.words.values() for word in group)]
    return max((abs(word.value) for word in words), default=0.0) or 1.0


def _words(words: Sequence[Word], most: float) -> str:
    html = []
    for word in words:
        share = abs(word.value) / most
        if share < 0.06:
            html.append(escape(word.text))
            continue
        kind, color = ("", "--for") if word.value > 0 else (" against", "--against")
        strong = " strong" if share >= _STRONG else ""
        html.append(
            f'<span class="w{kind}{strong}" style="--c:var({color});--a:{0.5 * share:.2f}" title="{word.value:+.2f}">'
            f"{escape(word.text)}</span>"
        )
    return "".join(html)


def _probabilities(mistake: Mistake, found: Evaluation) -> str:
    """A bar for each label's probability, with its threshold."""
    rows = []
    for label, threshold in zip(found.labels, found.about.decision.thresholds, strict=True):
        probability = mistake.probabilities[label.name]
        bar = (
            f'<rect x="0" y="3" width="84" height="9" fill="{charts.GRID}"/>'
            f'<rect x="0" y="3" width="{84 * probability:.1f}" height="9" fill="{label.color}"/>'
            f'<path d="M{84 * threshold:.1f} 0v15" stroke="{charts.INK}" stroke-width="1.5"/>'
        )
        picture = charts.picture(f"{probability:.0%}，阈值 {threshold:g}", 86, 15, bar)
        rows.append(f"<tr><td>{tag(label.name, found.labels)}</td><td>{picture}</td><td>{probability:.0%}</td></tr>")
    return f'<table class="chances">{"".join(rows)}</table><small>竖线是阈值</small>'


def _nearest(nearest: Sequence[Nearest], labels: LabelSet) -> str:
    if not nearest:
        return ""
    rows = "".join(
        f"<li>{near.similarity:.2f}　<bdi>{escape(near.text)}</bdi> {tags(near.labels, labels)} "
        f"<small>{escape(' › '.join(near.headings))}</small></li>"
        for near in nearest
    )
    return f'<ul class="nearest"><li><small>最相近的训练句（余弦相似度）</small></li>{rows}</ul>'
