"""Talking to Label Studio: a connection whose failures are sentences."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...base.errors import LabelingError, MissingExtraError
from .access import Access

# A LabelStudio client of the SDK, whose generated types are not those of the open-source server's answers.
Client = Any

TIMEOUT = 600.0  # seconds; the SDK's 60 are too few for large imports and exports


@contextmanager
def connect(access: Access, timeout: float = TIMEOUT) -> Iterator[Client]:
    """An SDK client of one user, each request within ``timeout`` seconds; failures become :class:`LabelingError`."""
    try:
        import httpx
        from label_studio_sdk import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        from .bounded import UNPACKED, bounds
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    # Proxies of the environment do not lead to this machine.
    local = urlsplit(access.url).hostname in ("127.0.0.1", "localhost", "::1")
    try:
        with (
            answers_of(access.url),
            httpx.Client(
                timeout=timeout,
                follow_redirects=True,
                trust_env=not local,
                headers=UNPACKED,
                event_hooks={"response": [bounds(access.url)]},
            ) as http,
        ):
            make: Any = LabelStudio
            # No retries: an import repeated after a dropped connection would double its rows.
            yield make(base_url=access.url, api_key=access.token, timeout=timeout, max_retries=0, httpx_client=http)
    except ApiError as error:
        raise LabelingError(_told(access.url, error.status_code, error.body)) from None
    except httpx.TimeoutException:
        raise LabelingError(f"Label Studio at {access.url} took too long to answer; try again") from None
    except httpx.ConnectError:
        raise LabelingError(f"Label Studio at {access.url} does not answer; is it running there?") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LabelingError(f"the connection to Label Studio at {access.url} broke ({type(error).__name__})") from None


@contextmanager
def answers_of(url: str) -> Iterator[None]:
    """Whatever trips over an answer of the server in this block becomes a :class:`LabelingError`.

    What answers hold is up to the server, and neither the SDK nor its types check any of it.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise LabelingError(
            f"{url} answered as Label Studio never does ({type(error).__name__}); is the address right?"
        ) from error


def request(client: Client, method: str, path: str, body: object = None) -> Any:
    """The server's answer where the SDK has no function for what is asked, with its token and errors."""
    from label_studio_sdk.core.api_error import ApiError

    answer = client._client_wrapper.httpx_client.request(path, method=method, json=body)
    told = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None
    if answer.status_code >= 400:
        raise ApiError(status_code=answer.status_code, body=told)
    return told


def listed(client: Client, path: str, entries: str, **fields: object) -> Iterator[dict[str, Any]]:
    """What is in all pages of a list, each a field ``entries`` of an answer; until one brings nothing new.

    The SDK's own would ask on for as long as there are answers.
    """
    seen: set[int] = set()
    for page in itertools.count(1):
        answer = request(client, "GET", f"{path}?{urlencode({**fields, 'page': page})}")
        new = [entry for entry in answer[entries] if entry["id"] not in seen]
        yield from new
        seen.update(entry["id"] for entry in new)
        if not new or len(seen) >= answer["count" if "count" in answer else "total"]:
            return


def _told(url: str, status: int | None, body: object) -> str:
    if status == 401:
        return f"Label Studio at {url} does not accept the token; take a valid one from its account page"
    if status == 403:
        return f"Label Studio at {url} does not allow this to the token's user"
    detail = body.get("detail") if isinstance(body, dict) else None
    reasons = body.get("validation_errors") if isinstance(body, dict) else None
    known = reasons or detail
    if known is None:
        return f"{url} answered with status {status} and not as Label Studio does; is the address right?"
    return f"Label Studio at {url} refused (status {status}): {' '.join(str(known).split())[:300]}"
