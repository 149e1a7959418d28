"""The service's page: which model proposes labels, and the state of the training. It reloads while a training runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from ...base.page.templates import render
from .state import ENDED

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

_STAGES = {"waiting": "等待", "pulling": "取回标注", "training": "训练", "evaluating": "评测"}
_ENDS = {
    "taken": {"kind": "good", "word": "新模型更好，已经换用"},
    "rejected": {"kind": "", "word": "新模型没有更好，仍用原来的模型"},
    "failed": {"kind": "bad", "word": "训练没有成功"},
}


def page(state: Mapping[str, Any]) -> str:
    """The page for the state that ``GET /state`` returns."""
    run = state["run"]
    return str(
        render(
            "labeling/backend/page.html.j2",
            style=(files(__package__) / "page.css").read_text(encoding="utf-8"),
            state=state,
            busy=run is not None and run["stage"] not in ENDED,
            model=_model(state),
            stages=_STAGES,
            end=run and _ENDS.get(run["stage"]),
            run=run and _run(run),
        )
    )


def _model(state: Mapping[str, Any]) -> dict[str, str]:
    if not state["model"]:
        return {}
    rows = {"版本": state["model"]["version"], "标签": "、".join(state["model"]["labels"].values())}
    if state["every"]:
        rows["自动训练"] = f"每{state['every']}条标注一次，已有{state['annotations_since']}条"
    return rows


def _run(run: Mapping[str, Any]) -> dict[str, str]:
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
    return rows


def _time(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}"
