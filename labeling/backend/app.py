"""The web application: the endpoints for Label Studio and the page for people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from ...base.admission import AdmissionMiddleware
from ...base.errors import LabelingError, ModelError, PizhuError
from ...base.origins import own_page
from ...base.refusal import Refusal, no_room, said
from ...base.terms import DEFAULT_TERMS, Terms
from .page import POLICY, page
from .predictor import Predictor
from .register import ANNOTATED
from .secret import authorizes, event_secret
from .state import tail
from .trainer import LOG, Trainer

Given = Annotated[dict[str, Any], Body()]


BODY_MB = 16
"""The default limit; Label Studio sends at most a thousand tasks in a request."""


def create_app(
    predictor: Predictor,
    trainer: Trainer,
    secret: str,
    address: str | None = None,
    body_mb: int = BODY_MB,
    terms: Terms = DEFAULT_TERMS,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        predictor: makes the proposals.
        trainer: trains the next model.
        secret: the secret that requests must send.
        address: where it can be reached, if not at the address that it listens on.
        body_mb: the largest request body, in MiB.
        terms: the limits for connections.
    """

    addresses = [address.rstrip("/")] if address else []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        trainer.resume()
        yield
        trainer.close()

    def require_secret(request: Request, *secrets: str) -> None:
        if not any(authorizes(request.headers.get("authorization"), accepted) for accepted in secrets):
            sentence = "the secret is missing or wrong; send it as the password of basic authentication"
            raise Refusal(401, sentence, {"www-authenticate": 'Basic realm="pizhu", charset="UTF-8"'})

    def admit(request: Request) -> None:
        path = request.scope["path"]
        if path == "/health":
            return
        require_secret(request, secret, *([event_secret(secret)] if path == "/webhook" else []))
        # A browser that knows the secret must not use it for pages of other sites.
        if request.method != "GET" and not own_page(request.headers, addresses=addresses):
            raise Refusal(403, "pages of other sites may not use the service")

    app = FastAPI(
        title="pizhu predictions",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # redirects go to whatever host the request names
        lifespan=lifespan,
    )
    app.state.terms = terms
    app.add_middleware(AdmissionMiddleware, admit=admit, body_mb=body_mb)
    _add_error_handlers(app)

    @app.get("/health")
    def health() -> Response:
        """Whether a model is served; open to all, so it says no more."""
        if predictor.served is None:
            sentence = "the model cannot be loaded; the service's page and log say why"
            return JSONResponse({"status": "DOWN", "error": sentence}, 503)
        return JSONResponse({"status": "UP"})

    @app.post("/setup")
    def setup(given: Given) -> dict[str, Any]:
        """Check that project and model fit. The token that Label Studio sends is ignored."""
        return {"model_version": predictor.check(_text(given, "schema")).version}

    @app.post("/predict")
    def predict(given: Given) -> dict[str, Any]:
        """Proposals for tasks."""
        tasks = given.get("tasks")
        if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
            raise Refusal(400, "'tasks' must be a list of tasks")
        return {"results": predictor.predict(tasks, _text(given, "label_config"))}

    @app.get("/versions")
    def versions() -> dict[str, Any]:
        """The model versions; the first is the one that is served."""
        state = trainer.state
        older = [f"v{number}" for number in reversed(state.versions) if number != state.current]
        return {"versions": [predictor.present.version, *older]}

    @app.post("/train")
    def train(request: Request) -> Response:
        """Start a training, unless one is in progress."""
        started = trainer.start("服务页面上的按钮" if _is_form(request) else "POST /train")
        if _is_form(request):
            return RedirectResponse("./", 303)
        return JSONResponse({"started": started, "run": _run(trainer)}, 202 if started else 409)

    @app.post("/webhook")
    def webhook(request: Request, given: Given) -> dict[str, Any]:
        """Start a training on START_TRAINING; count annotations; ignore other actions."""
        action = given.get("action")
        if action not in ANNOTATED:
            require_secret(request, secret)  # every user can read the webhook's secret, which is therefore not enough
        if action == "START_TRAINING":
            project = given.get("project")
            title = project.get("title") if isinstance(project, dict) else None
            if title != trainer.plan.title:
                raise LabelingError(
                    f"this service trains on project {trainer.plan.title}, not on {title}; "
                    "start another service with --project for that one"
                )
            return {"started": trainer.start("Label Studio 的训练按钮"), "run": _run(trainer)}
        if action in ANNOTATED:
            trainer.annotated()
        return {"counted": action in ANNOTATED}

    @app.get("/state")
    def state() -> dict[str, Any]:
        """Which model is served, and the state of the last training."""
        return _state(predictor, trainer)

    @app.get("/")
    def home() -> HTMLResponse:
        """The same as a page."""
        return HTMLResponse(page(_state(predictor, trainer)), headers={"content-security-policy": POLICY})

    @app.get("/problem/{sentence:path}")
    def problem(sentence: str) -> Response:
        """The target of redirects on errors, see :func:`_add_error_handlers`."""
        return JSONResponse({"error": sentence.replace("_", " ")}, 422)

    @app.middleware("http")
    async def no_store(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers.setdefault("cache-control", "no-store")
        response.headers.setdefault("x-content-type-options", "nosniff")
        return response

    return app


def _state(predictor: Predictor, trainer: Trainer) -> dict[str, Any]:
    served, state = predictor.served, trainer.state
    return {
        "project": trainer.plan.title,
        "model": served
        and {"version": served.version, "labels": {label.name: label.title for label in served.annotator.about.labels}},
        "problem": predictor.problem,
        "context_problem": predictor.context_problem,
        "versions": list(state.versions),
        "annotations_since": state.events,
        "every": trainer.plan.every,
        "run": _run(trainer),
    }


def _run(trainer: Trainer) -> dict[str, Any] | None:
    if (run := trainer.state.run) is None:
        return None
    return {**asdict(run), "log": list(tail(trainer.run_folder(run.number) / LOG))}


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise Refusal(400, f"{name!r} must be the project's configuration as text")
    return value.encode("utf-8", "replace").decode()  # JSON may contain lone surrogates, XML may not


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _add_error_handlers(app: FastAPI) -> None:
    """Respond to every error with a JSON object that holds one sentence.

    Label Studio does not read the body of an error response: it shows only status and address. So its requests (its
    user agent is ``heartex/…``) are redirected to an address that contains the sentence.
    """

    def say(request: Request, status: int, sentence: str) -> Response:
        if status == 422 and request.headers.get("user-agent", "").startswith("heartex/"):
            # Relative, since Label Studio may reach the service under a name that the service does not know.
            return RedirectResponse(f"problem/{quote(sentence.replace(' ', '_'), safe='(),;:')}", 303)
        return said(status, sentence)

    @app.exception_handler(Refusal)
    def refused(request: Request, error: Refusal) -> Response:
        return said(error.status, error.sentence, error.headers)

    @app.exception_handler(PizhuError)
    def wrong(request: Request, error: PizhuError) -> Response:
        return say(request, 503 if isinstance(error, ModelError) else 422, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return say(request, 400, "the body must be a JSON object")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return say(request, error.status_code, str(error.detail))

    @app.exception_handler(OSError)
    def machine(request: Request, error: OSError) -> Response:
        return no_room(error)

    @app.exception_handler(Exception)
    def fault(request: Request, error: Exception) -> Response:
        return said(500, "a fault in pizhu; its log says more")
