"""Text in the cells of CSV files that no spreadsheet takes for formulas.

Spreadsheets differ in what parts the cells of a line: a comma, a semicolon or a tab. Where it is not the comma, quotes
in the middle of a line count for nothing, and semicolons, tabs and line breaks in a text begin a cell or a line. So an
apostrophe goes wherever a cell may begin with what a spreadsheet takes for a formula, and one more where apostrophes
are there already. Therefore nothing is lost: :func:`unguarded` gives every text back exactly, and in pandas
``column.str.replace(PATTERN, "", regex=True)`` with the :data:`PATTERN` below does. A page's own table
(``web/page.js``) puts apostrophes where :data:`GUARD` says, too.
"""

from __future__ import annotations

import re

# What begins a formula, full-width forms for Chinese and Japanese editions included; and what stands before it and is
# not seen, or is a quote of the file.
_BEGINS = r"[=+\-@＝＋－＠]"
_UNSEEN = r"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff\x22"
# At the beginning of a text; behind a mark that may part cells. Nothing in them crosses such a mark, but for the first
# one, which looks once: time is linear.
_FIRST = rf"(?=[{_UNSEEN}\t\r\n']*{_BEGINS}|'*[\t\r\n])"
_LATER = rf"(?='*[{_UNSEEN}]*{_BEGINS})"
GUARD = rf"^{_FIRST}|(?<=[;\t\r\n]){_LATER}"
"""Where an apostrophe is put; a pattern for Python and, with the flag ``u``, for JavaScript."""
PATTERN = rf"^'{_FIRST}|(?<=[;\t\r\n])'{_LATER}"
"""The apostrophes that were put."""


def encodable(text: str) -> str:
    """``text`` with ``?`` for lone surrogates, which UTF-8 has not: offsets still hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def guarded(text: str) -> str:
    """``text`` as a cell that a spreadsheet shows and does not compute."""
    return re.sub(GUARD, "'", encodable(text))


def unguarded(cell: str) -> str:
    """The text that :func:`guarded` made ``cell`` of."""
    return re.sub(PATTERN, "", cell)
