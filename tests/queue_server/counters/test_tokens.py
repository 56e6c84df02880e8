"""Tokens: held as hashes, with an end."""

from datetime import UTC, datetime, timedelta

from queue_server.counters.tokens import Tokens

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_token_ends_at_its_time_and_not_before() -> None:
    now = NOON
    tokens = Tokens(timedelta(hours=1), lambda: now)
    token, expires_at = tokens.give("person-1")
    assert expires_at == NOON + timedelta(hours=1)
    now = expires_at - timedelta(seconds=1)
    assert tokens.holder(token) == "person-1"
    now = expires_at
    assert tokens.holder(token) is None


def test_no_token_can_be_read_back_from_memory() -> None:
    tokens = Tokens(timedelta(hours=1), lambda: NOON)
    token, _ = tokens.give("person-1")
    assert token not in repr(vars(tokens))


def test_another_token_of_the_same_person_survives_signing_out() -> None:
    tokens = Tokens(timedelta(hours=1), lambda: NOON)
    here, there = tokens.give("person-1")[0], tokens.give("person-1")[0]
    tokens.take_back(here)
    assert tokens.holder(here) is None
    assert tokens.holder(there) == "person-1"
