"""Hostile text that could become markup or code, and checks that a page shows it only as text."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from hypothesis import strategies as st

HOSTILE = (
    "<script>alert(1)</script>",
    "</script></style></title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "]]><b> <!-- --> <!doctype>",
    "&lt;b&gt; &amp;amp; &#60; &",
    "{{ 7*7 }}",
    "{{7*7}}{% for a in b %}{# #}",
    "{{ self.__init__.__globals__ }}",
    "${7*7} <%= 7*7 %> %s %(a)s {0} {a.b}",
    "@@title@@ @@",
    "\u202egnp.exe\u2066\u2069",
    "a\x00\x01\x0b\x1b[31m\x7f\ufeff\u2028",
    "javascript:alert(1)",
)
OPEN, CLOSE = "〔", "〕"
"""They surround every hostile text, so that a page can be searched for it."""

texts = (st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=30)).map(
    lambda text: f"{OPEN}{re.sub(f'[{OPEN}{CLOSE}]', '', text)}{CLOSE}"
)

_VOID = frozenset({"meta", "br", "input"})
_ESCAPED = re.compile(r"&(amp|lt|gt|#34|#39);")


class _Elements(HTMLParser):
    """The elements of a page; each must be closed in the right order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(html: str) -> set[str]:
    """Every hostile text on a page, as a reader sees it, without white space.

    Fails where one of them is more than text: a sign of it is not escaped, or the page has elements or attributes that
    none of its templates has.
    """
    found = set()
    # A text that a page cuts, such as the name of an indicator, has no end: what counts begins at the next one.
    for trace in re.findall(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}", html):
        text = re.sub("</?mark>", "", trace)
        assert not re.search("[<>\"']|&", _ESCAPED.sub("", text)), text
        found.add(bare(unescape(text)))
    elements = _Elements(html)
    assert not {"img", "object", "embed", "base", "xmp"} & set(elements.names)
    assert elements.names.count("script") <= 1 and elements.names.count("style") == 1
    for name, value in elements.attributes:
        assert not name.startswith("on") and name not in ("src", "srcset", "autofocus"), (name, value)
        assert name != "action" or value == "train"
        assert name != "href" or re.match(r"#|\.\./|[^:]*$", value), value
    return found


def bare(text: str) -> str:
    """Without white space and brackets, which pages may change or cut."""
    return re.sub(rf"[\s{OPEN}{CLOSE}]", "", text)
