"""What annotators see in Label Studio: the XML configuration and the guideline, made from the label set."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ...base.errors import ConfigError, LabelingError
from ...data.labels import DEFAULT_LABELS, Label, LabelSet

NONE = "none"  # what the choice 无 stores: "looked at, no label"; an empty answer could mean anything
NONE_COLOR = "#595959"  # darker than every default colour, so that colour-blind people can tell all five apart
CONTROL, OBJECT = "labels", "text"
SPANS = "spans"  # the control of the task that marks quantities

COMMANDS = {
    "sentences": "pizhu label push",
    "spans": "pizhu label push --task spans",
    "review": "pizhu label errors --push",
    "adjudication": "pizhu label adjudicate",
}
"""The command that creates or updates the project for each kind of task."""

_GUIDELINE = Path(__file__).parents[1] / "guideline.zh.md"
_MARK = re.compile(r"<!-- pizhu:([0-9a-f]{16}) -->\n")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What identifies the kind of a configuration, even one changed by hand: Label Studio's label editor drops the digest.
# The order matters: an adjudicator's and a reviewer's configuration have the annotators' choices too. Label names and
# titles hold no "<".
_KIND_MARKERS = {
    "spans": f'<Labels name="{SPANS}"',
    "review": '<Text name="doubt"',
    "adjudication": '<Text name="answers"',
    "sentences": f'<Choices name="{CONTROL}"',
}

# Everything shown is task data: the neighbouring sentences, and folded below them the place in the report.
_ABOVE = """\
  <View style="color: #767676; font-size: 90%; display: flex; flex-wrap: wrap; gap: 0 2em">
    <Text name="path" value="$path"/>
    <Text name="position" value="$position"/>
  </View>
  <View style="color: #555; margin-top: 12px">
    <Text name="before" value="$before"/>
  </View>"""
_DOUBT = """\
  <View style="color: #8a4b00; margin-top: 12px">
    <Text name="doubt" value="$doubt"/>
  </View>"""
_BELOW = """\
  <View style="color: #555; margin-bottom: 12px">
    <Text name="after" value="$after"/>
  </View>"""
_PLACE = """\
  <Collapse accordion="false" open="false">
    <Panel value="在报告中的位置（点开查看前后文）">
      <HyperText name="place" value="$place" inline="true" clickableLinks="true" selectionEnabled="false"/>
    </Panel>
  </Collapse>"""


def label_config(labels: LabelSet, *, doubted: bool = False) -> str:
    """Label Studio's XML: the sentence in its context, one choice a label, 无 on key 0.

    The first line holds a digest of the rest, which shows whether somebody changed the configuration by hand.

    Args:
        labels: the choices.
        doubted: whether tasks say in ``doubt`` why a sentence is reviewed.

    Raises:
        ConfigError: a label has the name or title reserved for "none".
    """
    if any(label.name == NONE or label.title == "无" for label in labels):
        raise ConfigError(f"the name {NONE!r} and the title 无 are reserved for sentences without a label")
    none = Label(NONE, "无", NONE_COLOR, "0", "以上都不是")
    return signed(
        [
            _ABOVE,
            *([_DOUBT] if doubted else []),
            '  <View style="font-size: 125%; border-left: 4px solid #0072b2; margin: 12px 0">',
            f'    <Text name="{OBJECT}" value="$text"/>',
            "  </View>",
            _BELOW,
            f'  <Choices name="{CONTROL}" toName="{OBJECT}" choice="multiple" showInline="true" required="true"'
            ' requiredMessage="请选择标签；都不符合时选“无”（按 0）">',
            *(f"    {_entry('Choice', label)}" for label in (*labels, none)),
            "  </Choices>",
            _PLACE,
        ]
    )


def span_config(labels: LabelSet) -> str:
    """Label Studio's XML for marking spans in the sentence, one ``<Label>`` a kind of span."""
    return signed(
        [
            _ABOVE,
            f'  <Labels name="{SPANS}" toName="{OBJECT}" showInline="true">',
            *(f"    {_entry('Label', label)}" for label in labels),
            "  </Labels>",
            '  <View style="font-size: 125%; border-left: 4px solid #0072b2; margin: 12px 0">',
            f'    <Text name="{OBJECT}" value="$text" granularity="symbol"/>',
            "  </View>",
            _BELOW,
            _PLACE,
        ]
    )


def instructions(labels: LabelSet) -> str:
    """The guideline for annotators as HTML; for a user's own label set, a list of what its labels mean."""
    if labels == DEFAULT_LABELS:
        return _html(_GUIDELINE.read_text(encoding="utf-8"))
    return _meanings("每次只标一句话，标签可以选几个；一个都不符合就选“无”（按 0），看不懂请跳过。", labels)


