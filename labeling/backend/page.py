"""The service's page: which model proposes labels and how the training stands. It loads itself again while one runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from importlib.resources import files
from typing import Any

from ...base.page.template import fill
from .state import ENDED

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

_STAGES = {"waiting": "等待", "pulling": "取回标注", "training": "训练", "evaluating": "评测"}
_ENDS = {
    "taken": ("good", "新模型更好，已经换用"),
    "rejected": ("", "新模型没有更好，仍用原来的模型"),
    "failed": ("bad", "训练没有成功"),
}


def page(state: Mapping[str, Any]) -> str:
    """The page for what ``GET /state`` tells."""
    run = state["run"]
    busy = run is not None and run["stage"] not in ENDED
    fields = {
        "refresh": '<meta http-equiv="refresh" content="5">' if busy else "",
        "project": escape(state["project"]),
        "model": _model(state),
        "run": _run(run) if run else '<p class="soft">还没有训练过。</p>',
        "disabled": " disabled" if busy or not state["model"] else "",
    }
    return fill((files(__package__) / "page.html").read_text(encoding="utf-8"), fields)


def _model(state: Mapping[str, Any]) -> str:
    if not state["model"]:
        return f'<p class="bad">模型不能载入：{escape(state["problem"])}</p>'
    rows = {"版本": state["model"]["version"], "标签": "、".join(state["model"]["labels"].values())}
    if state["every"]:
        rows["自动训练"] = f"每{state['every']}条标注一次，已有{state['annotations_since']}条"
    text = _list(rows)
    if state["context_problem"]:
        text += f'<p class="bad">取不到整份报告，预标注只看句子本身和上一句：{escape(state["context_problem"])}</p>'
    return text


def _run(run: Mapping[str, Any]) -> str:
    if run["stage"] in _STAGES:
        steps = (f"<li{' class=now' if stage == run['stage'] else ''}>{word}</li>" for stage, word in _STAGES.items())
        text = f"<ol>{''.join(steps)}</ol>"
    else:
        kind, word = _ENDS[run["stage"]]
        text = f'<p class="{kind}">{word}。</p>'
    rows = {"第几次": str(run["number"]), "由谁开始": run["why"], "开始": _time(run["began"])}
    if run["ended"]:
        rows["结束"] = _time(run["ended"])
    if run["reports"]:
        taught, held = run["reports"]
        rows["已标注的报告"] = f"{taught}份用于训练，{held}份留作验证"
    if run["new"] is not None:
        rows["验证集宏平均 F1"] = f"原来的模型 {run['present']:.3f}，新模型 {run['new']:.3f}"
    if run["error"]:
        rows["原因"] = run["error"]
    text += _list(rows)
    return text + (f"<pre>{escape(chr(10).join(run['log']))}</pre>" if run["log"] else "")


def _list(rows: Mapping[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items()) + "</dl>"


def _time(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}"
