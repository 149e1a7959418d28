"""A connection to Label Studio whose failures become :class:`LabelingError`, each with one sentence for the user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...base.errors import LabelingError, MissingExtraError
from .access import Access

# A LabelStudio client of the SDK. Its generated types do not match what the open-source server sends.
Client = Any

TIMEOUT = 600.0  # seconds; the SDK's 60 are too few for large imports and exports


@contextmanager
def connect(access: Access, timeout: float = TIMEOUT) -> Iterator[Client]:
    """An SDK client for one user; a request may take ``timeout`` seconds; failures become :class:`LabelingError`."""
    try:
        import httpx
        from label_studio_sdk import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        from .bounded import UNPACKED, bounds
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    # Proxies set in the environment do not reach this machine.
    local = urlsplit(access.url).hostname in ("127.0.0.1", "localhost", "::1")
    try:
        with (
            odd_responses_as_errors(access.url),
            httpx.Client(
                timeout=timeout,
                follow_redirects=True,
                trust_env=not local,
                headers=UNPACKED,
                event_hooks={"response": [bounds(access.url)]},
            ) as http,
        ):
            make: Any = LabelStudio
            # No retries: repeating an import after a dropped connection would double its rows.
            yield make(base_url=access.url, api_key=access.token, timeout=timeout, max_retries=0, httpx_client=http)
    except ApiError as error:
        raise LabelingError(_explain(access.url, error.status_code, error.body)) from None
    except httpx.TimeoutException:
        raise LabelingError(f"Label Studio at {access.url} took too long to answer; try again") from None
    except httpx.ConnectError:
        raise LabelingError(f"Label Studio at {access.url} does not answer; is it running there?") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LabelingError(f"the connection to Label Studio at {access.url} broke ({type(error).__name__})") from None


@contextmanager
def odd_responses_as_errors(url: str) -> Iterator[None]:
    """Turn any exception that an unexpected response causes in this block into a :class:`LabelingError`.

    A server may send anything, and neither the SDK nor its types check it.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise LabelingError(
            f"{url} answered as Label Studio never does ({type(error).__name__}); is the address right?"
        ) from error


def request(client: Client, method: str, path: str, body: object = None) -> Any:
    """Send a request that the SDK has no function for, with the SDK's token and errors; returns the decoded JSON."""
    from label_studio_sdk.core.api_error import ApiError

    response = client._client_wrapper.httpx_client.request(path, method=method, json=body)
    content = response.json() if response.content and "json" in response.headers.get("content-type", "") else None
    if response.status_code >= 400:
        raise ApiError(status_code=response.status_code, body=content)
    return content


def list_all(client: Client, path: str, entries: str, **fields: object) -> Iterator[dict[str, Any]]:
    """The entries of every page of a list, each page's under the field ``entries``; stops when a page has none new.

    The SDK's own iterator goes on for as long as the server sends pages.
    """
    seen: set[int] = set()
    for page in itertools.count(1):
        content = request(client, "GET", f"{path}?{urlencode({**fields, 'page': page})}")
        new = [entry for entry in content[entries] if entry["id"] not in seen]
        yield from new
        seen.update(entry["id"] for entry in new)
        if not new or len(seen) >= content["count" if "count" in content else "total"]:
            return


def _explain(url: str, status: int | None, body: object) -> str:
    if status == 401:
        return f"Label Studio at {url} does not accept the token; copy a valid one from its account page"
    if status == 403:
        return f"Label Studio at {url} does not allow the token's user to do this"
    detail = body.get("detail") if isinstance(body, dict) else None
    reasons = body.get("validation_errors") if isinstance(body, dict) else None
    known = reasons or detail
    if known is None:
        return f"{url} answered with status {status}, not as Label Studio would; is the address right?"
    return f"Label Studio at {url} refused (status {status}): {' '.join(str(known).split())[:300]}"
