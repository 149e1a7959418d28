"""Annotated reports to write, including hostile ones, and Word documents to mark."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from lxml import etree
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report

HOSTILE = [
    "<script>alert('公开')</script>，完成任务。",
    "=cmd|' /C calc'!A0，共办件32件。",
    "+1+1，已完成。",
    "-2+3，仍有不足。",
    "@SUM(A1:A9)，将继续推进。",
    "＝1+1，全角的等号。",
    '=HYPERLINK("http://x.invalid/","点此")，请查收。',
    "../../x，路径不得外出。",
    "_x0041_是七个字符，不是字母。",
    "&amp;与]]>与<!-- -->都是文字。",
]
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_NAMESPACES = (
    f'xmlns:w="{W}" xmlns:r="{_R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
Document = Callable[..., Path]


def all_text(node: etree._Element) -> str:
    """All text in ``node``."""
    return "".join(map(str, node.itertext()))


def labelled_at_will(report: Report, every: Sequence[tuple[str, ...]] | None = None) -> Report:
    """``report`` with labels in turn (each set of labels, and none), probabilities, and every fifth to review."""
    every = every or [("achievement",), ("plan", "metric"), (), ("shortcoming",)]
    labels: list[tuple[str, ...] | None] = []
    scores: list[dict[str, float] | None] = []
    number = 0
    for s in report.sentences:
        if s.kind != "sentence":
            labels.append(None)
            scores.append(None)
            continue
        given = every[number % len(every)]
        labels.append(given)
        scores.append({name: 0.9 if name in given else 0.1234 for name in DEFAULT_LABELS.names})
        number += 1
    review = [i % 5 == 4 and given is not None for i, given in enumerate(labels)]
    return report.with_labels(labels, scores, review)


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """Writes a .docx that has ``body`` and further parts by kind, with everything Word asks of one."""

    def write(body: str, name: str = "报告 一.docx", main: str = "document.main", **parts: str) -> Path:
        path = tmp_path / name
        overrides = "".join(
            f'<Override PartName="/word/{kind}.xml" ContentType="{_TYPE}{kind}+xml"/>' for kind in parts
        )
        relations = "".join(
            f'<Relationship Id="r{n}" Type="{_R}/{kind}" Target="{kind}.xml"/>' for n, kind in enumerate(parts)
        )
        package = "http://schemas.openxmlformats.org/package/2006"
        content = main if "/" in main else f"{_TYPE}{main}+xml"
        files = {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
            f'<Override PartName="/word/document.xml" ContentType="{content}"/>{overrides}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="d" '
            f'Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"<w:document {_NAMESPACES}><w:body>{body}<w:sectPr/></w:body></w:document>",
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships">{relations}'
            "</Relationships>",
            "word/media/image1.png": "no picture, but bytes",
        }
        for kind, text in parts.items():
            files[f"word/{kind}.xml"] = f"<w:{kind} {_NAMESPACES}>{text}</w:{kind}>"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, text in files.items():
                archive.writestr(part, text)
        return path

    return write
