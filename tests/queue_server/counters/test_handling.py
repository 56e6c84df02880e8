"""Sending on, setting aside, undoing and taking over through the counters' service."""

from queue_server.counters.outcomes import CounterState
from queue_server.counters.service import CounterService
from queue_server.hall import Addressee
from queue_server.staff import Staff
from tests.queue_server.counters.test_service import current, opened, refused
from tests.queue_server.web.rig import Rig


async def serving(rig: Rig, service: CounterService, clerk: Staff, counter: str = "counter-2") -> tuple[str, int]:
    """A session that serves a ticket of its own, and its version."""
    await rig.issue("social-card")
    session, seen = opened(await service.open_counter(clerk, counter))
    _, seen = opened(await service.next(clerk, session, seen))
    return opened(await service.start(clerk, session, seen))


def held(service: CounterService, staff: Staff) -> CounterState:
    state = service.held_by(staff)
    assert state is not None
    return state


async def test_a_ticket_sent_on_is_shown_where_it_waits_when_the_answer_comes(
    rig: Rig, service: CounterService
) -> None:
    clerk, other = rig.person("limin", "李敏"), rig.person("wangfang", "王芳")
    await service.open_counter(other, "counter-4")
    await serving(rig, service, clerk)
    ticket = held(service, clerk).counter.current
    assert ticket is not None
    to = Addressee("clerk", other.id)
    assert await service.transfer(clerk, ticket.ticket, ticket.version, service="id-card", to=to) is None
    assert held(service, clerk).counter.current is None
    (waiting,) = [w for queue in held(service, other).queues for w in queue.waiting]
    assert (waiting.number, waiting.for_clerk) == (ticket.number, other.id)
    refused(await service.transfer(clerk, ticket.ticket, ticket.version), "stale_version")


async def test_what_a_clerk_parks_only_that_clerk_sees_and_takes_up(rig: Rig, service: CounterService) -> None:
    clerk, other = rig.person("limin", "李敏"), rig.person("wangfang", "王芳")
    await service.open_counter(other, "counter-1")
    session, _ = await serving(rig, service, clerk)
    ticket = held(service, clerk).counter.current
    assert ticket is not None
    assert await service.hold(clerk, ticket.ticket, ticket.version, pool=Addressee("clerk", clerk.id)) is None
    assert [aside.number for aside in held(service, clerk).aside] == [ticket.number]
    assert held(service, other).aside == ()
    (aside,) = held(service, clerk).aside
    refused(await service.resume(other, aside.ticket, aside.version), "ticket_not_for_counter")
    assert await service.resume(clerk, aside.ticket, aside.version) is None
    assert held(service, clerk).aside == ()
    assert current(await service.next(clerk, session, held(service, clerk).counter.version)) == ticket.number


async def test_the_last_act_can_be_undone_and_the_counter_says_which(rig: Rig, service: CounterService) -> None:
    clerk = rig.person("limin", "李敏")
    session, seen = await serving(rig, service, clerk)
    number = current(service.state(session))
    done = await service.complete(clerk, session, seen)
    assert isinstance(done, CounterState)
    assert done.counter.undo is not None
    assert (done.counter.undo.what, done.counter.undo.number) == ("completion", number)
    assert current(await service.undo(clerk, session, done.counter.version)) == number
    refused(await service.undo(clerk, session, held(service, clerk).counter.version), "nothing_to_undo")


async def test_a_clerk_takes_nothing_over_and_a_manager_does(rig: Rig, service: CounterService) -> None:
    clerk, other, manager = rig.person("limin", "李敏"), rig.person("wangfang", "王芳"), rig.person("zhaojun", "赵军")
    session, seen = await serving(rig, service, clerk)
    number = current(service.state(session))
    refused(await service.take_over(other, "counter-2"), "take_over_not_allowed")
    assert current(await service.take_over(manager, "counter-2")) == number
    refused(await service.complete(clerk, session, seen), "session_closed")
    assert service.held_by(clerk) is None
