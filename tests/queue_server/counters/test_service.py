"""What a clerk may do, and that nothing is done twice."""

import asyncio

from queue_server.counters.acting import Once
from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.service import CounterService
from queue_server.counters.words import sentence
from queue_server.staff import Staff
from tests.queue_server.web.rig import PASSWORD, Rig


def opened(outcome: CounterState | Refused) -> tuple[str, int]:
    """Session and version of an outcome that must be a success."""
    assert isinstance(outcome, CounterState), outcome
    assert outcome.counter.session is not None
    return outcome.counter.session, outcome.counter.version


def current(outcome: CounterState | Refused) -> str | None:
    assert isinstance(outcome, CounterState), outcome
    return outcome.counter.current.number if outcome.counter.current else None


def refused(outcome: object, code: str) -> Refused:
    assert isinstance(outcome, Refused), outcome
    assert outcome.code == code
    return outcome


async def test_the_answer_to_next_already_shows_who_was_called(rig: Rig, service: CounterService) -> None:
    first, second = await rig.issue("social-card"), await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    state = await service.next(clerk, session, seen)
    assert current(state) == first.number
    assert isinstance(state, CounterState)
    assert state.counter.next is not None
    assert state.counter.next.number == second.number


async def test_q05_a_double_click_on_next_calls_one_person(rig: Rig, service: CounterService) -> None:
    first, second = await rig.issue("social-card"), await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    outcomes = await asyncio.gather(*(service.next(clerk, session, seen) for _ in range(3)))
    assert [current(o) for o in outcomes if isinstance(o, CounterState)] == [first.number]
    assert {o.code for o in outcomes if isinstance(o, Refused)} == {"stale_version"}
    state = service.state(session)
    assert current(state) == first.number
    assert isinstance(state, CounterState)
    assert state.counter.next is not None
    assert state.counter.next.number == second.number


async def test_next_from_a_second_tab_leaves_the_called_ticket_where_it_is(rig: Rig, service: CounterService) -> None:
    first, _ = await rig.issue("social-card"), await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    _, seen = opened(await service.next(clerk, session, seen))
    refused(await service.next(clerk, session, seen), "ticket_still_called")
    assert current(service.state(session)) == first.number


async def test_two_clerks_cannot_hold_one_counter_and_the_second_learns_who_holds_it(
    rig: Rig, service: CounterService
) -> None:
    limin, wangfang = rig.person("limin", "李敏"), rig.person("wangfang", "王芳")
    outcomes = await asyncio.gather(
        service.open_counter(limin, "counter-2"), service.open_counter(wangfang, "counter-2")
    )
    lost = [o for o in outcomes if isinstance(o, Refused)]
    won = [o for o in outcomes if isinstance(o, CounterState)]
    assert len(lost) == len(won) == 1
    refused(lost[0], "counter_taken")
    assert won[0].clerk_name in sentence(lost[0], "zh")
    assert "2" in sentence(lost[0], "en")


async def test_a_clerk_holds_one_counter_at_a_time(rig: Rig, service: CounterService) -> None:
    clerk = rig.person("limin", "李敏")
    await service.open_counter(clerk, "counter-2")
    outcome = refused(await service.open_counter(clerk, "counter-3"), "clerk_at_other_counter")
    assert "2 号窗口" in sentence(outcome, "zh")


async def test_a_clerk_acts_in_no_other_clerks_session_but_a_manager_may_close_it(
    rig: Rig, service: CounterService
) -> None:
    await rig.issue("social-card")
    session, seen = opened(await service.open_counter(rig.person("limin", "李敏"), "counter-2"))
    refused(await service.next(rig.person("wangfang", "王芳"), session, seen), "session_of_other")
    closed = await service.close_counter(rig.person("zhaojun", "赵军"), session)
    assert isinstance(closed, CounterState)
    assert closed.counter.session is None


async def test_a_technician_calls_nobody(rig: Rig, service: CounterService) -> None:
    refused(await service.open_counter(rig.person("sunqi", "孙琦"), "counter-2"), "not_allowed")


async def test_call_this_one_takes_it_out_of_order(rig: Rig, service: CounterService) -> None:
    await rig.issue("social-card")
    second = await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    assert current(await service.call_ticket(clerk, session, second.ticket, seen)) == second.number


