"""Errors over HTTP: problem details under the API's paths, one neutral page for people everywhere else."""

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from queue_server.counters.outcomes import Refused
from queue_server.counters.problems import ApiRefusal, refusal_response
from queue_server.rate_limit import RateLimit
from wire.where import where

_log = structlog.get_logger(__name__)

_CODES = {401: "not_signed_in", 403: "not_allowed", 404: "not_found", 405: "not_found", 429: "too_many_attempts"}


def address_of(request: Request) -> str:
    """The address a request comes from, as a key for limits."""
    return request.client.host if request.client else "unknown"


def limit(limits: RateLimit, request: Request) -> None:
    """Count a request; raises the answer 429 when its address has asked too often."""
    if (seconds := limits.wait(address_of(request))) > 0:
        raise HTTPException(429, headers={"Retry-After": str(int(seconds) + 1)})


def install_handlers(app: FastAPI, templates: Jinja2Templates) -> None:
    """Make `app` answer every error in the manner of the path it belongs to."""

    @app.exception_handler(ApiRefusal)
    async def refused(_request: Request, error: ApiRefusal) -> Response:
        return refusal_response(error.refused)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        where = ", ".join(".".join(str(part) for part in problem["loc"][1:]) for problem in error.errors())
        return refusal_response(Refused("invalid_request", {"where": where}), 422)

    def page(request: Request, status: int, headers: Mapping[str, str] | None) -> Response:
        kept = {"Cache-Control": "no-store", **(headers or {})}
        return templates.TemplateResponse(request, "error.html", {"status": status}, status_code=status, headers=kept)

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        if not _of_api(request):
            return page(request, error.status_code, error.headers)
        retry = (error.headers or {}).get("Retry-After")
        code = _CODES.get(error.status_code, "not_found")
        return refusal_response(Refused(code, {}, float(retry) if retry else None), error.status_code)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        _log.error(
            "request_failed",
            path=getattr(request.scope.get("route"), "path", ""),
            cause=type(error).__name__,
            at=where(error),
        )
        return refusal_response(Refused("internal_error")) if _of_api(request) else page(request, 500, None)


def _of_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")
