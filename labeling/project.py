"""The project in Label Studio: what annotators see, made from the label set and the guideline."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ..data.errors import ConfigError, LabelingError
from ..data.labels import DEFAULT_LABELS, LabelSet
from .client import Client

TITLE = "报告句子标注"
NONE = "none"  # what the choice 无 stores: "looked at, no label", which an empty answer would leave open
CONTROL, OBJECT = "labels", "text"

_GUIDELINE = Path(__file__).parent / "guideline.zh.md"
_MARK = re.compile(r"<!-- pizhu:([0-9a-f]{16}) -->\n")


def label_config(labels: LabelSet) -> str:
    """Label Studio's XML: the sentence in its context, one choice a label, 无 on key 0.

    The first line carries a digest of the rest, which tells a configuration that pizhu wrote from one changed by hand.

    Raises:
        ConfigError: a label takes the name or title of "none".
    """
    if any(label.name == NONE or label.title == "无" for label in labels):
        raise ConfigError(f"the name {NONE!r} and the title 无 are kept for sentences without a label")
    choices = [
        f"<Choice value={quoteattr(label.title)} alias={quoteattr(label.name)} hotkey={quoteattr(label.hotkey)}"
        f" background={quoteattr(label.color)}{f' hint={quoteattr(label.description)}' if label.description else ''}/>"
        for label in labels
    ]
    body = "\n".join(
        [
            "<View>",
            '  <View style="color: #767676; font-size: 90%">',
            '    <Text name="path" value="$path"/>',
            "  </View>",
            '  <View style="color: #555; margin-top: 12px">',
            '    <Text name="before" value="$before"/>',
            "  </View>",
            '  <View style="font-size: 125%; border-left: 4px solid #0072b2; margin: 12px 0">',
            f'    <Text name="{OBJECT}" value="$text"/>',
            "  </View>",
            '  <View style="color: #555; margin-bottom: 20px">',
            '    <Text name="after" value="$after"/>',
            "  </View>",
            f'  <Choices name="{CONTROL}" toName="{OBJECT}" choice="multiple" showInline="true" required="true"'
            ' requiredMessage="请选择标签；都不符合时选“无”（按 0）">',
            *(f"    {choice}" for choice in choices),
            f'    <Choice value="无" alias="{NONE}" hotkey="0" background="#999999" hint="以上都不是"/>',
            "  </Choices>",
            "</View>",
        ]
    )
    return f"<!-- pizhu:{_digest(body)} -->\n{body}"  # no line end: the server would strip it


def instructions(labels: LabelSet) -> str:
    """The guideline for annotators as HTML; for a label set of the user's own a list of what its labels mean."""
    from markdown_it import MarkdownIt

    text = _GUIDELINE.read_text(encoding="utf-8")
    if labels != DEFAULT_LABELS:
        meanings = [f"- {label.hotkey}：**{label.title}** {label.description}" for label in labels]
        text = "\n".join(
            ["每次只标一句话，标签可以选几个；一个都不符合就选“无”（按 0），看不懂请跳过。", "", *meanings]
        )
    html = str(MarkdownIt("commonmark", {"breaks": True, "xhtmlOut": False}).enable("table").render(text))
    # Label Studio takes bullets and spaces away, and every style that would bring them back.
    for tag, instead in {"<li>": "<li>• ", "<h2>": "<br><h2>", "<td>": "<td>\u2002", "<table>": "<br><table>"}.items():
        html = html.replace(tag, instead)
    return html.strip()


def ensure_project(
    client: Client,
    labels: LabelSet,
    title: str = TITLE,
    *,
    overlap: int | None = None,
    blind: bool | None = None,
    overwrite: bool = False,
) -> int:
    """Create the project, or bring its configuration and instructions up to date; returns its number.

    Args:
        client: of the owner.
        labels: what the choices are made from.
        title: 3 to 50 characters; the project is known by it.
        overlap: how many annotators answer each sentence; None leaves it as it is (2 in a new project).
        blind: whether annotators do without the model's proposals; None leaves it as it is (no in a new project).
        overwrite: whether a configuration that was changed by hand is replaced.

    Raises:
        LabelingError: the configuration was changed by hand and is not to be overwritten.
    """
    settings: dict[str, Any] = {
        "label_config": label_config(labels),
        "expert_instruction": instructions(labels),
        "show_instruction": True,
    }
    if overlap is not None:
        settings["maximum_annotations"] = overlap
    if blind is not None:
        settings["show_collab_predictions"] = not blind
    found = find_project(client, title)
    if found is None:
        if not 3 <= len(title) <= 50:
            raise LabelingError(f"a project's title must have 3 to 50 characters; {title!r} has {len(title)}")
        return int(client.projects.create(title=title, **({"maximum_annotations": 2} | settings)).id)
    if not overwrite:
        check_config(found.label_config, title)
    if changed := {name: value for name, value in settings.items() if getattr(found, name) != value}:
        client.projects.update(id=found.id, **changed)
    return int(found.id)


def find_project(client: Client, title: str) -> Any | None:
    """The SDK's project of exactly this title, or None; two of them are an error."""
    found = [project for project in client.projects.list(title=title) if project.title == title]
    if len(found) > 1:
        raise LabelingError(f"Label Studio has {len(found)} projects titled {title}; rename all but one")
    # The list leaves fields out.
    return client.projects.get(found[0].id) if found else None


def check_config(config: str | None, title: str) -> None:
    """Raise a :class:`LabelingError` unless ``config`` is as some pizhu, with some label set, wrote it."""
    mark = _MARK.match(text := (config or "").replace("\r\n", "\n"))
    if not mark or mark[1] != _digest(text[mark.end() :].rstrip("\n")):
        raise LabelingError(
            f"the configuration of project {title} was changed by hand in Label Studio; "
            "put pizhu's back with: pizhu label push --overwrite-config"
        )


def _digest(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=8).hexdigest()
