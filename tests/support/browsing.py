"""Uses Label Studio as an annotator does: in a real browser, with its buttons and keys.

The tests of a labelling session and the screenshots of ``docs/sessions.md`` share it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pizhu.labeling.server.accounts import Account
    from playwright.sync_api import Browser, Page, Response

PATIENCE = 60_000  # milliseconds for any element or answer; a busy machine is slow


def find_chromium() -> str | None:
    """The installed Chromium's or Chrome's path."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Annotator:
    """One person's browser window, with its own cookies.

    Attributes:
        page: the tab.
        hosts: the hosts of all requests from the window.
        troubles: errors of the page's scripts and on its console.
    """

    def __init__(self, browser: Browser, url: str, width: int = 1280, height: int = 720) -> None:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        context.set_default_timeout(PATIENCE)
        self.url = url
        self.hosts: set[str] = set()
        self.troubles: list[str] = []
        context.on("request", lambda request: self._note(request.url))
        context.on("weberror", lambda error: self.troubles.append(str(error.error)))
        context.on("console", lambda message: self._hear(message.type, message.text, message.location["url"]))
        self.page: Page = context.new_page()
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def log_in(self, account: Account) -> None:
        """From the log-in page to the list of projects."""
        self.page.goto(f"{self.url}/user/login/")
        self.page.fill("input[name=email]", account.email)
        self.page.fill("input[name=password]", account.password)
        self.page.click("button[type=submit]")
        self.page.get_by_text("Recent Projects").wait_for()

    def begin(self, project: int) -> str | None:
        """Start labelling; returns the first sentence, which the instructions cover, or None if there is none."""
        self.page.goto(f"{self.url}/projects/{project}/data")
        with self.page.expect_response(_is_next) as served:
            self.page.get_by_role("button", name="Label All Tasks").click()
        return self._shown(served.value)

    def read(self, title: str) -> None:
        """Wait for the instructions with this title, and close them."""
        window = self.page.get_by_role("heading", name=title)
        window.wait_for()
        self.page.keyboard.press("Escape")
        window.wait_for(state="hidden")

    def press(self, keys: str) -> None:
        """Choose by hot keys."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def chosen(self) -> list[str]:
        """The titles of the choices that are ticked."""
        names = self.page.locator(".lsf-choice input:checked").evaluate_all("boxes => boxes.map(box => box.name)")
        return list(names)

    def submit(self) -> str | None:
        """Submit the answer; returns the next sentence, or None if there are no more."""
        return self._leave("Control+Enter")

    def skip(self) -> str | None:
        """Skip the sentence; returns the next one."""
        return self._leave("Control+Space")

    def _leave(self, keys: str) -> str | None:
        with self.page.expect_response(_is_next) as served:
            self.page.keyboard.press(keys)
        return self._shown(served.value)

    def _shown(self, served: Response) -> str | None:
        """Wait until the page shows the sentence from the server and accepts an answer."""
        if served.status == 404:
            self.page.get_by_text("No More Tasks Left in Queue").wait_for()
            return None
        task = served.json()
        self.page.wait_for_function(
            "id => document.querySelector('.lsf-current-task__task-id')?.firstChild.textContent === id",
            arg=str(task["id"]),
        )
        self.page.locator("[data-testid=bottombar-submit-button]:enabled").wait_for()
        self.page.locator(".lsf-choice").first.wait_for()
        sentence: str = task["data"]["text"]
        return sentence

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.hostname or url)

    def _hear(self, kind: str, text: str, url: str) -> None:
        # Label Studio returns 404 for tips from the internet, and when no sentence is left.
        if kind == "error" and urlsplit(url).path not in ("/heidi-tips", "/api/dm/actions"):
            self.troubles.append(f"{text} {url}")


def _is_next(response: Response) -> bool:
    return "id=next_task" in response.url
