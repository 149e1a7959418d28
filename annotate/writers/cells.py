"""Text in the cells of CSV files that no spreadsheet takes for formulas.

A cell of text that a spreadsheet would take for a formula gets an apostrophe in front, and so does one that begins
with apostrophes before such a text. Therefore nothing is lost: :func:`unguarded` gives every text back exactly, and in
pandas ``column.str.replace(PATTERN, "", regex=True)`` with the :data:`PATTERN` below does.
"""

from __future__ import annotations

import re

# What begins a formula, full-width forms for Chinese and Japanese editions included, and white space skipped before.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
PATTERN = r"^'(?='*\s*[=+\-@＝＋－＠]|'*[\t\r\n])"


def encodable(text: str) -> str:
    """``text`` with ``?`` for lone surrogates, which UTF-8 has not: offsets still hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def guarded(text: str) -> str:
    """``text`` as a cell that a spreadsheet shows and does not compute."""
    text = encodable(text)
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that :func:`guarded` made ``cell`` of."""
    return re.sub(PATTERN, "", cell)
