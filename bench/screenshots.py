"""Makes the pictures of docs/sessions.md: a two-person session on the sample reports, in a real browser.

    python bench/screenshots.py            # writes docs/sessions/*.png in a minute or three
    python bench/screenshots.py --out DIR  # elsewhere, to look at them first

Runs the commands of the walk-through in a new folder, with a new Label Studio that it stops at the end.
Needs Chromium with a Chinese font, and the extras `label` and `dev`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pictures import pizhu, take
from pizhu.labeling.server import server as servers
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.task_types import TITLE
from pizhu.tests.support.browsing import Annotator, find_chromium, launched

if TYPE_CHECKING:
    from pizhu.labeling.server.server import Server
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
INSTRUCTIONS = "报告句子标注规范"
SIZE = {"width": 1120, "height": 640}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "sessions", help="folder for the pictures")
    out = parser.parse_args().out.absolute()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("there is no Chromium on the PATH")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pizhu-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        try:
            server = prepare(work)
            with launched(chromium) as browser:
                annotate(server, browser, out)
                look(server, browser, out)
                agree(server, browser, work, out)
                adjudicate(server, browser, work, out)
        finally:
            servers.stop(work / "服务器")


def prepare(work: Path) -> Server:
    """A server with two annotators and the samples' sentences with proposals."""
    (work / "名单.txt").write_text("甲\n乙\n", encoding="utf-8")
    pizhu(work, "annotate", SAMPLES / "*.txt", SAMPLES / "*.html", "--out", "结果")
    pizhu(work, "label", "serve", "--folder", "服务器", "--annotators", "名单.txt")
    pizhu(work, "label", "push", *sorted((work / "结果").glob("*.jsonl")), "--folder", "服务器")
    server = servers.running(work / "服务器")
    assert server is not None
    return server


def annotate(server: Server, browser: Browser, out: Path) -> None:
    """An annotator's view, from logging in to the third sentence."""
    account = server.accounts.annotators["甲"]
    window = Annotator(browser, server.url, **SIZE)
    window.page.goto(f"{server.url}/user/login/")
    window.page.fill("input[name=email]", account.email)
    window.page.fill("input[name=password]", "a password")
    take(window.page, out / "login.png", top=60, left=SIZE["width"] // 2, height=500)
    window.log_in(account)
    window.page.goto(f"{server.url}/projects")
    window.page.get_by_text(re.compile("^0 ?/ ?50$")).wait_for()  # how many sentences are done
    take(window.page, out / "projects.png", height=300)

    window.begin(project(server))
    window.page.get_by_role("heading", name=INSTRUCTIONS).wait_for()
    take(window.page, out / "instructions.png")
    window.read(INSTRUCTIONS)
    while window.chosen:  # remove every tick, so that nothing is accepted
        window.page.locator(".lsf-choice input:checked").first.click()
    window.page.keyboard.press("Control+Enter")
    window.page.get_by_text("请选择标签").wait_for()
    accept = window.page.get_by_role("button", name="OK")
    accept.hover()  # waits until the box has stopped moving
    take(window.page, out / "refused.png")
    accept.click()
    window.press("1")
    window.submit()
    window.page.get_by_text("Annotation saved successfully", exact=True).wait_for()
    take(window.page, out / "submitted.png")
    window.submit()
    window.page.get_by_text("Annotation saved successfully", exact=True).wait_for(state="hidden")
    take(window.page, out / "proposal.png")


def look(server: Server, browser: Browser, out: Path) -> None:
    """The lead's view when both have answered everything."""
    tokens = {name: account.token for name, account in server.accounts.annotators.items()}
    submit(server.access, SAMPLES / "answers.jsonl", tokens)
    window = Annotator(browser, server.url, **SIZE)
    window.log_in(server.accounts.owner)
    window.page.goto(f"{server.url}/projects/{project(server)}/data")
    window.page.get_by_text("Submitted annotations:").wait_for()
    window.page.get_by_text("现将有关情况报告如下。").first.wait_for()
    take(window.page, out / "progress.png")


def agree(server: Server, browser: Browser, work: Path, out: Path) -> None:
    """The page of agreement."""
    pizhu(work, "label", "pull", "标注.jsonl", "--folder", server.folder)
    pizhu(work, "label", "agreement", "标注.jsonl", "--out", "一致性.html")
    page = Annotator(browser, server.url, **SIZE).page
    page.set_viewport_size({"width": 1360, "height": 1100})
    page.goto((work / "一致性.html").as_uri())
    take(page, out / "agreement.png")


def adjudicate(server: Server, browser: Browser, work: Path, out: Path) -> None:
    """A contested sentence before the adjudicator."""
    pizhu(work, "label", "adjudicate", "标注.jsonl", "--folder", server.folder)
    window = Annotator(browser, server.url, **SIZE)
    window.log_in(server.accounts.owner)
    window.begin(project(server, f"{TITLE}·裁决"))
    window.read(INSTRUCTIONS)
    take(window.page, out / "adjudication.png")


def project(server: Server, title: str = TITLE) -> int:
    with connect(server.access) as client:
        found = find_project(client, title)
    assert found is not None
    return int(found.id)


if __name__ == "__main__":
    main()
