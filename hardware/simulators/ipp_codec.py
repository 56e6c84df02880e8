"""IPP messages as a printer reads and writes them (RFC 8010), for the simulated printer only; never raises on bytes."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

OPERATION, JOB, PRINTER = 0x01, 0x02, 0x04
_END: Final = 0x03
INTEGER, BOOLEAN, ENUM, RANGE = 0x21, 0x22, 0x23, 0x33
NO_VALUE, TEXT, NAME, KEYWORD, URI, CHARSET, LANGUAGE, OCTETS, MIME = (
    0x13, 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x30, 0x49,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A request. Attributes of all groups in one table, as text or numbers; `data` is what follows them."""

    operation: int
    request_id: int
    attributes: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""


def read(raw: bytes) -> Message | None:
    """A request out of its bytes; None when they are none."""
    if len(raw) < 9:
        return None
    operation, request_id = struct.unpack_from(">HI", raw, 2)
    attributes: dict[str, Any] = {}
    at, last = 8, ""
    while at < len(raw):
        tag = raw[at]
        at += 1
        if tag == _END:
            return Message(operation, request_id, attributes, raw[at:])
        if tag <= 0x0F:
            continue
        name, at = _counted(raw, at)
        value, at = _counted(raw, at)
        if value is None or name is None:
            return None
        last = name.decode("utf-8", "replace") or last
        _add(attributes, last, _decoded(tag, value), again=not name)
    return None


def write(status: int, request_id: int, groups: Iterable[tuple[int, Iterable[tuple[int, str, Any]]]]) -> bytes:
    """An answer: groups of (value tag, name, value or list of values)."""
    out = bytearray(struct.pack(">BBHI", 2, 0, status, request_id))
    standard = [(CHARSET, "attributes-charset", "utf-8"), (LANGUAGE, "attributes-natural-language", "en")]
    for tag, attributes in [(OPERATION, standard), *groups]:
        out.append(tag)
        for value_tag, name, value in attributes:
            out += _attribute(value_tag, name, value)
    out.append(_END)
    return bytes(out)


def _attribute(tag: int, name: str, value: Any) -> bytes:
    values = value if isinstance(value, list) else [value]
    out = bytearray()
    for at, one in enumerate(values):
        label = name.encode() if at == 0 else b""
        body = _encoded(tag, one)
        out += bytes((tag,)) + struct.pack(">H", len(label)) + label + struct.pack(">H", len(body)) + body
    return bytes(out)


def _encoded(tag: int, value: Any) -> bytes:
    if tag in {INTEGER, ENUM}:
        return struct.pack(">i", value)
    if tag == BOOLEAN:
        return bytes((bool(value),))
    return b"" if tag == NO_VALUE else str(value).encode()


def _decoded(tag: int, value: bytes) -> Any:
    if tag in {INTEGER, ENUM} and len(value) == 4:
        return struct.unpack(">i", value)[0]
    if tag == BOOLEAN:
        return value not in {b"", b"\x00"}
    return value.decode("utf-8", "replace")


def _counted(raw: bytes, at: int) -> tuple[bytes | None, int]:
    if at + 2 > len(raw):
        return None, len(raw)
    size = int.from_bytes(raw[at : at + 2], "big")
    end = at + 2 + size
    return (raw[at + 2 : end], end) if end <= len(raw) else (None, len(raw))


def _add(attributes: dict[str, Any], name: str, value: Any, *, again: bool) -> None:
    if not again or name not in attributes:
        attributes[name] = value
    elif isinstance(attributes[name], list):
        attributes[name].append(value)
    else:
        attributes[name] = [attributes[name], value]
