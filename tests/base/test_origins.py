"""Hosts and origins are compared as a whole, however they are written."""

from __future__ import annotations

import pytest
from pizhu.base.origins import Origin, host_and_port, origin, own_page


@pytest.mark.parametrize(
    ("called", "found"),
    [
        ("127.0.0.1:8765", ("127.0.0.1", 8765)),
        ("LocalHost", ("localhost", None)),
        ("localhost:", ("localhost", None)),
        ("[::1]:80", ("::1", 80)),
        ("[0:0:0:0:0:0:0:1]", ("::1", None)),
        ("::1", ("", None)),
        ("a:b@c", ("", None)),
        ("a/b", ("", None)),
        ("a?b", ("", None)),
        ("a b", ("", None)),
        ("[a]", ("", None)),
        ("a:123456", ("", None)),
        ("a:８０", ("", None)),
        ("", ("", None)),
    ],
)
def test_places(called: str, found: tuple[str, int | None]) -> None:
    assert host_and_port(called) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://a.example", Origin("http", "a.example", 80)),
        ("HTTPS://A.example:443", Origin("https", "a.example", 443)),
        ("http://[::1]:80", Origin("http", "::1", 80)),
        ("null", None),
        ("", None),
        ("a.example", None),
        ("ftp://a.example", None),
        ("file://", None),
        ("http://a.example/", None),
        ("http://u@a.example", None),
        ("http://a.example http://b.example", None),
        ("chrome-extension://abcdef", None),
    ],
)
def test_origins(url: str, found: Origin | None) -> None:
    assert origin(url) == found


def test_whose_page_asks() -> None:
    host = {"host": "127.0.0.1:9090"}
    assert own_page({})
    assert own_page(host)
    assert own_page(host | {"origin": "http://127.0.0.1:9090"})
    assert not own_page(host | {"origin": "http://127.0.0.1:9091"})
    assert not own_page({"origin": "null"}), "no host, no page"
    assert not own_page({"host": "", "origin": "http://"})
    assert own_page(host | {"origin": "http://predict:9090"}, addresses=["http://predict:9090"])
    assert own_page(host | {"sec-fetch-site": "none"})
    for site in ("cross-site", "same-site", "", "SAME-ORIGIN", "same-origin, cross-site"):
        assert not own_page(host | {"sec-fetch-site": site, "origin": "http://127.0.0.1:9090"})
