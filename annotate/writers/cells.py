"""Guards text in the cells of CSV files, so that no spreadsheet takes it for a formula.

Spreadsheets differ in the separator that they expect: a comma, a semicolon or a tab. If it is not the comma, quotes in
the middle of a line have no effect, and semicolons, tabs and line breaks in a text begin a new cell or line. So we put
an apostrophe wherever a cell may begin with a formula, and add one where there already are apostrophes. Nothing is
lost: :func:`unguarded` restores every text exactly, as does ``column.str.replace(PATTERN, "", regex=True)`` in pandas
with the :data:`PATTERN` below. The table that a page exports (``web/page.js``) uses :data:`GUARD` too.
"""

from __future__ import annotations

import re

# The characters that begin a formula, including full-width forms for Chinese and Japanese editions; and the invisible
# characters and CSV quotes that may precede them.
_BEGINS = r"[=+\-@＝＋－＠]"
_UNSEEN = r"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff\x22"
# At the beginning of a text, and after a possible separator. Only the first pattern looks past separators, and it is
# tried once per text, so time is linear.
_FIRST = rf"(?=[{_UNSEEN}\t\r\n']*{_BEGINS}|'*[\t\r\n])"
_LATER = rf"(?='*[{_UNSEEN}]*{_BEGINS})"
GUARD = rf"^{_FIRST}|(?<=[;\t\r\n]){_LATER}"
"""The positions of added apostrophes; a pattern for Python and, with the flag ``u``, for JavaScript."""
PATTERN = rf"^'{_FIRST}|(?<=[;\t\r\n])'{_LATER}"
"""The added apostrophes."""


def encodable(text: str) -> str:
    """``text`` with ``?`` for lone surrogates, which UTF-8 cannot encode; offsets stay the same."""
    return text.encode("utf-8", "replace").decode("utf-8")


def guarded(text: str) -> str:
    """``text`` as a cell that a spreadsheet shows as text and does not evaluate."""
    return re.sub(GUARD, "'", encodable(text))


def unguarded(cell: str) -> str:
    """The inverse of :func:`guarded`."""
    return re.sub(PATTERN, "", cell)
