"""The stream of a display: snapshot first, no call lost, nothing older after something newer."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from queue_server.hall_port import BoardChanged, Called, FeedItem
from queue_server.web.display import DisplayStream, allowed_servers
from tests.queue_server.web.conftest import SETTINGS
from tests.queue_server.web.rig import Rig
from wire.messages import Board, Call


def parsed(event: bytes) -> tuple[str, dict[str, Any]]:
    lines = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    return lines["event"], json.loads(lines["data"])


class Reader:
    """Reads a stream in the background."""

    def __init__(self, stream: DisplayStream) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: DisplayStream) -> None:
        async for event in stream.events():
            self.events.append(parsed(event))

    def calls(self) -> list[str]:
        """Numbers that a display learns of: told by an event, or named by a board."""
        told = [data["call"]["number"] for name, data in self.events if name == "call"]
        return told + [
            call["number"] for name, data in self.events if "board" in data for call in data["board"]["calls"]
        ]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def call_next(rig: Rig, app: FastAPI, session: str) -> None:
    counters, staff = app.state.counters, rig.person("limin", "李敏")
    state = counters.state(session)
    seen = state.counter.version
    if state.counter.current is not None:
        seen = (await counters.no_show(staff, session, seen)).counter.version
    await counters.next(staff, session, seen)


async def opened(rig: Rig, app: FastAPI, counter: str = "counter-2") -> str:
    state = await app.state.counters.open_counter(rig.person("limin", "李敏"), counter)
    session: str = state.counter.session
    return session


async def test_the_first_event_is_a_whole_snapshot_and_marks_only_grow(rig: Rig, app: FastAPI) -> None:
    reader = Reader(DisplayStream(app.state.web, "east"))
    await rig.until(lambda: bool(reader.events))
    name, snapshot = reader.events[0]
    assert name == "snapshot"
    assert set(snapshot) >= {"epoch", "rev", "server_time", "version", "board"}
    assert [queue["prefix"] for queue in snapshot["board"]["queues"]] == ["A", "B", "H", "Z", "W"]
    session = await opened(rig, app)
    for _ in range(2):
        await rig.issue("social-card")
        await call_next(rig, app, session)
    await rig.until(lambda: len(set(reader.calls())) == 2)
    marks = [(data["epoch"], data["rev"]) for name, data in reader.events if name in ("snapshot", "board")]
    assert marks == sorted(set(marks))
    await reader.close()


async def test_a_call_names_where_its_first_reading_ends_and_its_recording_can_be_heard(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient
) -> None:
    reader = Reader(DisplayStream(app.state.web, "east"))
    await rig.until(lambda: bool(reader.events))
    taken = await rig.issue("social-card")
    await call_next(rig, app, await opened(rig, app))
    await rig.until(lambda: any(name == "call" for name, _ in reader.events))
    call = next(data["call"] for name, data in reader.events if name == "call")
    assert (call["number"], call["counter"]) == (taken.number, "2")
    answer = await client.get(f"/audio/{call['call_id']}.wav")
    with wave.open(io.BytesIO(answer.content)) as recording:
        seconds = recording.getnframes() / recording.getframerate()
    assert 0 < call["first_reading_s"] < seconds
    assert float(answer.headers["first-reading-seconds"]) == pytest.approx(call["first_reading_s"], abs=0.01)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (await client.get("/audio/unknown.wav")).status_code == 404
    await reader.close()


async def test_another_zones_calls_are_not_heard(rig: Rig, app: FastAPI) -> None:
    reader = Reader(DisplayStream(app.state.web, "west"))
    await rig.issue("social-card")
    await call_next(rig, app, await opened(rig, app))
    await rig.until(lambda: any(name == "beat" for name, _ in reader.events))
    assert reader.calls() == []
    await reader.close()


async def test_no_call_is_lost_to_a_display_that_joins_while_people_are_called(rig: Rig, app: FastAPI) -> None:
    session = await opened(rig, app)
    numbers = [(await rig.issue("social-card")).number for _ in range(8)]

    async def call_all() -> None:
        for _ in numbers:
            await call_next(rig, app, session)

    readers = []
    calling = asyncio.create_task(call_all())
    while not calling.done():
        readers.append(Reader(DisplayStream(app.state.web, "east")))
        await asyncio.sleep(0.02)
    await calling
    for reader in readers:
        await rig.until(lambda r=reader: set(r.calls()) == set(numbers))  # type: ignore[misc]
        assert reader.events[0][0] == "snapshot"
        await reader.close()


async def test_a_quiet_hall_still_beats(rig: Rig, app: FastAPI) -> None:
    reader = Reader(DisplayStream(app.state.web, "east"))
    await rig.until(lambda: [name for name, _ in reader.events].count("beat") >= 2)
    _, beat = next(event for event in reader.events if event[0] == "beat")
    assert set(beat) == {"epoch", "version", "server_time"}
    await reader.close()


class EarlyCall:
    """A port whose feed tells a call before the first board."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def projection(self) -> Any:
        return self._rig.port.projection()

    async def feed(self) -> AsyncIterator[FeedItem]:
        board = self._rig.port.boards()[0]
        yield Called(Call(call_id="early", number="A001", counter="2", text=""), "east", 1, 1, board.at)
        yield board
        await asyncio.Event().wait()


