"""The pages in a real browser: dropping files, results, keys and filters; hostile text stays text."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.writers.index import Summary, index_page
from pizhu.annotate.writers.page import page as make_page
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import report_from_text
from pizhu.data.report import Report

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\">\u202e倒。"
TEXT = """澄岭县档案局2022年工作总结

一、主要工作

全年接收档案3.2万卷，同比增长5%。库房改造如期完成。接待群众4260人次。

二、存在的问题

仍有2.4万卷档案没有目录。在此表示感谢。

三、下一步打算

建设县级电子档案中心。力争数字化率达到80%以上。
"""
LABELS = [
    ("achievement", "metric"),
    ("achievement",),
    ("achievement", "metric"),
    ("shortcoming", "metric"),
    (),
    ("plan",),
    ("plan", "metric"),
]


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A tab that complains of every error and of every request that leaves this machine."""
    context = browser.new_context(viewport={"width": 1300, "height": 800}, accept_downloads=True)
    troubles: list[str] = []
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    context.on("request", lambda request: troubles.append(request.url) if not local(request.url) else None)
    context.on("dialog", lambda dialog: troubles.append(dialog.message))
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    yield tab
    context.close()
    assert troubles == []


def local(url: str) -> bool:
    return url.startswith(("file:", "blob:http://127.0.0.1:", "http://127.0.0.1:", "data:", "about:"))


def annotated() -> Report:
    report = report_from_text(TEXT, "总结.txt")
    given = iter(LABELS)
    labels = [next(given) if s.kind == "sentence" else () for s in report.sentences]
    scores = [
        {name: 0.91 if name in row else 0.07 for name in DEFAULT_LABELS.names} if s.kind == "sentence" else None
        for s, row in zip(report.sentences, labels, strict=True)
    ]
    return report.with_labels(labels, scores, ["感谢" in s.text or "80%" in s.text for s in report.sentences])


@pytest.fixture
def opened(tab: Any, tmp_path: Path) -> Any:
    """The page of a report, opened from its file."""
    (tmp_path / "总结 #1.html").write_text(make_page(annotated(), DEFAULT_LABELS), encoding="utf-8")
    tab.goto((tmp_path / "总结 #1.html").as_uri())
    return tab


def hits(tab: Any) -> list[str]:
    return [text.rstrip("成不计指？") for text in tab.locator(".s.hit").all_inner_texts()]


def test_filters_narrow_each_other(opened: Any) -> None:
    opened.click("[data-label=metric]")
    assert len(hits(opened)) == 4
    from playwright.sync_api import expect

    expect(opened.locator(".s:not(.hit)").first).to_have_css("opacity", "0.28")  # when it has faded
    opened.keyboard.press("3")  # any of the two
    assert len(hits(opened)) == 5
    opened.keyboard.press("a")  # both
    assert hits(opened) == ["力争数字化率达到80%以上。"]
    assert opened.inner_text("#status") == "筛出 1 句，共 7 句"
    opened.keyboard.press("Escape")
    assert hits(opened) == [] and opened.inner_text("#status") == "共 7 句"
    opened.keyboard.press("0")
    opened.keyboard.press("r")
    assert hits(opened) == ["在此表示感谢。"]


def test_the_others_can_be_put_away(opened: Any) -> None:
    opened.keyboard.press("2")
    opened.keyboard.press("h")
    visible = [node.inner_text() for node in opened.locator("main > *").all() if node.is_visible()]
    assert [text.rstrip("不指") for text in visible] == [
        "澄岭县档案局2022年工作总结",
        "二、存在的问题",
        "仍有2.4万卷档案没有目录。",
    ]


def test_search_and_walking(opened: Any) -> None:
    opened.keyboard.press("/")
    opened.keyboard.type("档案 万卷")
    assert len(hits(opened)) == 2
    assert opened.evaluate("CSS.highlights.get('found').size") >= 4
    opened.keyboard.press("Enter")
    here = partial(opened.evaluate, "document.activeElement.firstElementChild.textContent")
    assert here() == "全年接收档案3.2万卷，同比增长5%。"
    opened.keyboard.press("j")
    assert here() == "仍有2.4万卷档案没有目录。" and opened.inner_text("#status") == "第 2 句 · 筛出 2 句，共 7 句"
    opened.keyboard.press("k")
    opened.keyboard.press("Escape")
    opened.keyboard.press("ArrowDown")
    assert here() == "库房改造如期完成。"
    opened.keyboard.press("ArrowLeft")
    assert here() == "全年接收档案3.2万卷，同比增长5%。"
    assert opened.inner_text("#tip .given >> nth=0").split() == ["成效", "91%"]
    told = opened.evaluate("document.activeElement.getAttribute('aria-description')")
    assert told == "成效 91%，不足 7%，计划 7%，指标 91%"


