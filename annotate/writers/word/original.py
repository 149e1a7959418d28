"""Writes the original .docx with marks on its sentences; copies every other part unchanged."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Collection
from typing import IO

from lxml import etree

from ....base.errors import ReadError
from ....data.labels import LabelSet
from ....data.readers.base import Source
from ....data.readers.word import Traced, trace
from ....data.readers.zipped import BOUNDED, Archive
from ....data.report import Report
from ..shown import Counts
from .marks import Marker
from .ooxml import CONTENT_TYPES, RELATIONS, STRICT_R, STRICT_W, WORD_TYPE, R, serialise

_TYPES = "[Content_Types].xml"
_DOCUMENT = WORD_TYPE + "document.main+xml"


def write_marked(report: Report, labels: LabelSet, source: Source, out: IO[bytes]) -> None:
    """Write a marked copy of ``source``, from which ``report`` was read, to ``out``.

    Raises:
        ReadError: the document has changed since it was read, or a part of it is damaged.
    """
    traced = trace(source)
    if traced.text != report.text:
        raise ReadError(f"{source.name} was changed while it was annotated; annotate it again")
    archive = Archive(source)
    package = _Package(archive, traced)
    marker = Marker(traced.parts[traced.main], package.comments(), labels, archive.take)
    # Find all places before the first mark moves a run.
    units = [(s, traced.places.find(traced.text, s.start, s.end)) for s in report.sentences]
    if drawn := next((places for _, places in units if places), None):
        marker.comment(drawn[0].node, drawn[-1].node, _legend(report, labels))
    marker.mark(units)
    package.change({name: root for name, root in traced.parts.items() if root in marker.touched})
    package.write(source, out)


def _legend(report: Report, labels: LabelSet) -> list[str]:
    counts = Counts.of(report.records())
    lines = [f"本报告共 {counts.sentences} 句。底色表示一句的第一个标签；全部标签及其概率见该句的批注。"]
    lines += [f"{label.title}：{counts.labels[label.name]} 句" for label in labels]
    return [*lines, f"待核：{counts.review} 句，其批注的作者是“批注（待核）”，可按作者筛选。"]


class _Package:
    """A document's package with the parts that change."""

    def __init__(self, archive: Archive, traced: Traced) -> None:
        self._archive = archive
        self._main = traced.main
        self._folder = posixpath.dirname(traced.main)
        self._namespace = etree.QName(traced.parts[traced.main]).namespace or ""
        self._changed: dict[str, etree._Element] = {}
        self._dropped: frozenset[str] = frozenset()

    def change(self, parts: dict[str, etree._Element]) -> None:
        """Replace the old parts by ``parts``."""
        self._changed |= parts

    def comments(self) -> etree._Element:
        """The comments part; creates and registers one if there is none."""
        relations = self._part(
            posixpath.join(self._folder, "_rels", posixpath.basename(self._main) + ".rels"),
            f"{{{RELATIONS}}}Relationships",
        )
        types = self._part(_TYPES, f"{{{CONTENT_TYPES}}}Types")
        self._make_plain(relations, types)
        tag = f"{{{self._namespace}}}comments"
        for relation in relations:
            if relation.get("Type", "").endswith("/comments"):
                target = posixpath.join("/", self._folder, relation.get("Target", ""))
                return self._part(posixpath.normpath(target).lstrip("/"), tag)
        name = _free(posixpath.join(self._folder, "comments{}.xml"), self._archive.names)
        attributes = {
            "Id": _free("pizhu{}", {relation.get("Id", "") for relation in relations}),
            "Type": f"{STRICT_R if self._namespace == STRICT_W else R}/comments",
            "Target": posixpath.basename(name),
        }
        etree.SubElement(relations, f"{{{RELATIONS}}}Relationship", attributes)
        attributes = {"PartName": f"/{name}", "ContentType": WORD_TYPE + "comments+xml"}
        etree.SubElement(types, f"{{{CONTENT_TYPES}}}Override", attributes)
        return self._part(name, tag)

    def _part(self, name: str, tag: str) -> etree._Element:
        if name not in self._changed:
            empty = etree.Element(tag, nsmap={"w": self._namespace})
            self._changed[name] = self._archive.xml(name) if name in self._archive.names else empty
        return self._changed[name]

    def _make_plain(self, relations: etree._Element, types: etree._Element) -> None:
        """Turn a template or a document with macros (.docm) into a plain document; Word refuses others named .docx."""
        of_main = next((node for node in types if node.get("PartName") == f"/{self._main}"), None)
        if of_main is None or of_main.get("ContentType") == _DOCUMENT:
            return
        of_main.set("ContentType", _DOCUMENT)
        self._dropped = frozenset(name for name in self._archive.names if "/vba" in name.lower())
        for relation in [r for r in relations if r.get("Type", "").lower().endswith("/vbaproject")]:
            relations.remove(relation)
        for node in [node for node in types if node.get("PartName", "").lstrip("/") in self._dropped]:
            types.remove(node)

    def write(self, source: Source, out: IO[bytes]) -> None:
        """Write the package to ``out``, with the parts in their old order and with their old dates."""
        changed = {part: serialise(root) for part, root in self._changed.items()}
        try:
            with zipfile.ZipFile(io.BytesIO(source.data)) as old, zipfile.ZipFile(out, "w") as new:
                for info in old.infolist():
                    # Of two parts with the same name the last counts, as in the reader.
                    if info.filename not in self._dropped and old.getinfo(info.filename) is info:
                        self._copy(old, info, new, changed.pop(info.filename, None))
                for part, content in changed.items():
                    new.writestr(zipfile.ZipInfo(part), content, zipfile.ZIP_DEFLATED)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
            raise ReadError(f"{source.name} has a damaged or locked part and cannot be copied; save it again") from None

    def _copy(self, old: zipfile.ZipFile, info: zipfile.ZipInfo, new: zipfile.ZipFile, content: bytes | None) -> None:
        copy = zipfile.ZipInfo(info.filename, info.date_time)
        copy.compress_type = info.compress_type
        copy.external_attr = info.external_attr
        if content is not None:
            new.writestr(copy, content)
            return
        if info.compress_type not in BOUNDED:
            raise NotImplementedError
        copy.file_size = info.file_size
        with old.open(info) as given, new.open(copy, "w") as taken:
            while data := given.read(2**20):
                self._archive.take(len(data))
                taken.write(data)


def _free(pattern: str, taken: Collection[str]) -> str:
    number = 0
    while (name := pattern.format(number or "")) in taken:
        number += 1
    return name
