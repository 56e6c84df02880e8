"""The guard at the door: what a program gets to see, what is dropped, and what is answered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tools import wire_examples
from wire import topics
from wire.codec import MAX_BYTES
from wire.contract import CHANNELS
from wire.inbox import LOGGED_EACH, Inbox, Received, Rejected
from wire.link import Incoming
from wire.messages import BODIES
from wire.topics import ADDRESSES, Family, Topic

REQUEST = topics.request("h1", "t1")
ISSUE = wire_examples.payload("issue")
EVERY_FAMILY = tuple(ADDRESSES)


class Program:
    """Everything behind a guard, written down."""

    def __init__(self, families: tuple[Family, ...] = EVERY_FAMILY, **own: object) -> None:
        self.received: list[Received] = []
        self.rejected: list[Rejected] = []
        self.inbox = Inbox(families, self._take, self._answer, **own)  # type: ignore[arg-type]

    async def _take(self, received: Received) -> None:
        self.received.append(received)

    async def _answer(self, rejected: Rejected) -> None:
        self.rejected.append(rejected)

    async def gets(
        self, topic: str, payload: bytes, *, retained: bool = False, correlation: bytes | None = None
    ) -> dict[str, int]:
        """What one message adds to the counts."""
        before = self.inbox.counts.copy()
        await self.inbox(Incoming(topic, payload, retained, correlation))
        return dict(self.inbox.counts - before)


def address(family: Family) -> str:
    return ADDRESSES[family].format(hall="h1", device="t1", zone="z1", server="s1")


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("kind", sorted(BODIES))
async def test_a_kind_passes_on_its_own_topics_only(family: Family, kind: str) -> None:
    program = Program()
    counted = await program.gets(address(family), wire_examples.payload(kind), retained=CHANNELS[family].retained)
    if kind in CHANNELS[family].kinds:
        assert counted == {"accepted": 1}
        assert program.received[0].body == wire_examples.EXAMPLES[kind]
    else:
        assert counted == {"wrong_kind": 1}
        assert not program.received


async def test_a_request_with_its_own_correlation_passes() -> None:
    program = Program()
    correlation = wire_examples.REQUEST.encode()
    assert await program.gets(REQUEST, ISSUE, correlation=correlation) == {"accepted": 1}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (ISSUE.replace(b'"issue"', b'"appointment"', 1), "unknown_kind"),
        (wire_examples.payload("board"), "wrong_kind"),
        (ISSUE.replace(b'"zh"', b'"fr"'), "bad_body"),
        (ISSUE.replace(wire_examples.REQUEST.encode(), b"seven"), "bad_request_id"),
    ],
)
async def test_what_asks_and_can_be_read_is_answered_with_a_refusal(payload: bytes, reason: str) -> None:
    program = Program()
    assert await program.gets(REQUEST, payload) == {reason: 1}
    assert not program.received
    assert program.rejected == [Rejected(Topic("request", "h1", "t1"), json.loads(payload)["id"], reason)]


async def test_what_does_not_ask_is_not_answered() -> None:
    program = Program()
    assert await program.gets(topics.reported("t1"), wire_examples.payload("presence")) == {"wrong_kind": 1}
    assert not program.rejected


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"not json", "bad_json"),
        (b"\xff", "bad_text"),
        (b"[" * 50, "too_deep"),
        (b" " * (MAX_BYTES + 1), "too_large"),
        (b"{}", "bad_envelope"),
        (b"", "bad_json"),
    ],
)
async def test_what_cannot_be_read_is_counted_and_not_answered(payload: bytes, reason: str) -> None:
    program = Program()
    assert await program.gets(REQUEST, payload) == {reason: 1}
    assert not program.received
    assert not program.rejected


async def test_an_old_command_that_a_broker_kept_is_not_obeyed() -> None:
    program = Program()
    for family in ("request", "journal", "answer", "order", "call"):
        kind = sorted(CHANNELS[family].kinds)[0]
        assert await program.gets(address(family), wire_examples.payload(kind), retained=True) == {
            "retained_command": 1
        }
    assert not program.received
    assert not program.rejected


async def test_deleted_truth_is_counted_and_is_no_fault() -> None:
    program = Program()
    with capture_logs() as logged:
        assert await program.gets(topics.board("h1", "z1"), b"") == {"cleared": 1}
    assert not logged


async def test_correlation_that_names_another_request_is_refused() -> None:
    program = Program()
    assert await program.gets(REQUEST, ISSUE, correlation=b"5f0c9a17b2e4d863-8") == {"bad_correlation": 1}
    assert program.rejected[0].message_id == wire_examples.REQUEST


@pytest.mark.parametrize(
    "topic", ["estation/1/hall/h1", "estation/2/device/t1/order", "x", "", "estation/1/device/T1/order"]
)
async def test_a_topic_that_is_not_of_the_tree_is_dropped(topic: str) -> None:
    assert await Program().gets(topic, ISSUE) == {"bad_topic": 1}


async def test_only_what_was_asked_for_and_is_ones_own_passes() -> None:
    terminal = Program(("answer", "order", "services", "server_presence"), device="t1", halls=("h1",))
    answer, services = wire_examples.payload("refused"), wire_examples.payload("services")
    assert await terminal.gets(topics.answer("t1"), answer) == {"accepted": 1}
    assert await terminal.gets(topics.answer("t2"), answer) == {"unexpected_topic": 1}
    assert await terminal.gets(topics.services("h1"), services) == {"accepted": 1}
    assert await terminal.gets(topics.services("h2"), services) == {"unexpected_topic": 1}
    assert await terminal.gets(topics.desired("t1"), wire_examples.payload("desired")) == {"unexpected_topic": 1}
    presence = wire_examples.payload("server_presence")
    assert await terminal.gets(topics.server_presence("s9"), presence) == {"accepted": 1}


async def test_the_log_names_the_reason_and_the_device_and_never_the_content() -> None:
    program = Program()
    with capture_logs() as logged:
        await program.gets(REQUEST, ISSUE.replace(b'"zh"', b'"secret-7"'))
    (entry,) = logged
    assert (entry["reason"], entry["device"], entry["log_level"]) == ("bad_body", "t1", "warning")
    assert "secret-7" not in repr(entry)


async def test_a_flood_does_not_fill_the_log_but_is_counted_whole() -> None:
    program = Program()
    with capture_logs() as logged:
        for _ in range(5000):
            await program.gets(REQUEST, b"x")
    assert program.inbox.counts["bad_json"] == 5000
    assert LOGGED_EACH < len(logged) < 2 * LOGGED_EACH


@given(
    st.sampled_from(EVERY_FAMILY), st.binary(max_size=60) | st.sampled_from([wire_examples.payload(k) for k in BODIES])
)
async def test_whatever_comes_is_taken_or_counted_and_nothing_is_raised(family: Family, payload: bytes) -> None:
    program = Program()
    counted = await program.gets(address(family), payload)
    assert sum(counted.values()) == 1
    assert len(program.received) == counted.get("accepted", 0)
