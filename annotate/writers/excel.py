"""Excel: a sheet with one row per sentence to filter and sort, after a summary of all reports with charts."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

from ...base.errors import MissingExtraError
from ...base.files import replacing_bytes
from ...data.labels import LabelSet
from ...data.records import Record
from .shown import Counts, readable, tint, titles
from .table import Reports

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_T = TypeVar("_T")
_ROWS = 1_048_576
_CELL = 32_767
_LINE, _HIGHEST = 14.5, 409
"""The height of a line and the greatest possible height of a row, in points."""
_CUT = "……（全文见 JSONL）"
_CHART = 700  # the width of a chart in pixels, about that of the table above it
_CHARTED = 30
"""The most reports in the chart of shares; a chart with more bars is unreadable."""


def write(reports: Reports, labels: LabelSet, path: Path) -> None:
    """Write one workbook for ``reports``; memory does not grow with the number of sentences.

    Raises:
        MissingExtraError: xlsxwriter is not installed.
    """
    try:
        from xlsxwriter import Workbook
        from xlsxwriter.exceptions import FileCreateError
    except ImportError:
        raise MissingExtraError("an Excel workbook", "tables") from None
    with replacing_bytes(path) as file, TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out = _Out(file, path)
        book = Workbook(out, {"constant_memory": True, "tmpdir": folder})
        # A fixed date, so that the same records give the same bytes.
        book.set_properties({"created": datetime(2000, 1, 1)})
        try:
            _fill(book, reports, labels)
            book.close()
        except BaseException as error:
            out.drop()
            for sheet in book.worksheets():  # the garbage collector would close them later, and print any error
                with suppress(OSError):
                    sheet._opt_close()
            cause = error.args[0] if isinstance(error, FileCreateError) else error
            if not isinstance(cause, OSError):
                raise
            if cause.filename != str(path):
                cause.filename, cause.filename2 = gettempdir(), None  # xlsxwriter keeps the rows there until the end
            raise cause from None


class _Out:
    """The workbook's file, with the interface that ZipFile needs; errors name the file.

    ZipFile writes to it once more when it is deleted; after a failure, that write is dropped.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._dropped: int | None = None

    def drop(self) -> None:
        """Write no more, and only count the position."""
        self._dropped = 0

    def write(self, data: bytes) -> int:
        if self._dropped is None:
            return self._named(self._file.write, data)
        self._dropped += len(data)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        if self._dropped is None:
            return self._named(self._file.seek, place, whence)
        self._dropped = place
        return place

    def tell(self) -> int:
        return self._named(self._file.tell) if self._dropped is None else self._dropped

    def flush(self) -> None:
        if self._dropped is None:
            self._named(self._file.flush)

    def _named(self, call: Callable[..., _T], *words: Any) -> _T:
        try:
            return call(*words)
        except OSError as error:
            error.filename = str(self._path)
            raise


def _fill(book: Workbook, reports: Reports, labels: LabelSet) -> None:
    overview, by_report, sentences = book.add_worksheet("汇总"), _Reports(book, labels), _Sentences(book, labels)
    for name, records in reports:
        counts = Counts()
        for record in records:
            if record["kind"] == "sentence":
                counts.add(record)
                sentences.add(name, counts.sentences, record)
        by_report.add(name, counts)
    by_report.close()
    sentences.close()
    _overview(book, overview, by_report, labels)


def cell(text: str, limit: int = _CELL) -> str:
    """``text`` cut to what a cell can hold: Excel counts UTF-16 units, and shows nothing beyond its limit."""
    text = readable(text).replace("\t", "  ")
    if _units(text) <= limit:
        return text
    kept = text.encode("utf-16-le")[: 2 * (limit - _units(_CUT))].decode("utf-16-le", "ignore")
    return kept + _CUT


def _lines(text: str, width: float) -> int:
    """How many lines ``text`` fills in a column of ``width`` Latin characters; Chinese ones are twice as wide."""
    wide = 2 * len(text) - len(text.encode("ascii", "ignore"))
    return max(1, math.ceil(wide / width))


def _units(text: str) -> int:
    return len(text) + sum(c > "\uffff" for c in text)


class _Column(NamedTuple):
    title: str
    width: float


