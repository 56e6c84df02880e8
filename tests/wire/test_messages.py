"""Messages: what is written is read back, what is read fits the contract, and nothing else comes through."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.wire import conformance
from tests.wire.payloads import JSON_TEXT, JSON_VALUE, as_bytes, messages_of
from tools import wire_examples
from wire.codec import MAX_BYTES, MAX_DEPTH, Malformed, decode, encode
from wire.messages import BODIES, Envelope, Issue, Message

KINDS = sorted(BODIES)
GOOD = wire_examples.payload("issue")
kinds = st.sampled_from(KINDS)


def reason(payload: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        decode(payload)
    return caught.value.reason


def read(payload: bytes) -> object:
    try:
        return decode(payload)
    except Malformed as malformed:
        return malformed.reason


def spliced(field: str, raw: str) -> bytes:
    """A good request with one more field in its body, as raw JSON text."""
    return GOOD.replace(b'"service"', f'"{field}":{raw},"service"'.encode(), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_back_as_it_was_written(kind: str) -> None:
    envelope, body = decode(wire_examples.payload(kind))
    assert body == wire_examples.EXAMPLES[kind]
    assert (envelope.kind, envelope.id, envelope.at) == (kind, wire_examples.REQUEST, wire_examples.AT)


@given(st.data(), kinds)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=150)
def test_whatever_the_contract_allows_is_read_and_passed_on_unchanged(data: st.DataObject, kind: str) -> None:
    message = data.draw(messages_of(kind))
    payload = as_bytes(message)
    assume(len(payload) <= MAX_BYTES)
    envelope, body = decode(payload)
    assert body is not None
    again = encode(body, message_id=envelope.id, at=envelope.at, epoch=envelope.epoch, rev=envelope.rev)
    envelope_again, body_again = decode(again)
    assert body_again == body
    assert (envelope_again.id, envelope_again.at, envelope_again.epoch) == (envelope.id, envelope.at, envelope.epoch)
    unknown = {name: value for name, value in message["body"].items() if name.startswith("x_")}
    kept = json.loads(again)["body"]
    assert {name: kept[name] for name in unknown} == unknown


@given(st.data(), kinds)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=200)
def test_whatever_is_read_fits_the_contract(data: st.DataObject, kind: str) -> None:
    """A message with one part replaced by something else is refused, or still allowed by the published schema."""
    message = data.draw(messages_of(kind))
    place: Any = data.draw(st.sampled_from([message, message["body"]]))
    assume(place)
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON_VALUE)
    try:
        envelope, body = decode(as_bytes(message))
    except Malformed:
        return
    if body is not None:
        schema = conformance.document()["components"]["schemas"][type(body).__name__]
        assert set(schema.get("required", ())) <= set(message["body"])
        loose = {**message, "id": wire_examples.REQUEST}
        assert not list(conformance.validator(envelope.kind).iter_errors(loose))


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_nearly_the_right_type_is_not_taken_for_it(kind: str) -> None:
    for place in ("envelope", "body"):
        for name in json.loads(wire_examples.payload(kind))["body"] if place == "body" else ("at", "epoch", "rev"):
            message = json.loads(wire_examples.payload(kind))
            parts = message[place] if place == "body" else message
            old = parts.get(name)
            for near in (str(old), str(old).lower(), [old], {"0": old}, "1", "yes", "true", 1, 0, 1.5, True, None):
                parts[name] = near
                try:
                    _, body = decode(as_bytes(message))
                except Malformed:
                    continue
                assert body is not None
                assert not list(conformance.validator(kind).iter_errors(message)), (name, near)


@given(JSON_VALUE)
def test_how_a_message_is_spaced_makes_no_difference(value: object) -> None:
    tight = spliced("x", json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    loose = spliced("x", json.dumps(value, indent=1))
    assert read(tight) == read(loose)


@given(st.binary(max_size=200))
def test_random_bytes_are_malformed_and_nothing_worse(payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode(payload)


@given(st.data())
def test_a_good_message_with_any_byte_changed_is_read_or_malformed_and_nothing_worse(data: st.DataObject) -> None:
    payload = bytearray(wire_examples.payload(data.draw(kinds)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        envelope, body = decode(bytes(payload))
    except Malformed:
        return
    envelope.model_dump_json()
    if body is not None:
        encode(body, message_id=envelope.id, at=envelope.at)


@given(JSON_VALUE)
def test_json_that_is_no_envelope_is_malformed(value: object) -> None:
    assert reason(as_bytes(value)) in {"bad_envelope", "bad_body", "too_deep"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "bad_json"),
        (b"{", "bad_json"),
        (b"[1]", "bad_envelope"),
        (b"null", "bad_envelope"),
        (b"\xff\xfe{}", "bad_text"),
        (b"\xef\xbb\xbf" + GOOD, "bad_json"),
        (GOOD.decode().encode("utf-16"), "bad_text"),
        (GOOD.decode().encode("utf-16-le"), "bad_json"),
        (GOOD + GOOD, "bad_json"),
        (GOOD + b"x", "bad_json"),
        (GOOD + b" " * MAX_BYTES, "too_large"),
        (b"[" * 60_000, "too_deep"),
        (b'{"a":' * 9_000, "too_deep"),
        (spliced("x", "[" * 11 + "]" * 11), "too_deep"),
        (spliced("x", "NaN"), "bad_json"),
        (spliced("x", "-Infinity"), "bad_json"),
        (spliced("x", "1e999"), "bad_json"),
        (spliced("x", "9" * 5000), "bad_json"),
        (spliced("x", '1,"x":2'), "bad_json"),
        (spliced("x", '{"a":1,"a":1}'), "bad_json"),
        (GOOD.replace(b"}}", b'},"kind":"issue"}'), "bad_json"),
        (spliced("x", r'"\ud800"'), "bad_text"),
        (spliced("x", r'{"\uDFFF":1}'), "bad_text"),
        (spliced("x", '"\x00"'), "bad_json"),
        (GOOD.replace(b'"at"', b'"when"'), "bad_envelope"),
        (GOOD.replace(b'"issue"', b'"Issue"'), "bad_envelope"),
        (GOOD.replace(b'"2026-03-02T01:30:00Z"', b"1772415000"), "bad_envelope"),
        (GOOD.replace(b"01:30:00Z", b"01:30:00"), "bad_envelope"),
        (GOOD.replace(b"2026-", b"0001-").replace(b":00Z", b":00+23:59"), "bad_envelope"),
        (GOOD.replace(b"social-insurance-card", b"../../etc"), "bad_body"),
        (GOOD.replace(b"social-insurance-card", b"a" * 65), "bad_body"),
        (GOOD.replace(b'"zh"', b'"fr"'), "bad_body"),
    ],
)
def test_each_hostile_payload_has_its_named_reason(payload: bytes, expected: str) -> None:
    assert reason(payload) == expected


@pytest.mark.parametrize("number", [-1, 2**53, 10**400])
def test_an_epoch_that_other_programs_could_not_keep_exactly_is_refused(number: int) -> None:
    payload = GOOD.replace(b'"body"', b'"epoch":%s,"body"' % str(number).encode())
    assert reason(payload) == "bad_envelope"


def test_a_bad_body_tells_which_request_it_was() -> None:
    with pytest.raises(Malformed) as caught:
        decode(GOOD.replace(b'"zh"', b'"fr"'))
    assert caught.value.envelope is not None
    assert caught.value.envelope.id == wire_examples.REQUEST


def test_the_reason_never_holds_what_was_sent() -> None:
    for payload in (GOOD.replace(b'"zh"', b'"secret-7"'), b'{"secret-7"', b'{"kind":"secret-7"}'):
        with pytest.raises(Malformed) as caught:
            decode(payload)
        assert "secret-7" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_an_unknown_kind_is_read_as_far_as_its_envelope() -> None:
    envelope, body = decode(GOOD.replace(b'"issue"', b'"appointment"', 1))
    assert (envelope.kind, body) == ("appointment", None)


def test_a_whole_pair_of_surrogates_is_one_character() -> None:
    _, body = decode(spliced("x", r'"\ud83d\ude00"'))
    assert body is not None
    assert body.model_dump()["x"] == "😀"


@given(st.integers(1, 40), JSON_TEXT)
def test_depth_is_that_of_the_structure_whatever_stands_in_strings(depth: int, text: str) -> None:
    brackets = json.dumps('[{"' * 20 + text + "\\")
    nested = "[" * depth + brackets + "]" * depth
    payload = spliced("x", nested)
    if depth + 2 > MAX_DEPTH:
        assert reason(payload) == "too_deep"
    else:
        assert decode(payload)[1] is not None


@pytest.mark.parametrize(
    "evil", [b'"' + b'\\"' * 32_000, b'"\\' * 20_000, b'{"":"' * 10_000, b"]" * 60_000, b'["' * 30_000]
)
def test_no_payload_makes_the_reader_work_more_than_in_proportion(evil: bytes) -> None:
    """Would take minutes, and fail by the suite's time-out, if any step went over the rest again for each character."""
    for _ in range(20):
        assert reason(evil) in {"bad_json", "too_deep"}


@given(JSON_TEXT.filter(bool))
def test_a_message_cannot_be_changed_once_made(screen: str) -> None:
    message: Message = Issue(service="a")
    with pytest.raises(ValueError, match="frozen"):
        message.service = screen  # type: ignore[attr-defined]


def test_an_instant_is_written_in_utc() -> None:
    at = datetime.fromisoformat("2026-03-02T09:30:00+08:00")
    written = json.loads(encode(Issue(service="a"), message_id="x", at=at.astimezone(UTC)))
    assert written["at"] == "2026-03-02T01:30:00Z"
    assert Envelope.model_validate_json(json.dumps(written)).at == at
