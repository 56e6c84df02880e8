"""The error envelope of the counters' API: a stable code, its parameters, a sentence in both languages."""

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
}
"""Status by code; what is not here is a refusal of the hall's rules: 409."""


class Sentence(BaseModel):
    zh: str
    en: str


class ErrorEnvelope(BaseModel):
    """Every answer that is not a success. `code` is stable; `message` is for people and may change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
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

    code: str
    params: dict[str, Any] = Field(default_factory=dict)
    retry_after: float | None = Field(default=None, ge=0)
    """Seconds after which the same request may be tried again; null: waiting alone does not help."""
    message: Sentence


class ApiRefusal(Exception):
    """Raised by a route to answer with the envelope of `refused`."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


def refusal_response(refused: Refused, status: int | None = None) -> JSONResponse:
    """The envelope of a refusal; 503 and 429 carry `Retry-After`, 401 names the scheme."""
    status = status or _STATUS.get(refused.code, 409)
    headers = {"Cache-Control": "no-store"}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(int(refused.retry_after) + 1)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    envelope = ErrorEnvelope(
        code=refused.code,
        params=dict(refused.params),
        retry_after=refused.retry_after,
        message=Sentence(zh=sentence(refused, "zh"), en=sentence(refused, "en")),
    )
    return JSONResponse(envelope.model_dump(), status_code=status, headers=headers)
