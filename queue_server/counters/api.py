"""The counters' HTTP API: the same acts as the console, for other programs. See `docs/openapi.yaml`.

The application keeps its `CounterService` in `app.state.counters`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from queue_server.counters.bodies import (
    CallTicketBody,
    CounterBody,
    HelpBody,
    Person,
    QueueBody,
    SeenBody,
    SignedInBody,
    SignIn,
)
from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.problems import ApiRefusal, problems
from queue_server.counters.service import CounterService, Once
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
_ACT = (401, 403, 404, 409, 422, 503)


def _counter(outcome: CounterState | Refused) -> CounterBody:
    if isinstance(outcome, Refused):
        raise ApiRefusal(outcome)
    return CounterBody.of(outcome)


def _once(key: str | None) -> Once | None:
    return None if key is None else Once(key)


router = APIRouter(prefix="/api/v1")
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


@router.post("/sign-in", operation_id="signIn", tags=["people"], responses=problems(401, 403, 422, 429))
async def sign_in(request: Request, service: Service, body: SignIn) -> SignedInBody:
    """Get a token for a login and its password."""
    address = request.client.host if request.client else "unknown"
    outcome = await service.sign_in(body.login, body.password, source="api", address=address)
    if isinstance(outcome, Refused):
        raise ApiRefusal(outcome)
    return SignedInBody(token=outcome.token, expires_at=outcome.expires_at, staff=Person.of(outcome.staff))


@router.post("/sign-out", operation_id="signOut", tags=["people"], status_code=204, responses=problems(401))
async def sign_out(service: Service, _staff: Signed, credentials: Credentials) -> None:
    """End the token. A counter that the person holds stays open."""
    if credentials is not None:
        await service.sign_out(credentials.credentials)


@router.get("/me", operation_id="whoAmI", tags=["people"], responses=problems(401))
async def me(staff: Signed) -> Person:
    """The person whose token this is."""
    return Person.of(staff)


@router.get("/counters", operation_id="listCounters", tags=["counters"], responses=problems(401))
async def counters(service: Service, _staff: Signed) -> list[CounterBody]:
    """All counters, with who holds them, whom they serve and whom they would call."""
    return [CounterBody.of(state) for state in service.counters()]


@router.get("/counters/{counter}", operation_id="getCounter", tags=["counters"], responses=problems(401, 404, 422))
async def counter_state(service: Service, _staff: Signed, counter: Id) -> CounterBody:
    """One counter."""
    return _counter(service.counter(counter))


@router.post("/counters/{counter}/open", operation_id="openCounter", tags=["counters"], responses=problems(*_ACT))
async def open_counter(service: Service, staff: Signed, counter: Id, key: IdempotencyKey = None) -> CounterBody:
    """Take a counter. The answer's `session` names it in every further act."""
    return _counter(await service.open_counter(staff, counter, _once(key)))


@router.post("/sessions/{session}/close", operation_id="closeCounter", tags=["counters"], responses=problems(*_ACT))
async def close_counter(service: Service, staff: Signed, session: Id, key: IdempotencyKey = None) -> CounterBody:
    """Leave a counter that serves nobody."""
    return _counter(await service.close_counter(staff, session, _once(key)))


@router.get("/sessions/{session}", operation_id="getSession", tags=["counters"], responses=problems(401, 409, 422))
async def session_state(service: Service, _staff: Signed, session: Id) -> CounterBody:
    """The counter that a session holds."""
    return _counter(service.state(session))


@router.post("/sessions/{session}/next", operation_id="callNext", tags=["calling"], responses=problems(*_ACT))
async def call_next(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Call whom the hall's rule chooses."""
    return _counter(await service.next(staff, session, body.seen, _once(key)))


@router.post("/sessions/{session}/recall", operation_id="recall", tags=["calling"], responses=problems(*_ACT))
async def recall(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Announce the called ticket once more."""
    return _counter(await service.recall(staff, session, body.seen, _once(key)))


@router.post("/sessions/{session}/start", operation_id="startService", tags=["calling"], responses=problems(*_ACT))
async def start(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """The called person stands at the counter."""
    return _counter(await service.start(staff, session, body.seen, _once(key)))


@router.post("/sessions/{session}/complete", operation_id="complete", tags=["calling"], responses=problems(*_ACT))
async def complete(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """The service is done."""
    return _counter(await service.complete(staff, session, body.seen, _once(key)))


@router.post("/sessions/{session}/no-show", operation_id="noShow", tags=["calling"], responses=problems(*_ACT))
async def no_show(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Called and not come."""
    return _counter(await service.no_show(staff, session, body.seen, _once(key)))


@router.post(
    "/sessions/{session}/finish-and-next", operation_id="finishAndNext", tags=["calling"], responses=problems(*_ACT)
)
async def finish_and_next(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Complete, then call the next; where nobody waits, the counter is free."""
    return _counter(await service.finish_and_next(staff, session, body.seen, _once(key)))


@router.post("/sessions/{session}/call", operation_id="callTicket", tags=["calling"], responses=problems(*_ACT))
async def call_ticket(
    service: Service, staff: Signed, session: Id, body: CallTicketBody, key: IdempotencyKey = None
) -> CounterBody:
    """Call this ticket, out of order; the trail keeps who chose it."""
    return _counter(await service.call_ticket(staff, session, body.ticket, body.seen, _once(key)))


@router.get("/queues", operation_id="listQueues", tags=["queues"], responses=problems(401))
async def queues(service: Service, _staff: Signed) -> list[QueueBody]:
    """All queues, waiting tickets in call order."""
    return [QueueBody.of(queue) for queue in service.queues()]


@router.post(
    "/tickets/{ticket}/cancel",
    operation_id="cancelTicket",
    tags=["queues"],
    status_code=204,
    responses=problems(*_ACT),
)
async def cancel(service: Service, staff: Signed, ticket: Id, body: SeenBody, key: IdempotencyKey = None) -> None:
    """Void a ticket; `seen` is the ticket's version."""
    if (refused := await service.cancel(staff, ticket, body.seen, _once(key))) is not None:
        raise ApiRefusal(refused)


@router.get("/help-requests", operation_id="listHelpRequests", tags=["help"], responses=problems(401))
async def helps(service: Service, _staff: Signed) -> list[HelpBody]:
    """Open requests for help at terminals."""
    return [HelpBody.of(request) for request in service.helps()]


@router.post(
    "/help-requests/{help_id}/acknowledge",
    operation_id="acknowledgeHelp",
    tags=["help"],
    status_code=204,
    responses=problems(*_ACT),
)
async def acknowledge(service: Service, staff: Signed, help_id: Id, key: IdempotencyKey = None) -> None:
    """Say that you go there."""
    if (refused := await service.acknowledge_help(staff, help_id, _once(key))) is not None:
        raise ApiRefusal(refused)
