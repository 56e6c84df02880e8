"""Payloads: a message to bytes and back, and the limits that every reader applies before a parser recurses."""

import json
import math
import re
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError, create_model
from pydantic_core import from_json, to_json

from wire.messages import BODIES, Envelope, Message, kind_of

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12

_WHOLE: dict[str, type[Envelope]] = {
    kind: create_model(kind, __base__=Envelope, body=(model, ...)) for kind, model in BODIES.items()
}
"""Envelope and body in one, so that a message is read once."""


class Malformed(Exception):
    """A payload that is no message: `reason` is a short word for counters and logs, never the content.

    `envelope` is there where it could be read, so that a request with a bad body can be answered.
    """

    def __init__(self, reason: str, envelope: Envelope | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.envelope = envelope


class Vouched(NamedTuple):
    """A body without its model, for the answer that is made for every number: its maker vouches for all its fields.

    To build the model and to check it takes a tenth of a ticket's time; who reads the answer checks it.
    """

    kind: str
    fields: dict[str, object]


def encode(
    body: Message | Vouched,
    *,
    message_id: str,
    at: datetime,
    epoch: int | None = None,
    rev: int | None = None,
) -> bytes:
    """The payload of `body`; `message_id` is the request id for requests, facts and their answers.

    Raises `ValueError` for an instant without time zone.
    """
    if at.tzinfo is None:
        raise ValueError("at must be an aware datetime")
    kind, content = body if isinstance(body, Vouched) else (kind_of(body), body)
    envelope: dict[str, Any] = {"kind": kind, "id": message_id, "at": at}
    if epoch is not None:
        envelope["epoch"] = epoch
    if rev is not None:
        envelope["rev"] = rev
    envelope["body"] = content
    return to_json(envelope)


def decode(payload: bytes) -> tuple[Envelope, Message | None]:
    """The envelope and its checked body (None where the kind is unknown to this program).

    Raises `Malformed`: too_large, too_deep, bad_text, bad_json, bad_envelope, bad_body (this one with the envelope).
    """
    if len(payload) > MAX_BYTES:
        raise Malformed("too_large")
    if _deeper_than(MAX_DEPTH, payload):
        raise Malformed("too_deep")
    raw = _parse(payload)
    kind = raw.get("kind") if isinstance(raw, dict) else None
    whole = _WHOLE.get(kind) if isinstance(kind, str) else None
    if whole is not None:
        with suppress(ValidationError):
            message = whole.model_validate_json(payload, strict=True)
            return message, message.body
    try:
        envelope = Envelope.model_validate_json(payload, strict=True)
    except ValidationError:
        raise Malformed("bad_envelope") from None
    if whole is not None:
        raise Malformed("bad_body", envelope)
    return envelope, None


def _parse(payload: bytes) -> Any:
    """JSON as RFC 8259 has it and no more: UTF-8, finite numbers, no key twice, no half of a surrogate pair.

    What comes out as it went in, as our own messages do, hides none of these; only the rest is looked at closely.
    """
    try:
        raw = from_json(payload, allow_inf_nan=False)
        if to_json(raw) == payload:
            return raw
    except ValueError:
        pass
    return _parse_closely(payload)


def _parse_closely(payload: bytes) -> Any:
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("bad_text") from None
    try:
        raw = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique)
        if _SURROGATE_ESCAPE.search(payload):
            json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Malformed("bad_text") from None
    except (ValueError, RecursionError):
        raise Malformed("bad_json") from None
    return raw


_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def _deeper_than(limit: int, payload: bytes) -> bool:
    """True if brackets outside strings nest deeper than `limit`; found before any parser recurses."""
    if payload.count(b"[") + payload.count(b"{") <= limit:
        return False
    depth = 0
    for byte in _STRING.sub(b"", payload).translate(None, _NO_BRACKET):
        depth += 1 if byte in b"[{" else -1
        if depth > limit:
            return True
    return False


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number too large")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
