"""The broker dies and comes back with an empty data directory: what is retained comes back, tickets go on."""

from pathlib import Path

from tests.faults.machines import HALL, Kiosk, ServerProcess, Watcher, issued, lay_out
from tests.wire.seats import until
from wire import messages, topics


async def test_f7_a_broker_that_forgot_everything_is_taught_again(tmp_path: Path) -> None:
    site = lay_out(tmp_path, ["k1"])
    with site.broker, ServerProcess(site) as server:
        k1, display = Kiosk(site, "k1"), Watcher(site)
        await server.leads(1)
        await k1.ask(messages.Issue(service="social-card"))
        wanted = (topics.board(HALL, "east"), topics.board(HALL, "west"), topics.services(HALL))
        presence = topics.server_presence("server-1")
        await until(lambda: set(wanted) <= display.seen.keys() and leads(display, presence))

        site.broker.kill()
        site.broker.forget()
        await until(lambda: not display.link.connected)
        display.seen.clear()
        site.broker.start()

        await until(lambda: set(wanted) <= display.seen.keys() and leads(display, presence), patience_s=40)
        assert (await k1.ask(messages.Issue(service="social-card"))).number == "A002"
        await until(lambda: waiting(display) == 2)
        await k1.leave()
        await display.leave()
        assert await server.end() == 0
    assert [event.number for event in issued(site)] == ["A001", "A002"]


def leads(display: Watcher, presence: str) -> bool:
    body = display.body(presence)
    return body is not None and body.state == "online" and HALL in body.leads


def waiting(display: Watcher) -> int:
    services = display.body(topics.services(HALL)).services
    return next(service.waiting for service in services if service.service == "social-card")


async def test_a_server_that_was_killed_is_reported_offline_by_its_will(tmp_path: Path) -> None:
    site = lay_out(tmp_path, [])
    presence = topics.server_presence("server-1")
    with site.broker, ServerProcess(site) as server:
        display = Watcher(site)
        await until(lambda: leads(display, presence), patience_s=60)
        server.kill()
        await until(lambda: display.body(presence).state == "offline", patience_s=40)
        server.start()
        await until(lambda: leads(display, presence), patience_s=60)
        await display.leave()
        assert await server.end() == 0