def span_instructions(labels: LabelSet) -> str:
    """How to mark spans, as HTML."""
    return _meanings(
        "先按快捷键选一种，再用鼠标划出句中的字；一句话里的每个数都要标。数值和单位分开标，“约”“以上”不标进数值；"
        "没有指标的句子不划，直接提交；看不懂请跳过。",
        labels,
    )


def check_config(config: str | None, title: str, kind: str = "sentences") -> None:
    """Raise a :class:`LabelingError` unless pizhu (any version, any label set) wrote ``config`` as it is.

    Args:
        config: the project's configuration.
        title: the project's title, for the message.
        kind: the expected kind of task, for a configuration that no longer shows its own; see :data:`COMMANDS`.
    """
    mark = _MARK.match(text := (config or "").replace("\r\n", "\n"))
    if not mark or mark[1] != _digest(text[mark.end() :].rstrip("\n")):
        raise LabelingError(
            f"the configuration of project {title} was changed by hand in Label Studio; "
            f"restore pizhu's with: {COMMANDS[config_kind(config) or kind]} --overwrite-config"
        )


def check_kind(config: str | None, title: str, kind: str) -> None:
    """Raise a :class:`LabelingError` if ``config`` is for another kind of task than ``kind``."""
    there = config_kind(config)
    if there not in (None, kind):
        raise LabelingError(
            f"project {title} is for {there}, not for {kind}; update it with {COMMANDS[there]}, "
            "or choose another --project"
        )


def config_kind(config: str | None) -> str | None:
    """The kind of task of a configuration, a key of :data:`COMMANDS`; None if it holds nothing that pizhu wrote."""
    return next((kind for kind, part in _KIND_MARKERS.items() if part in (config or "")), None)


def config_labels(config: str | None) -> tuple[Label, ...]:
    """The labels that a configuration offers, no matter who wrote it, except 无; empty if it is not XML."""
    from lxml import etree

    try:
        # Anybody may have written the configuration: no entities, no network.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        root = etree.fromstring((config or "").encode(), parser)
    except etree.XMLSyntaxError:
        return ()
    # Other controls do not ask for labels: an adjudicator's ask for a reason.
    controls = [control for control in root.iter("Choices", "Labels") if control.get("name") in (CONTROL, SPANS)]
    given = [dict(entry.attrib) for control in controls for entry in control.iter("Choice", "Label")]
    return tuple(
        Label(
            name,
            row.get("value", ""),
            row.get("background", ""),
            row.get("hotkey", ""),
            row.get("hint", ""),
            tuple(row.get("formerly", "").split()),
        )
        for row in given
        if (name := row.get("alias", row.get("value", ""))) != NONE
    )


def _entry(tag: str, label: Label) -> str:
    """The element that offers the label; former names are for prediction services whose models may know one of them."""
    if strange := _NOT_XML.search(label.title + label.description):
        raise ConfigError(f"label {label.name!r} has a title or description with {strange[0]!r}, which cannot be shown")
    hint = f" hint={quoteattr(label.description)}" if label.description else ""
    hint += f' formerly="{" ".join(label.formerly)}"' if label.formerly else ""
    return (
        f"<{tag} value={quoteattr(label.title)} alias={quoteattr(label.name)} hotkey={quoteattr(label.hotkey)}"
        f" background={quoteattr(label.color)}{hint}/>"
    )


def signed(parts: Sequence[str]) -> str:
    """A configuration with ``parts`` in its view, below the first line by which :func:`check_config` recognises it."""
    body = "\n".join(["<View>", *parts, "</View>"])
    return f"<!-- pizhu:{_digest(body)} -->\n{body}"  # no final newline: the server would strip it


def _meanings(opening: str, labels: LabelSet) -> str:
    """A paragraph and what each label means, as HTML; titles and descriptions are escaped."""
    means = [f"{label.hotkey}：<strong>{_text(label.title)}</strong> {_text(label.description)}" for label in labels]
    return "\n".join([f"<p>{opening}</p>", "<ul>", *(f"<li>• {one.rstrip()}</li>" for one in means), "</ul>"])


def _text(text: str) -> str:
    return escape(text, {'"': "&quot;", "\n": "<br>\n"})


def _html(text: str) -> str:
    from markdown_it import MarkdownIt

    options = {"breaks": True, "html": False, "xhtmlOut": False}
    html = str(MarkdownIt("commonmark", options).enable("table").render(text))
    # Label Studio removes bullets and spacing, and any style that would restore them.
    for tag, instead in {"<li>": "<li>• ", "<h2>": "<br><h2>", "<td>": "<td>\u2002", "<table>": "<br><table>"}.items():
        html = html.replace(tag, instead)
    return html.strip()


def _digest(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=8).hexdigest()