async def test_a_visit_from_call_to_completion_with_a_recall(rig: Rig, service: CounterService) -> None:
    taken = await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    _, seen = opened(await service.next(clerk, session, seen))
    recalled = await service.recall(clerk, session, seen)
    assert isinstance(recalled, CounterState)
    assert recalled.counter.current is not None
    assert recalled.counter.current.recalls == 1
    _, seen = opened(await service.start(clerk, session, recalled.counter.version))
    _, seen = opened(await service.complete(clerk, session, seen))
    assert current(service.state(session)) is None
    followed = await rig.port.follow(taken.token)
    assert followed is not None
    assert followed.state == "completed"


async def test_finish_and_next_with_nobody_waiting_frees_the_counter(rig: Rig, service: CounterService) -> None:
    await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    _, seen = opened(await service.next(clerk, session, seen))
    _, seen = opened(await service.start(clerk, session, seen))
    assert current(await service.finish_and_next(clerk, session, seen)) is None


async def test_finish_and_next_sent_twice_finishes_one_and_calls_one(rig: Rig, service: CounterService) -> None:
    await rig.issue("social-card")
    second = await rig.issue("social-card")
    third = await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2"))
    _, seen = opened(await service.next(clerk, session, seen))
    _, seen = opened(await service.start(clerk, session, seen))
    await asyncio.gather(*(service.finish_and_next(clerk, session, seen) for _ in range(2)))
    assert current(service.state(session)) == second.number
    followed = await rig.port.follow(third.token)
    assert followed is not None
    assert followed.state == "waiting"


async def test_an_act_repeated_under_its_own_id_happens_once_and_is_answered_again(
    rig: Rig, service: CounterService
) -> None:
    first, _ = await rig.issue("social-card"), await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    session, seen = opened(await service.open_counter(clerk, "counter-2", Once("open-0001")))
    assert opened(await service.open_counter(clerk, "counter-2", Once("open-0001")))[0] == session
    for _ in range(2):
        assert current(await service.next(clerk, session, seen, Once("next-0001"))) == first.number
    refused(await service.recall(clerk, session, seen + 1, Once("next-0001")), "request_id_reused")


async def test_a_void_ticket_leaves_the_list_and_an_old_version_voids_nothing(
    rig: Rig, service: CounterService
) -> None:
    taken = await rig.issue("social-card")
    clerk = rig.person("limin", "李敏")
    refused(await service.cancel(clerk, taken.ticket, 99), "stale_version")
    assert await service.cancel(clerk, taken.ticket, 1) is None
    assert not [w for queue in service.queues() for w in queue.waiting]


async def test_a_request_for_help_is_taken_by_one_person(rig: Rig, service: CounterService) -> None:
    help_id = await rig.ask_for_help()
    assert [h.help for h in service.helps()] == [help_id]
    assert await service.acknowledge_help(rig.person("limin", "李敏"), help_id) is None
    assert service.helps() == ()
    late = refused(await service.acknowledge_help(rig.person("wangfang", "王芳"), help_id), "help_already_acknowledged")
    assert "李敏" in sentence(late, "zh")


async def test_a_wrong_password_tells_nothing_and_too_many_tries_from_one_address_are_turned_away(
    rig: Rig, service: CounterService
) -> None:
    unknown = await service.sign_in("nobody", "x" * 12, source="api", address="10.0.0.1")
    wrong = await service.sign_in("limin", "x" * 12, source="api", address="10.0.0.1")
    assert refused(unknown, "wrong_credentials") == refused(wrong, "wrong_credentials")
    for n in range(18):
        await service.sign_in(f"nobody-{n}", "x" * 12, source="api", address="10.0.0.1")
    limited = refused(await service.sign_in("limin", PASSWORD, source="api", address="10.0.0.1"), "too_many_attempts")
    assert limited.retry_after is not None
    assert not isinstance(await service.sign_in("limin", PASSWORD, source="api", address="10.0.0.2"), Refused)


async def test_a_person_who_is_disabled_is_signed_out_at_once(rig: Rig, service: CounterService) -> None:
    outcome = await service.sign_in("limin", PASSWORD, source="api", address="10.0.0.1")
    assert not isinstance(outcome, Refused)
    assert isinstance(service.who(outcome.token), Staff)
    rig.staff.disable("limin")
    assert service.who(outcome.token) is None


async def test_a_token_is_worth_nothing_after_signing_out(rig: Rig, service: CounterService) -> None:
    outcome = await service.sign_in("limin", PASSWORD, source="api", address="10.0.0.1")
    assert not isinstance(outcome, Refused)
    await service.sign_out(outcome.token)
    assert service.who(outcome.token) is None