class _Sentences:
    """The sheets of sentences; starts a new sheet when one is full."""

    def __init__(self, book: Workbook, labels: LabelSet) -> None:
        self._book = book
        self._labels = labels
        self._columns = [
            _Column("报告", 32),
            _Column("序号", 6),
            _Column("标题路径", 30),
            _Column("句子", 72),
            _Column("标签", 12),
            *(_Column(label.title, 8) for label in labels),
            *(_Column(f"{label.title}概率", 10) for label in labels),
            _Column("待核", 7),
        ]
        plain = {"valign": "top", "text_wrap": True, "font_size": 10}
        self._head = _head(book)
        self._text = book.add_format(plain)
        self._number = book.add_format(plain | {"align": "center"})
        self._share = book.add_format(plain | {"align": "center", "num_format": "0%"})
        self._ticks = {
            label.name: book.add_format(plain | {"align": "center", "bg_color": f"#{tint(label)}"}) for label in labels
        }
        self._doubt = book.add_format(plain | {"align": "center", "bold": True, "font_color": "#C00000"})
        self._count = 0
        self._sheet = self._new()
        self._row = 1

    def _new(self) -> Worksheet:
        self._count += 1
        sheet = self._book.add_worksheet("句子" if self._count == 1 else f"句子 {self._count}")
        _list(sheet)
        for i, column in enumerate(self._columns):
            sheet.set_column(i, i, column.width)
            sheet.write_string(0, i, column.title, self._head)
        return sheet

    def add(self, name: str, number: int, record: Record) -> None:
        """Write the sentence ``number`` of the report ``name``."""
        if self._row == _ROWS:
            self.close()
            self._sheet, self._row = self._new(), 1
        sheet, row = self._sheet, self._row
        given = record.get("labels")
        scores = record.get("scores") or {}
        texts = {0: cell(name), 2: cell(" › ".join(record.get("headings", ()))), 3: cell(record["text"])}
        lines = max(_lines(text, self._columns[i].width) for i, text in texts.items())
        sheet.set_row(row, min(_HIGHEST, _LINE * lines))  # some programs do not compute the height of wrapped text
        for i, text in texts.items():  # write_string never turns text into a formula, a number or a link
            sheet.write_string(row, i, text, self._text)
        sheet.write_number(row, 1, number, self._number)
        for kept in ("row_info", "row_sizes"):  # drop the heights of written rows, which alone would use up memory
            getattr(sheet, kept, {}).pop(row - 1, None)
        named = "、".join(titles(given, self._labels)) or "无" if given is not None else "未标注"
        sheet.write_string(row, 4, named, self._text)
        for at, label in enumerate(self._labels, 5):
            if label.name in (given or ()):
                sheet.write_string(row, at, "✓", self._ticks[label.name])
            if label.name in scores:
                sheet.write_number(row, at + len(self._labels), scores[label.name], self._share)
        if record.get("review"):
            sheet.write_string(row, len(self._columns) - 1, "待核", self._doubt)
        self._row += 1

    def close(self) -> None:
        """Add the filter."""
        self._sheet.autofilter(0, 0, max(1, self._row - 1), len(self._columns) - 1)


class _Reports:
    """The sheet with one row per report."""

    def __init__(self, book: Workbook, labels: LabelSet) -> None:
        self._labels = labels
        self.sheet = book.add_worksheet("各报告")
        names = [*(label.title for label in labels), "无标签", "待核"]
        self._columns = ["报告", "句数", *names, *(f"{name}占比" for name in names)]
        _list(self.sheet)
        self.sheet.set_column(0, 0, 40)
        self.sheet.set_column(1, len(self._columns) - 1, 11)
        head = _head(book)
        for i, title in enumerate(self._columns):
            self.sheet.write_string(0, i, title, head)
        self._text = book.add_format({"valign": "top", "text_wrap": True})
        figure = {"valign": "top", "align": "center"}
        self._count = book.add_format(figure | {"num_format": "#,##0"})
        self._share = book.add_format(figure | {"num_format": "0.0%"})
        self.number = self.listed = 0
        self.total = Counts()

    def add(self, name: str, counts: Counts) -> None:
        """Write the counts of one report."""
        self.number += 1
        self.total.merge(counts)
        if self.listed == _ROWS - 1:  # the overview mentions the missing rows
            return
        self.listed += 1
        row = self.listed
        found = _figures(counts, self._labels)
        self.sheet.write_string(row, 0, cell(name), self._text)
        self.sheet.write_number(row, 1, counts.sentences, self._count)
        for i, count in enumerate(found, 2):
            self.sheet.write_number(row, i, count, self._count)
            share = count / counts.sentences if counts.sentences else 0
            self.sheet.write_number(row, i + len(found), share, self._share)

    def close(self) -> None:
        """Add the filter."""
        self.sheet.autofilter(0, 0, max(1, self.listed), len(self._columns) - 1)


