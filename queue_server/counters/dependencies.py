"""What every operation of the counters' HTTP API takes and answers: who asks, which act, once or again."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from queue_server.counters.acting import Once
from queue_server.counters.bodies import CounterBody
from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.problems import ApiRefusal
from queue_server.counters.service import CounterService
from queue_server.staff import Staff

Id = Annotated[str, Path(min_length=1, max_length=64)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{8,64}$",
        description="The client's own id for this act; sent again after a lost answer it does nothing twice.",
    ),
]
ACT = (401, 403, 404, 409, 422, 503)


def answered(outcome: CounterState | Refused) -> CounterBody:
    if isinstance(outcome, Refused):
        raise ApiRefusal(outcome)
    return CounterBody.of(outcome)


def once(key: str | None) -> Once | None:
    return None if key is None else Once(key)


_bearer = HTTPBearer(auto_error=False, scheme_name="signIn", description="Token of `signIn`.")


def _service(request: Request) -> CounterService:
    service: CounterService = request.app.state.counters
    return service


Service = Annotated[CounterService, Depends(_service)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _signed_in(service: Service, credentials: Credentials) -> Staff:
    staff = None if credentials is None else service.who(credentials.credentials)
    if staff is None:
        raise ApiRefusal(Refused("not_signed_in"))
    return staff


Signed = Annotated[Staff, Depends(_signed_in)]


def done(refused: Refused | None) -> None:
    """Raises the refusal as its problem document, if there is one."""
    if refused is not None:
        raise ApiRefusal(refused)
