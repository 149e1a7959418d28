"""The application: its routes, who may use them, and its error responses."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from ...base.admission import AdmissionMiddleware
from ...base.errors import MissingExtraError, PizhuError
from ...base.origins import accepts_host, host_and_port, own_page
from ...base.refusal import Refusal, no_room, said
from ...base.scratch import sweep
from ...data.isolation.messages import Question
from ...data.isolation.pool import Reader, ReaderPool
from ...data.report import Report
from ..writers.template import asset
from .answers import choose, content
from .batcher import Batcher, Full
from .envelope import Envelope
from .home import home
from .meters import CONTENT_TYPE, Meters
from .settings import Settings
from .uploads import received, unless_gone

if TYPE_CHECKING:
    from ...models.annotator import Annotator


def create_app(
    annotator: Annotator,
    settings: Settings = Settings(),  # noqa: B008 (it cannot change)
    reader: Reader | None = None,
) -> FastAPI:
    """The service for one model, as an ASGI application; ``reader`` reads the files, by default in new processes."""
    meters = Meters()
    labels = annotator.about.labels

    def watch(done: Sequence[Report]) -> None:
        meters.annotated(len(done), sum(s.kind == "sentence" for report in done for s in report.sentences))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sweep()  # removes what LibreOffice left when a service was killed
        app.state.batcher = Batcher(annotator, settings.max_requests, settings.batch, watch)
        # Separate processes read strangers' files, so that no file can block the event loop.
        with ReaderPool(settings.readers, settings.slow_readers) if reader is None else nullcontext(reader) as chosen:
            app.state.reader = chosen
            yield
        await asyncio.to_thread(app.state.batcher.close)

    def known(request: Request) -> None:
        """Refuse requests to unknown host names and requests from pages of other sites."""
        if called := request.headers.get("host"):
            host, _ = host_and_port(called)
            if not host:
                raise Refusal(403, f"{called[:80]!r} is not a host name; request the service by its address")
            if not accepts_host(host, settings.names):
                sentence = f"unknown host {host[:80]!r}; start the service with --name {host[:80]}"
                raise Refusal(403, sentence)
        if request.method != "GET" and not own_page(request.headers, settings.names):
            raise Refusal(403, "pages of other sites may not use the service")

    def trusted(request: Request) -> None:
        """Refuse requests without the secret, if one is set."""
        if settings.secret is None:
            return
        shown = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"Bearer {settings.secret}".encode()):
            sentence = "the secret is missing or wrong; send it as: Authorization: Bearer SECRET"
            raise Refusal(401, sentence, {"www-authenticate": "Bearer"})

    # FastAPI's documentation pages load scripts from a CDN; /openapi.json has the same content offline.
    app = FastAPI(
        title="pizhu",
        summary="Labels the sentences of Chinese government reports.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would go to whatever host the request names
        lifespan=lifespan,
    )
    app.state.terms = settings.terms
    app.add_middleware(AdmissionMiddleware, admit=known, all_mb=settings.max_requests * settings.limits.file_mb)
    app.add_middleware(Envelope, meters=meters, routes=("/", "/annotate", "/health", "/metrics"))
    _say_what_is_wrong(app, settings)

    @app.get("/", response_class=HTMLResponse)
    def home_page() -> HTMLResponse:
        """A page to drop reports on."""
        text, policy = home(labels, settings)
        return HTMLResponse(text, headers={"content-security-policy": policy})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(asset("icon.svg"), media_type="image/svg+xml")

    @app.get("/health")
    def health(request: Request) -> dict[str, Any]:
        """Whether the service works, and with which model."""
        batcher: Batcher = request.app.state.batcher
        facts = {"status": "ok", "model": annotator.about.name, "labels": labels.names}
        return facts | {"requests_in_flight": batcher.in_flight, "requests_limit": batcher.limit}

    @app.get("/metrics", dependencies=[Depends(trusted)])
    def metrics(request: Request) -> PlainTextResponse:
        """Counts and times, for Prometheus."""
        batcher: Batcher = request.app.state.batcher
        return PlainTextResponse(meters.text(batcher.in_flight, batcher.limit), headers={"content-type": CONTENT_TYPE})

    @app.post("/annotate", dependencies=[Depends(trusted)], response_class=Response)
    async def annotate(
        request: Request,
        format: Annotated[str | None, Query(description="html, json or jsonl; by default what Accept prefers.")] = None,
        name: Annotated[str | None, Query(description="The report's name, if the body is the file.")] = None,
        page: Annotated[bool, Query(description="Add the page to the JSON.")] = False,
    ) -> Response:
        """Annotate one report: the body is the file, or a form with the file in it."""
        form = choose(format, request.headers.get("accept"))
        batcher: Batcher = request.app.state.batcher
        reader: Reader = request.app.state.reader

        async def answer(upload: Question) -> Response:
            report = await asyncio.wrap_future(reader.submit(upload))
            answered = await asyncio.wrap_future(batcher.submit(report))
            body, headers = await asyncio.to_thread(content, answered, labels, form, with_page=page)
            return Response(body, headers=headers)

        batcher.check_slot()  # refuses before the client sends the report
        async with asyncio.timeout(settings.seconds), received(request, name, settings.limits) as upload:
            with batcher.slot():
                return await unless_gone(request, answer(upload))

    return app


def _say_what_is_wrong(app: FastAPI, settings: Settings) -> None:
    """Every error is a JSON object with one sentence in it."""

    @app.exception_handler(Refusal)
    def refused(request: Request, error: Refusal) -> JSONResponse:
        return said(error.status, error.sentence, error.headers)

    @app.exception_handler(Full)
    def full(request: Request, error: Full) -> JSONResponse:
        wait = error.retry_after
        return said(503, f"server busy; retry in {wait} seconds", {"retry-after": str(wait)})

    @app.exception_handler(TimeoutError)
    def slow(request: Request, error: TimeoutError) -> JSONResponse:
        most = f"{settings.seconds:g} seconds"
        return said(504, f"the report takes longer than the limit of {most}; split it, or try later")

    @app.exception_handler(OSError)
    def machine(request: Request, error: OSError) -> JSONResponse:
        return no_room(error)

    @app.exception_handler(PizhuError)
    def unreadable(request: Request, error: PizhuError) -> JSONResponse:
        return said(501 if isinstance(error, MissingExtraError) else 422, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return said(400, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase.lower()
        return said(error.status_code, f"{request.method} {request.url.path[:80]}: {phrase}", dict(error.headers or {}))

    @app.exception_handler(Exception)
    def fault(request: Request, error: Exception) -> JSONResponse:
        return said(500, "a fault in pizhu; its log says more")
