"""The counters' HTTP API: the same acts as the console, for other programs. See `docs/openapi.yaml`.

The application keeps its `CounterService` in `app.state.counters`.
"""

from fastapi import APIRouter, Request

from queue_server.counters.bodies import (
    AnotherServiceBody,
    CallTicketBody,
    CounterBody,
    HelpBody,
    OpenBody,
    PauseBody,
    Person,
    ProfileBody,
    QueueBody,
    SeenBody,
    SignedInBody,
    SignIn,
)
from queue_server.counters.dependencies import (
    ACT,
    Credentials,
    Id,
    IdempotencyKey,
    Service,
    Signed,
    answered,
    done,
    once,
)
from queue_server.counters.outcomes import Refused
from queue_server.counters.problems import ApiRefusal, problems

router = APIRouter(prefix="/api/v1")


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
    return answered(service.counter(counter))


@router.post("/counters/{counter}/open", operation_id="openCounter", tags=["counters"], responses=problems(*ACT))
async def open_counter(
    service: Service, staff: Signed, counter: Id, body: OpenBody | None = None, key: IdempotencyKey = None
) -> CounterBody:
    """Take a counter. The answer's `session` names it in every further act."""
    profile = body.profile if body else None
    return answered(await service.open_counter(staff, counter, once(key), profile=profile))


@router.post("/counters/{counter}/take-over", operation_id="takeOver", tags=["counters"], responses=problems(*ACT))
async def take_over(service: Service, staff: Signed, counter: Id, key: IdempotencyKey = None) -> CounterBody:
    """A manager takes a counter over, with whoever is called or served there; the other session is closed."""
    return answered(await service.take_over(staff, counter, once(key)))


@router.post("/sessions/{session}/pause", operation_id="pauseCounter", tags=["counters"], responses=problems(*ACT))
async def pause(
    service: Service, staff: Signed, session: Id, body: PauseBody, key: IdempotencyKey = None
) -> CounterBody:
    """Stop calling for a while, for one of the hall's reasons."""
    return answered(await service.pause(staff, session, body.reason, body.seen, once(key)))


@router.post(
    "/sessions/{session}/continue", operation_id="continueCounter", tags=["counters"], responses=problems(*ACT)
)
async def go_on(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Call again after a pause."""
    return answered(await service.go_on(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/profile", operation_id="chooseProfile", tags=["counters"], responses=problems(*ACT))
async def choose_profile(
    service: Service, staff: Signed, session: Id, body: ProfileBody, key: IdempotencyKey = None
) -> CounterBody:
    """Work by another profile of the counter's class; null: the counter's own."""
    return answered(await service.choose_profile(staff, session, body.profile, body.seen, once(key)))


@router.post("/sessions/{session}/close", operation_id="closeCounter", tags=["counters"], responses=problems(*ACT))
async def close_counter(service: Service, staff: Signed, session: Id, key: IdempotencyKey = None) -> CounterBody:
    """Leave a counter that serves nobody."""
    return answered(await service.close_counter(staff, session, once(key)))


@router.get("/sessions/{session}", operation_id="getSession", tags=["counters"], responses=problems(401, 409, 422))
async def session_state(service: Service, _staff: Signed, session: Id) -> CounterBody:
    """The counter that a session holds."""
    return answered(service.state(session))


@router.post("/sessions/{session}/next", operation_id="callNext", tags=["calling"], responses=problems(*ACT))
async def call_next(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Call whom the hall's rule chooses."""
    return answered(await service.next(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/recall", operation_id="recall", tags=["calling"], responses=problems(*ACT))
async def recall(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Announce the called ticket once more."""
    return answered(await service.recall(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/start", operation_id="startService", tags=["calling"], responses=problems(*ACT))
async def start(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """The called person stands at the counter."""
    return answered(await service.start(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/complete", operation_id="complete", tags=["calling"], responses=problems(*ACT))
async def complete(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """The service is done."""
    return answered(await service.complete(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/no-show", operation_id="noShow", tags=["calling"], responses=problems(*ACT))
async def no_show(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Called and not come."""
    return answered(await service.no_show(staff, session, body.seen, once(key)))


@router.post(
    "/sessions/{session}/finish-and-next", operation_id="finishAndNext", tags=["calling"], responses=problems(*ACT)
)
async def finish_and_next(
    service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None
) -> CounterBody:
    """Complete, then call the next; where nobody waits, the counter is free."""
    return answered(await service.finish_and_next(staff, session, body.seen, once(key)))


@router.post(
    "/sessions/{session}/another-service", operation_id="anotherService", tags=["calling"], responses=problems(*ACT)
)
async def another_service(
    service: Service, staff: Signed, session: Id, body: AnotherServiceBody, key: IdempotencyKey = None
) -> CounterBody:
    """One more service of the same visit: here and now, or after this one in its own line."""
    return answered(await service.another_service(staff, session, body.service, body.seen, once(key), here=body.here))


@router.post("/sessions/{session}/undo", operation_id="undo", tags=["calling"], responses=problems(*ACT))
async def undo(service: Service, staff: Signed, session: Id, body: SeenBody, key: IdempotencyKey = None) -> CounterBody:
    """Take back the counter's last call, completion or no-show, within the hall's time for it."""
    return answered(await service.undo(staff, session, body.seen, once(key)))


@router.post("/sessions/{session}/call", operation_id="callTicket", tags=["calling"], responses=problems(*ACT))
async def call_ticket(
    service: Service, staff: Signed, session: Id, body: CallTicketBody, key: IdempotencyKey = None
) -> CounterBody:
    """Call this ticket, out of order; the trail keeps who chose it."""
    return answered(await service.call_ticket(staff, session, body.ticket, body.seen, once(key)))


@router.get("/queues", operation_id="listQueues", tags=["queues"], responses=problems(401))
async def queues(service: Service, _staff: Signed) -> list[QueueBody]:
    """All queues, waiting tickets in call order."""
    return [QueueBody.model_validate(queue) for queue in service.queues()]


@router.get("/help-requests", operation_id="listHelpRequests", tags=["help"], responses=problems(401))
async def helps(service: Service, _staff: Signed) -> list[HelpBody]:
    """Open requests for help at terminals."""
    return [HelpBody.model_validate(request) for request in service.helps()]


@router.post(
    "/help-requests/{help_id}/acknowledge",
    operation_id="acknowledgeHelp",
    tags=["help"],
    status_code=204,
    responses=problems(*ACT),
)
async def acknowledge(service: Service, staff: Signed, help_id: Id, key: IdempotencyKey = None) -> None:
    """Say that you go there."""
    done(await service.acknowledge_help(staff, help_id, once(key)))
