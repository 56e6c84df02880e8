"""The technician's code: RFC 6238 values, each good once, locked after wrong ones."""

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from kiosk.one_time_code import Gate, check

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def code(at: datetime) -> str:
    return pyotp.TOTP(SECRET, digits=8).at(at)


@pytest.mark.parametrize(("at", "expected"), [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")])
def test_the_values_of_the_standard_open(at, expected):
    """RFC 6238, appendix B, SHA-1."""
    assert check(Gate(), expected, SECRET, datetime.fromtimestamp(at, UTC))[1]


def test_a_code_opens_once_and_no_older_one_after_it():
    gate, opened, _ = check(Gate(), code(NOW), SECRET, NOW)
    assert opened
    gate, opened, _ = check(gate, code(NOW), SECRET, NOW + timedelta(seconds=5))
    assert not opened
    _, opened, _ = check(gate, code(NOW - timedelta(seconds=30)), SECRET, NOW)
    assert not opened
    assert check(gate, code(NOW + timedelta(seconds=30)), SECRET, NOW + timedelta(seconds=30))[1]


def test_clocks_may_differ_by_one_step_and_not_by_two():
    assert check(Gate(), code(NOW + timedelta(seconds=30)), SECRET, NOW)[1]
    assert not check(Gate(), code(NOW - timedelta(seconds=90)), SECRET, NOW)[1]


def test_five_wrong_codes_lock_and_each_further_lock_is_longer():
    gate, now, locks = Gate(), NOW, []
    for _ in range(15):
        gate, opened, locked_for = check(gate, "00000000", SECRET, now)
        assert not opened
        if locked_for:
            locks.append(locked_for)
            assert not check(gate, code(now), SECRET, now)[1], "a right code does not open a locked door"
            now += timedelta(seconds=locked_for)
    assert locks == [60, 120, 240]
    assert check(gate, code(now), SECRET, now)[1]


def test_a_lock_outlives_a_restart_and_a_clock_set_back_does_not_make_it_endless():
    gate = Gate()
    for _ in range(5):
        gate, _, _ = check(gate, "00000000", SECRET, NOW)
    kept = Gate.from_json(gate.to_json())
    assert check(kept, code(NOW), SECRET, NOW)[2] == 60
    assert check(kept, code(NOW), SECRET, NOW - timedelta(days=400))[2] <= 3600


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"last_step": "x"}'])
def test_an_unreadable_gate_is_a_fresh_one(text):
    assert Gate.from_json(text) == Gate()
