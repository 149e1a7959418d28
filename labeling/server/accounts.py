"""Who may log in to the Label Studio served here: its owner and the annotators.

Users added through the API have no password and no organization, so accounts are made as a person would make them:
through the invitation page. Passwords are generated here and kept in a private file for the team lead to hand out.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import LabelingError, MissingExtraError
from ...base.private import read_private, write_private
from ...base.typed import Misfit, parse
from ...data.encoding import decode
from ..studio.access import Access
from ..studio.client import odd_responses_as_errors
from ..studio.storable import is_line

if TYPE_CHECKING:
    import httpx


_LONGEST = 100  # characters of a name; Label Studio keeps 256


@dataclass(frozen=True)
class Account:
    """One person's account.

    Attributes:
        name: the name that annotations show (``甲``).
        email: the name for logging in; it need not receive mail.
        password, token: secrets, kept out of ``repr``; the token is empty until the server has created the account.
    """

    name: str
    email: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)


class Accounts:
    """The accounts of one server, in a private file that is written before each request to the server."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._accounts: dict[str, Account] = {}
        if self.path.exists():
            try:
                accounts = parse(read_private(self.path), list[Account])
                if any("\0" in text for account in accounts for text in astuple(account)):
                    raise Misfit("a NUL")
                self._accounts = {account.name: account for account in accounts}
            except Misfit:
                raise LabelingError(f"{self.path} is not an accounts file; move it away to start over") from None

    @property
    def owner(self) -> Account:
        """The account that owns the projects; generated, with its token, on first use."""
        if "owner" not in self._accounts:
            # Label Studio requires a token of exactly 40 characters.
            self._put(Account("owner", "owner@pizhu.local", secrets.token_urlsafe(12), secrets.token_hex(20)))
        return self._accounts["owner"]

    @property
    def annotators(self) -> Mapping[str, Account]:
        """The annotators by name."""
        return {name: account for name, account in self._accounts.items() if name != "owner"}

    def ensure(self, access: Access, people: Iterable[tuple[str, str | None]]) -> None:
        """Create an account on the server for each of ``people`` (name, email or None) who has none.

        Args:
            access: the server, with its owner's token.
            people: as :func:`read_people` returns them.

        Raises:
            LabelingError: a name cannot be used, or the server has an account with that email whose password is not
                known here.
        """
        missing, people = [], list(people)
        for name, _ in people:  # before any is stored: Label Studio would truncate or refuse such names
            if not is_line(name) or name != name.strip() or not 0 < len(name) <= _LONGEST:
                raise LabelingError(
                    f"{name[:50]!r} cannot be an annotator's name: expected one line of up to {_LONGEST} characters"
                )
        for name, email in people:
            account = self._accounts.get(name) or Account(name, email or self._email(name), secrets.token_urlsafe(12))
            if email and account.email != email:
                raise LabelingError(f"annotator {name} already has the account {account.email}, not {email}")
            self._put(account)
            if not account.token:
                missing.append(account)
        if missing:
            with _invitation(access) as invitation:
                for account in missing:
                    self._put(replace(account, token=_sign_up(access.url, invitation, account)))

    def _put(self, account: Account) -> None:
        self._accounts[account.name] = account
        rows = [asdict(account) for account in self._accounts.values()]
        write_private(self.path, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")

    def _email(self, name: str) -> str:
        taken = {account.email for account in self._accounts.values()}
        if re.fullmatch(r"[A-Za-z0-9._-]+", name) and (email := f"{name.lower()}@pizhu.local") not in taken:
            return email
        numbered = (f"annotator{number}@pizhu.local" for number in range(1, len(taken) + 2))
        return next(email for email in numbered if email not in taken)


def read_people(path: str | Path) -> list[tuple[str, str | None]]:
    """Names, and emails if given, from a text file with one person on each line: ``甲`` or ``甲, jia@example.cn``.

    Raises:
        LabelingError: there is no such file, a name occurs twice, or an email address is invalid.
        ReadError: it is not text in any usual encoding.
    """
    try:
        # A file that is not Unicode was written on a Chinese Windows.
        lines = decode(Path(path).read_bytes(), str(path), "gb18030").splitlines()
    except FileNotFoundError:
        raise LabelingError(f"list of annotators {path} does not exist") from None
    except OSError as error:
        raise LabelingError(f"list of annotators {path} cannot be read: {error.strerror}") from None
    people: dict[str, str | None] = {}
    for number, line in enumerate(lines, 1):
        name, _, email = (part.strip() for part in line.partition("#")[0].replace("，", ",").partition(","))
        if not name:
            continue
        if name in people or name == "owner":
            raise LabelingError(f"{path}, line {number}: the name {name} is taken")
        if email and not re.fullmatch(r"[^@\s,]++@[^@\s,][^@\s,.]*+\.[^@\s,]++", email):
            raise LabelingError(f"{path}, line {number}: {email} is not an email address")
        people[name] = email.lower() or None
    return list(people.items())


@contextmanager
def _invitation(access: Access) -> Iterator[str]:
    """The path of the sign-up page for invited users; it is revoked afterwards, since the server's log shows it."""
    with _browser(access.url) as browser:
        owner = {"Authorization": f"Token {access.token}"}
        answer = browser.get("/api/invite", headers=owner)
        if answer.status_code != 200:
            raise LabelingError(f"Label Studio at {access.url} does not let this token invite annotators")
        try:
            yield answer.json()["invite_url"]
        finally:
            browser.post("/api/invite/reset-token", headers=owner)


def _sign_up(url: str, invitation: str, account: Account) -> str:
    """Create the account, or log in to it if an earlier attempt created it; returns its token."""
    with _browser(url) as browser:
        form = {"email": account.email, "password": account.password}
        if not any(_submit(browser, page, form) for page in ("/user/login/", invitation)):
            raise LabelingError(
                f"annotator {account.name} cannot get the account {account.email}: Label Studio refused it, "
                "perhaps because it exists with another password"
            )
        user = browser.get("/api/current-user/whoami").json()
        headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": url}
        browser.patch(f"/api/users/{user['id']}", json={"first_name": account.name}, headers=headers).raise_for_status()
        return str(browser.get("/api/current-user/token").raise_for_status().json()["token"])


def _submit(browser: httpx.Client, page: str, form: dict[str, str]) -> bool:
    """Fill in a form; Label Studio answers with a redirect on success, with the form again on failure."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(page).text)
    token = {"csrfmiddlewaretoken": found[1]} if found else {}
    return browser.post(page, data=form | token, headers={"Referer": str(browser.base_url)}).status_code == 302


@contextmanager
def _browser(url: str) -> Iterator[httpx.Client]:
    try:
        import httpx

        from ..studio.bounded import UNPACKED, bounds
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    try:
        # Proxies set in the environment do not reach this machine.
        with (
            odd_responses_as_errors(url),
            httpx.Client(
                base_url=url, timeout=60, trust_env=False, headers=UNPACKED, event_hooks={"response": [bounds(url)]}
            ) as client,
        ):
            yield client
    except httpx.HTTPError as error:
        raise LabelingError(f"Label Studio at {url} failed while accounts were made ({type(error).__name__})") from None