def test_lists_lead_to_sentences(opened: Any) -> None:
    opened.click("#review-list li >> nth=1")
    assert opened.evaluate("document.activeElement.id") == opened.locator(".s").nth(6).get_attribute("id")
    opened.click("#metrics li >> nth=0")
    assert "接收档案" in opened.inner_text(".s.here")
    assert opened.locator("nav li").nth(1).inner_text().split() == ["一、主要工作", "3", "2"]


def test_help_opens_and_closes(opened: Any) -> None:
    opened.keyboard.press("?")
    assert opened.locator("#help").is_visible()
    opened.keyboard.press("1")  # is not for the page behind
    opened.keyboard.press("Escape")
    assert not opened.locator("#help").is_visible() and hits(opened) == []


def test_what_is_filtered_can_be_taken_along(opened: Any) -> None:
    opened.keyboard.press("4")
    opened.click("#take summary")
    with opened.expect_download() as download:
        opened.click("#csv")
    rows = list(csv.reader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
    assert download.value.suggested_filename == "总结.txt.csv"
    assert rows[0][:4] == ["序号", "标题", "句子", "标签"] and len(rows) == 5
    assert rows[1] == [
        "1",
        "一、主要工作",
        "全年接收档案3.2万卷，同比增长5%。",
        "成效、指标",
        "91%",
        "7%",
        "7%",
        "91%",
        "",
    ]


def test_no_cell_is_a_formula(tab: Any, tmp_path: Path) -> None:
    report = report_from_text("=cmd|'/c calc'!A1。\n+1+1，完成。\n-2，完成。\n@SUM(1)，完成。\n", "=1.txt")
    path = tmp_path / "a.html"
    path.write_text(make_page(report, DEFAULT_LABELS), encoding="utf-8")
    tab.goto(path.as_uri())
    tab.click("#take summary")
    with tab.expect_download() as download:
        tab.click("#csv")
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
    assert len(cells) > 9 and not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


def test_narrow_screens_and_paper(opened: Any) -> None:
    opened.set_viewport_size({"width": 380, "height": 700})
    opened.reload()
    assert opened.evaluate("document.documentElement.scrollWidth") <= 380
    assert not opened.locator("nav ol").is_visible()
    opened.emulate_media(media="print")
    assert not opened.locator("#search").is_visible() and not opened.locator("nav").is_visible()
    tint = opened.locator(".s.f-plan").first.evaluate("s => getComputedStyle(s).backgroundColor")
    assert tint.startswith("rgba(0, 114, 178")


def test_hostile_text_stays_text(tab: Any, tmp_path: Path) -> None:
    report = report_from_text(f"{HOSTILE}\n\n一、{HOSTILE[:-1]}\n\n{HOSTILE}\n", HOSTILE)
    (tmp_path / "a.html").write_text(make_page(report, DEFAULT_LABELS), encoding="utf-8")
    tab.goto((tmp_path / "a.html").as_uri())
    tab.keyboard.press("j")
    assert tab.title().startswith("</script>")
    assert tab.locator("img").count() == 0 and tab.locator("script").count() == 1
    # And were there a hole, the policy would close it.
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned=1\">')")
    tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.pwned=1'}))"
    )
    time.sleep(0.2)
    assert tab.evaluate("window.pwned === undefined")


def test_the_index_sorts_and_filters(tab: Any, tmp_path: Path) -> None:
    reports = [
        Summary(f"{n}.txt", f"{n}县总结", n, {"plan": 10 - n}, 0, "a.html" if n == 2 else "") for n in (2, 10, 1)
    ]
    (tmp_path / "index.html").write_text(index_page(reports, DEFAULT_LABELS), encoding="utf-8")
    tab.goto((tmp_path / "index.html").as_uri())

    def order() -> list[str]:
        return [row.inner_text().split("县")[0] for row in tab.locator("tbody tr").all() if row.is_visible()]

    assert order() == ["2", "10", "1"]
    tab.click("thead th >> nth=0")
    assert order() == ["1", "2", "10"]
    tab.click("thead button:has-text('句子')")
    assert order() == ["10", "2", "1"]
    tab.click("thead button:has-text('句子')")
    assert order() == ["1", "2", "10"]
    tab.keyboard.press("/")
    tab.keyboard.type("10县")
    assert order() == ["10"] and tab.inner_text("#status").startswith("筛出 1 份")


