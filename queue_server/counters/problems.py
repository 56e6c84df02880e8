"""Refusals over HTTP: problem details (RFC 9457) with a stable code, its parameters, a sentence in both languages."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from queue_server.counters.outcomes import Refused
from queue_server.counters.words import sentence

_STATUS = {
    "wrong_credentials": 401,
    "not_signed_in": 401,
    "not_allowed": 403,
    "no_role": 403,
    "session_of_other": 403,
    "counter_unknown": 404,
    "session_unknown": 404,
    "ticket_unknown": 404,
    "help_unknown": 404,
    "locked": 429,
    "too_many_attempts": 429,
    "ledger_full": 503,
    "ledger_unavailable": 503,
    "not_leading": 503,
    "internal_error": 500,
    "key_unknown": 401,
    "scope_missing": 403,
    "appointment_unknown": 404,
    "service_unknown": 404,
    "idempotency_key_missing": 400,
    "persons_not_keyed": 503,
    "zone_unknown": 404,
    "text_empty": 422,
    "text_too_long": 422,
    "text_not_speakable": 422,
    "speech_not_installed": 503,
    "speech_busy": 503,
    "speech_failed": 503,
}
"""Status by code; what is not here is a refusal of the hall's rules: 409."""
MEDIA_TYPE = "application/problem+json"
_MEANING = {
    400: "A header is missing.",
    401: "Not signed in, or the sign-in has ended; or the API key is unknown or revoked.",
    403: "The person's role or counter, or the key's scopes, do not allow it.",
    404: "There is no such thing.",
    409: "The hall's rules refuse it now (stale_version, counter_taken, nobody_waiting …); nothing was changed.",
    422: "The request is not valid.",
    429: "Too many requests.",
    503: "The server could not decide or keep it; nothing was changed.",
}


class Sentence(BaseModel):
    zh: str
    en: str


class Problem(BaseModel):
    """Every answer that is not a success (RFC 9457). `code` is stable; `message` is for people and may change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:estation:problem:stale_version",
                    "title": "Stale version",
                    "status": 409,
                    "code": "stale_version",
                    "params": {"seen": 4, "now": 5},
                    "retry_after": None,
                    "message": {
                        "zh": "情况已变化，请看最新状态后再操作。",
                        "en": "Things have changed. Look again, then act.",
                    },
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    code: str
    params: dict[str, Any] = Field(default_factory=dict)
    retry_after: float | None = Field(default=None, ge=0)
    """Seconds after which the same request may be tried again; null: waiting alone does not help."""
    message: Sentence


class ApiRefusal(Exception):
    """Raised by a route to answer with the problem that `refused` is."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


def refusal_response(refused: Refused, status: int | None = None) -> JSONResponse:
    """The problem of a refusal; 503 and 429 carry `Retry-After`, 401 names the scheme."""
    status = status or _STATUS.get(refused.code, 409)
    headers = {"Cache-Control": "no-store"}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(int(refused.retry_after) + 1)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    problem = Problem(
        type=f"urn:estation:problem:{refused.code}",
        title=refused.code.replace("_", " ").capitalize(),
        status=status,
        code=refused.code,
        params=dict(refused.params),
        retry_after=refused.retry_after,
        message=Sentence(zh=sentence(refused, "zh"), en=sentence(refused, "en")),
    )
    return JSONResponse(problem.model_dump(), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route's refusals are described."""
    return {status: {"model": Problem, "description": _MEANING[status]} for status in statuses}


def as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Gives the refusals of an OpenAPI document the media type that they are sent with."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if not status.startswith("2") and "application/json" in answer.get("content", {}):
                    answer["content"][MEDIA_TYPE] = answer["content"].pop("application/json")
    return document