def _overview(book: Workbook, sheet: Worksheet, reports: _Reports, labels: LabelSet) -> None:
    _printed(sheet)
    total, number = reports.total, reports.number
    head = _head(book)
    count, share = (book.add_format({"num_format": form, "align": "center"}) for form in ("#,##0", "0.0%"))
    for i, width in enumerate((14, 12, 12, 60)):
        sheet.set_column(i, i, width)
    sheet.write_string(
        0, 0, f"{number} 份报告，{total.sentences:,} 句", book.add_format({"bold": True, "font_size": 14})
    )
    if reports.listed < number:
        notice = f"“{reports.sheet.get_name()}”只列出前 {reports.listed:,} 份（一张表的上限）；此页各数包括全部报告。"
        sheet.write_string(1, 0, notice, book.add_format({"font_color": "#C00000"}))
    for i, title in enumerate(("标签", "句数", "占比", "含义")):
        sheet.write_string(2, i, title, head)
    centre = {"align": "center"}
    rows = [(x.title, x.description, book.add_format(centre | {"bg_color": f"#{tint(x)}"})) for x in labels]
    plain = book.add_format(centre)
    rows += [("无标签", "", plain), ("待核", "模型没有把握，请人工核对", plain)]
    for row, ((title, meaning, color), figure) in enumerate(zip(rows, _figures(total, labels), strict=True), 3):
        sheet.write_string(row, 0, cell(title), color)
        sheet.write_number(row, 1, figure, count)
        sheet.write_number(row, 2, figure / total.sentences if total.sentences else 0, share)
        sheet.write_string(row, 3, cell(meaning))
    below = 3 + len(rows)
    sheet.write_string(below, 0, "一句可有多个标签，各行之和可大于总句数。", book.add_format({"font_color": "#808080"}))
    _chart_labels(book, sheet, below + 2, labels)
    if number > 1:
        _chart_reports(book, sheet, below + 20, reports, labels)


def _chart_labels(book: Workbook, sheet: Worksheet, row: int, labels: LabelSet) -> None:
    chart = book.add_chart({"type": "column"})
    place = [sheet.get_name(), 3, 0, 2 + len(labels), 0]
    chart.add_series(
        {
            "categories": place,
            "values": [place[0], 3, 1, 2 + len(labels), 1],
            "points": [{"fill": {"color": label.color}} for label in labels],
            "data_labels": {"value": True},
            "gap": 80,
        }
    )
    chart.set_title({"name": "各标签句数", "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}, "num_format": "#,##0"})
    chart.set_size({"width": _CHART, "height": 320})
    sheet.insert_chart(row, 0, chart)


def _chart_reports(book: Workbook, sheet: Worksheet, row: int, reports: _Reports, labels: LabelSet) -> None:
    shown, name = min(reports.number, _CHARTED), reports.sheet.get_name()
    chart = book.add_chart({"type": "bar", "subtype": "percent_stacked"})
    for i, label in enumerate(labels, 2):
        chart.add_series(
            {
                "name": [name, 0, i],
                "categories": [name, 1, 0, shown, 0],
                "values": [name, 1, i, shown, i],
                "fill": {"color": label.color},
                "gap": 40,
            }
        )
    title = "各报告的标签构成" if shown == reports.number else f"各报告的标签构成（前 {shown} 份）"
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_legend({"position": "top"})
    chart.set_y_axis({"reverse": True, "num_font": {"size": 9}})
    chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}, "num_format": "0%"})
    chart.set_size({"width": _CHART, "height": 150 + 24 * shown})
    sheet.insert_chart(row, 0, chart)


def _list(sheet: Worksheet) -> None:
    """Set up a long list for the screen and for print: its header and first column stay visible."""
    sheet.freeze_panes(1, 1)
    _printed(sheet)
    sheet.repeat_rows(0)
    sheet.set_landscape()


def _printed(sheet: Worksheet) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P / &N")


def _figures(counts: Counts, labels: LabelSet) -> list[int]:
    return [*(counts.labels[name] for name in labels.names), counts.none, counts.review]


def _head(book: Workbook) -> Format:
    look = {"bold": True, "bg_color": "#E7E6E6", "bottom": 1, "valign": "vcenter", "align": "center"}
    return book.add_format(look | {"text_wrap": True})