async def test_a_call_before_the_first_board_comes_after_the_snapshot(rig: Rig, app: FastAPI) -> None:
    from dataclasses import replace

    stream = DisplayStream(replace(app.state.web, port=EarlyCall(rig)), "east")
    async with aclosing(stream.events()) as events:  # type: ignore[type-var]
        assert parsed(await anext(events))[0] == "snapshot"
        name, data = parsed(await anext(events))
    assert (name, data["call"]["call_id"]) == ("call", "early")


class Deposed(EarlyCall):
    """A port that stops leading after its first board."""

    led = True

    def projection(self) -> Any:
        from dataclasses import replace

        return replace(super().projection(), leading=self.led)

    async def feed(self) -> AsyncIterator[FeedItem]:
        yield self._rig.port.boards()[0]
        self.led = False
        yield BoardChanged(Board(zone="east", hall_name={}, calls=(), queues=()), 1, 2, self._rig.port.boards()[0].at)


async def test_a_server_that_is_deposed_ends_its_streams(rig: Rig, app: FastAPI) -> None:
    from dataclasses import replace

    stream = DisplayStream(replace(app.state.web, port=Deposed(rig)), "east")
    assert [parsed(event)[0] async for event in stream.events()] == ["snapshot"]


async def test_a_display_counts_as_connected_for_as_long_as_its_stream_lives(rig: Rig, app: FastAPI) -> None:
    reader = Reader(DisplayStream(app.state.web, "east"))
    await rig.until(lambda: app.state.web.displays.of_zone("east") == 1)
    await reader.close()
    await rig.until(lambda: app.state.web.displays.connected == 0)


async def test_an_unknown_zone_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/display/nowhere")).status_code == 404
    assert (await client.get("/display/nowhere/events")).status_code == 404


async def test_the_page_allows_its_servers_and_no_others(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/display/east?speaker=1&dark=1")).headers["content-security-policy"]
    assert "connect-src 'self' http://hall.test http://other.test:8080" in policy
    assert "default-src 'none'" in policy


def test_a_link_cannot_make_a_display_show_another_sites_numbers() -> None:
    def chosen(asked: str) -> tuple[str, ...]:
        return allowed_servers(asked, SETTINGS, "hall.test")

    assert chosen("http://other.test:8080") == ("http://other.test:8080",)
    assert chosen("http://127.0.0.1:9000,http://other.test:8080") == ("http://127.0.0.1:9000", "http://other.test:8080")
    for evil in (
        "http://evil.test",
        "javascript:alert(1)",
        "http://hall.test@evil.test",
        "//evil.test",
        "http://hall.test/x",
    ):
        assert chosen(evil) == SETTINGS.display_servers
