"""Keys, webhooks and deliveries on both engines: what is written is read back, delivered once, and never lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_server.ledger import AppendBatch, Database, NewEvent, Notice, SqliteDatabase, SqlLedger
from queue_server.ledger.channels import (
    DEAD,
    DELIVERED,
    ApiKeyRow,
    ChannelRegisters,
    DeliveryRow,
    WebhookCounts,
    WebhookRow,
)

HALL = "hall-1"
AT = [f"2026-03-02T01:0{n}:00.000000+00:00" for n in range(10)]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened: Database = SqliteDatabase(tmp_path / "ledger.db", reserve_bytes=0)
    else:
        opened = request.getfixturevalue("postgres").open()
    with opened:
        yield opened


def hook(id_: str, channel: str = "app", kinds: str = "called near") -> WebhookRow:
    return WebhookRow(id_, HALL, channel, "https://app.example/hook", "whsec_x", kinds, AT[0])


def append(database: Database, *told: tuple[str, str]) -> None:
    """Events of one turn, each with a notice: channel and kind."""
    ledger = SqlLedger(database)
    seq = ledger.head(HALL).seq
    epoch = ledger.acquire(HALL, "server-1", 15).epoch
    events = tuple(NewEvent(AT[0], '{"id":"s"}', "{}", "noted", f'{{"n":{n}}}') for n in range(len(told)))
    notices = tuple(
        Notice(f"{HALL}-{seq + n}", HALL, seq + n, channel, kind, AT[n % 10], f'{{"n":{n}}}')
        for n, (channel, kind) in enumerate(told, start=1)
    )
    ledger.append(AppendBatch(HALL, epoch, seq, events, notices=notices))


def test_a_notice_is_spread_once_to_the_hooks_of_its_channel_that_want_its_kind(database: Database) -> None:
    registers = ChannelRegisters(database)
    for row in (hook("all"), hook("calls", kinds="called"), hook("other", "hotline")):
        registers.add_webhook(row)
    append(database, ("app", "called"), ("app", "near"), ("hotline", "called"), ("app", "no_show"))
    assert (registers.spread(HALL), registers.spread(HALL)) == (4, 0)
    due = {name: [notice.seq for _, notice in registers.due(name, AT[9], 10)] for name in ("all", "calls", "other")}
    assert due == {"all": [1, 2], "calls": [1], "other": [3]}
    delivery, notice = registers.due("all", AT[9], 1)[0]
    assert (delivery.attempts, notice.body, notice.id) == (0, '{"n":1}', f"{HALL}-1")
    assert registers.next_due(["all", "calls"]) == AT[1]


def test_what_is_settled_is_not_due_and_what_failed_is_due_later(database: Database) -> None:
    registers = ChannelRegisters(database)
    registers.add_webhook(hook("all"))
    append(database, ("app", "called"), ("app", "called"), ("app", "called"))
    registers.spread(HALL)
    first, second, third = (delivery for delivery, _ in registers.due("all", AT[9], 10))
    registers.settle(
        [
            DeliveryRow(first.webhook, first.notice, DELIVERED, 1, first.next_at),
            DeliveryRow(second.webhook, second.notice, "pending", 1, AT[8], "http_500"),
            DeliveryRow(third.webhook, third.notice, DEAD, 9, third.next_at, "http_410"),
        ]
    )
    assert registers.due("all", AT[7], 10) == []
    assert [delivery.notice for delivery, _ in registers.due("all", AT[8], 10)] == [second.notice]
    assert registers.counts("all") == WebhookCounts(pending=1, delivered=1, dead=1)
    assert registers.retry_dead("all", AT[9]) == 1
    assert {delivery.notice for delivery, _ in registers.due("all", AT[9], 10)} == {second.notice, third.notice}
    assert registers.forget_notices(HALL, "2027") == 1


def test_a_webhook_that_ended_gets_nothing_more(database: Database) -> None:
    registers = ChannelRegisters(database)
    registers.add_webhook(hook("all"))
    append(database, ("app", "called"))
    registers.spread(HALL)
    assert registers.end_webhook(HALL, "all", AT[1])
    assert not registers.end_webhook(HALL, "all", AT[1])
    assert registers.due("all", AT[9], 10) == []
    append(database, ("app", "called"))
    assert registers.spread(HALL) == 1
    assert (registers.due("all", AT[9], 10), registers.webhooks(HALL)) == ([], [])


def test_a_notice_that_was_not_committed_does_not_exist(database: Database) -> None:
    ledger = SqlLedger(database)
    epoch = ledger.acquire(HALL, "server-1", 15).epoch
    notice = Notice(f"{HALL}-1", HALL, 1, "app", "called", AT[0], "{}")
    with pytest.raises(Exception, match="ledger stands at"):
        ledger.append(AppendBatch(HALL, epoch, 7, (NewEvent(AT[0], "{}", "{}", "noted", "{}"),), notices=(notice,)))
    assert ChannelRegisters(database).spread(HALL) == 0


def test_keys_are_kept_and_revoked_once(database: Database) -> None:
    registers = ChannelRegisters(database)
    row = ApiKeyRow("k1", HALL, "app", "city app", "ab" * 32, "slots:read", AT[0])
    registers.add_api_key(row)
    assert registers.api_keys(HALL) == [row]
    assert registers.api_keys("another") == []
    assert not registers.revoke_api_key("another", "k1", AT[1])
    assert registers.revoke_api_key(HALL, "k1", AT[1])
    assert not registers.revoke_api_key(HALL, "k1", AT[2])
    assert registers.api_keys(HALL)[0].revoked_at == AT[1]
    assert "ab" not in repr(row)
