"""The comparison in a real browser: filters, search, keys and links work, and hostile text stays text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pizhu.analysis.compare.links import compare_reports
from pizhu.analysis.compare.page import page
from pizhu.data.report import Report

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\">"


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A tab that complains of every error and every request for anything but its file."""
    context = browser.new_context(viewport={"width": 1300, "height": 800})
    troubles: list[str] = []
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    context.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: None if request.url.startswith("file:") else troubles.append(request.url))
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    yield tab
    context.close()
    assert troubles == []


def test_filters_search_keys_and_links(tab: Any, tmp_path: Path, earlier: Report, later: Report) -> None:
    path = tmp_path / "对照.html"
    path.write_text(page(compare_reports(earlier, later)), encoding="utf-8")
    tab.goto(path.as_uri())

    def shown(section: str) -> list[str]:
        rows = f"{section} .row:visible, {section} tbody tr:visible"
        return [text.split("\n")[0] for text in tab.locator(rows).all_inner_texts()]

    assert len(shown("#plans")) == 5 and len(shown("#shortcomings")) == 3 and len(shown("#figures")) == 3
    tab.click("#plans [data-filter=missing]")
    assert len(shown("#plans")) == 1 and len(shown("#shortcomings")) == 3  # each section its own
    tab.click("#plans [data-filter=partly]")
    assert len(shown("#plans")) == 3
    tab.click("#shortcomings [data-filter=again]")
    assert len(shown("#shortcomings")) == 1
    tab.keyboard.press("Escape")
    assert len(shown("#plans")) == 5 and len(shown("#shortcomings")) == 3
    tab.keyboard.press("/")
    tab.keyboard.type("普及率")
    assert (len(shown("#plans")), len(shown("#shortcomings")), len(shown("#figures"))) == (1, 0, 2)
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    assert tab.get_attribute(".row.here", "id") == "p5" and tab.evaluate("document.activeElement.id") == "p5"
    tab.keyboard.press("k")
    assert tab.get_attribute(".row.here", "id") == "p4"
    tab.click("#p6 .side:nth-child(2) .where a")
    place = tab.locator(":target")
    assert place.inner_text().startswith("青石水库引水主管") and place.is_visible()
    tab.click(":target .back")
    assert tab.locator(":target").get_attribute("id") == "p6"


def test_it_prints_whole_and_fits_a_telephone(tab: Any, tmp_path: Path, earlier: Report, later: Report) -> None:
    path = tmp_path / "p.html"
    path.write_text(page(compare_reports(earlier, later)), encoding="utf-8")
    tab.goto(path.as_uri())
    assert not tab.locator(".none .card").first.is_visible()
    assert tab.pdf().startswith(b"%PDF")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator(".none .card").first.is_visible()
    tab.set_viewport_size({"width": 380, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380


def test_hostile_text_stays_text(tab: Any, tmp_path: Path, report: Callable[..., Report]) -> None:
    made = report(f"# {HOSTILE}", f"AM {HOSTILE}3件", f"PM {HOSTILE}5件", f"S {HOSTILE}", doc=HOSTILE)
    path = tmp_path / "h.html"
    path.write_text(page(compare_reports(made, made)), encoding="utf-8")
    tab.goto(path.as_uri())
    assert tab.title() != "gone" and tab.locator("img").count() == 0
    assert tab.locator("#plans .card").first.inner_text().endswith(f"{HOSTILE}5件")