@pytest.fixture(scope="module")
def service(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command in a process of its own, on a model that knows ``labelled`` by heart; its address."""
    pizhu = Path(sys.executable).with_name("pizhu")
    words = [str(pizhu), "serve", "--port", "0", "--model", str(model_folder), "--limit", "file_mb=1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, encoding="utf-8") as running:
        assert running.stdout is not None
        yield running.stdout.readline().split()[-1]
        running.terminate()


def drop(tab: Any, files: dict[str, str]) -> None:
    """Let go of files over the page."""
    transfer = tab.evaluate_handle(
        "files => { const data = new DataTransfer(); for (const [name, text] of Object.entries(files))"
        " data.items.add(new File([text], name)); return data; }",
        files,
    )
    for event in ("dragenter", "dragover", "drop"):
        tab.dispatch_event("#drop", event, {"dataTransfer": transfer})


def test_files_are_dropped_and_pages_seen(tab: Any, service: str, labelled: Report) -> None:
    tab.goto(service)
    drop(tab, {"总结.txt": labelled.text, HOSTILE: TEXT, "空.txt": "", "图.png": "GIF89a", "大.txt": "a" * 2**20 * 2})
    tab.locator("#jobs .failed").nth(2).wait_for()
    tab.locator("#jobs .done").nth(1).wait_for()
    said = tab.locator("#jobs .failed").all_inner_texts()
    assert any("文件是空的" in line for line in said) and any("上限 1 MB" in line for line in said)
    assert tab.locator("#jobs img").count() == 0
    frame = tab.frame_locator("#view")
    tab.click("#jobs .job >> nth=0")
    frame.locator(".s").first.wait_for()
    plans = frame.locator(".s.f-plan")
    assert plans.count() >= 4
    assert plans.first.evaluate("s => getComputedStyle(s).backgroundColor") == "rgba(0, 114, 178, 0.17)"
    frame.locator("[data-label=plan]").click()  # so its script runs, though as of no site
    assert frame.locator(".s.hit").count() >= plans.count()
    assert frame.locator("body").evaluate("() => origin") == "null"
    tab.keyboard.press("3")
    assert frame.locator(".s.hit").count() == 0
    with tab.expect_download() as download:
        tab.click("#as-jsonl")
    assert download.value.suggested_filename == "总结.txt.jsonl"
    assert len(Path(download.value.path()).read_text(encoding="utf-8").splitlines()) == len(labelled.sentences)
    with tab.context.expect_page() as other:
        tab.click("#open")
    other.value.wait_for_load_state()
    other.value.keyboard.press("2")
    assert other.value.locator(".s.hit").count() >= 4
    tab.click("#jobs .away >> nth=0")
    assert not tab.locator("#right").is_visible()


def test_files_are_chosen(tab: Any, service: str) -> None:
    tab.goto(service)
    tab.set_input_files("#files", [{"name": "a.txt", "mimeType": "text/plain", "buffer": TEXT.encode("gb18030")}] * 4)
    tab.locator("#jobs .done").nth(3).wait_for()
    assert tab.frame_locator("#view").locator(".name strong").inner_text() == "澄岭县档案局2022年工作总结"


def test_a_busy_service_is_asked_again(tab: Any, service: str) -> None:
    answers = iter([503, 503])

    def intercept(route: Any) -> None:
        if next(answers, None):
            route.fulfill(status=503, headers={"retry-after": "1"}, json={"error": "server busy"})
        else:
            route.continue_()

    tab.route("**/annotate*", intercept)
    tab.goto(service)
    drop(tab, {"a.txt": TEXT})
    tab.locator("#jobs :text('1 秒后再试')").wait_for()
    tab.locator("#jobs .done").wait_for()


def test_a_secret_is_asked_for_once(tab: Any, service: str) -> None:
    def intercept(route: Any) -> None:
        if route.request.headers.get("authorization") == "Bearer sixteen-characters":
            route.continue_()
        else:
            route.fulfill(status=401, json={"error": "the secret is missing or wrong"})

    tab.route("**/annotate*", intercept)
    tab.goto(service)
    drop(tab, {"a.txt": TEXT, "b.txt": TEXT})
    tab.locator("#lock").wait_for()
    tab.fill("#secret", "sixteen-characters")
    tab.keyboard.press("Enter")
    tab.locator("#jobs .done").nth(1).wait_for()
    drop(tab, {"c.txt": TEXT})
    tab.locator("#jobs .done").nth(2).wait_for()
    assert tab.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
