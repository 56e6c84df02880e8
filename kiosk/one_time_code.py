"""The technician's one-time code: RFC 6238, 8 digits every 30 s, each code good once, locked after wrong ones."""

import hmac
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import pyotp

STEP_S = 30
DIGITS = 8
DRIFT_STEPS = 1
"""Codes of so many steps before and after now are taken: clocks of terminal and technician differ."""
FAILURES_TO_LOCK = 5
FIRST_LOCK_S = 60.0
LONGEST_LOCK_S = 3600.0


@dataclass(frozen=True)
class Gate:
    """What must outlive a restart: the last step used, wrong codes in a row, and until when no code is taken
    (seconds of the UTC epoch)."""

    last_step: int = -1
    failures: int = 0
    locked_until: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> "Gate":
        """The gate as kept; a fresh one where nothing, or nothing readable, was kept."""
        try:
            kept = json.loads(text or "{}")
            return cls(int(kept["last_step"]), int(kept["failures"]), float(kept["locked_until"]))
        except (ValueError, KeyError, TypeError):
            return cls()


def check(gate: Gate, code: str, secret: str, now: datetime) -> tuple[Gate, bool, float]:
    """The gate afterwards, whether the code opens it, and for how many seconds no code is taken.

    `secret` is base32. While locked no code is compared at all. After every fifth wrong code in a row the lock doubles.
    """
    at = now.timestamp()
    locked_for = min(gate.locked_until - at, LONGEST_LOCK_S)
    if locked_for > 0:
        return gate, False, locked_for
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
    step = int(at // STEP_S)
    for candidate in range(max(step - DRIFT_STEPS, gate.last_step + 1, 0), step + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(candidate), code):
            return Gate(last_step=candidate), True, 0.0
    failures = gate.failures + 1
    if failures % FAILURES_TO_LOCK:
        return replace(gate, failures=failures), False, 0.0
    lock = min(FIRST_LOCK_S * 2.0 ** min(failures // FAILURES_TO_LOCK - 1, 16), LONGEST_LOCK_S)
    return replace(gate, failures=failures, locked_until=at + lock), False, lock
