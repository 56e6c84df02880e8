"""BER-TLV as bank cards use it (EMV 4.3 book 3, annex B): tags and lengths of several bytes, nesting. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CONSTRUCTED: Final = 0x20
_MORE_TAG_BYTES: Final = 0x1F
MAX_DEPTH: Final = 16


@dataclass(frozen=True, slots=True)
class Tlv:
    """One object. `tag` holds all tag bytes, `0x9F38` for instance. The value may be personal: not in the repr."""

    tag: int
    constructed: bool
    value: bytes

    def __repr__(self) -> str:
        return f"Tlv({self.tag:02X}, <{len(self.value)} bytes>)"


def parse(data: bytes) -> tuple[Tlv, ...] | None:
    """The objects that stand one after another; None when the bytes are no TLV. Padding 00 and FF is skipped."""
    found = []
    at = 0
    while at < len(data):
        if data[at] in (0x00, 0xFF):
            at += 1
            continue
        head = _tag(data, at)
        size = None if head is None else _length(data, head[1])
        if head is None or size is None or size[1] + size[0] > len(data):
            return None
        value = data[size[1] : size[1] + size[0]]
        found.append(Tlv(head[0], bool(data[at] & _CONSTRUCTED), value))
        at = size[1] + size[0]
    return tuple(found)


def find_all(data: bytes, tag: int, depth: int = 0) -> Iterator[bytes]:
    """The values of all objects with this tag, at any depth, in order."""
    if depth > MAX_DEPTH:
        return
    for item in parse(data) or ():
        if item.tag == tag:
            yield item.value
        elif item.constructed:
            yield from find_all(item.value, tag, depth + 1)


def find(data: bytes, tag: int) -> bytes | None:
    """The first of them."""
    return next(find_all(data, tag), None)


def tags_and_lengths(data: bytes) -> tuple[tuple[int, int], ...] | None:
    """A data object list (DOL): tags with lengths and without values; None when it is none."""
    found = []
    at = 0
    while at < len(data):
        head = _tag(data, at)
        if head is None or head[1] >= len(data):
            return None
        found.append((head[0], data[head[1]]))
        at = head[1] + 1
    return tuple(found)


def _tag(data: bytes, at: int) -> tuple[int, int] | None:
    """Tag and where it ends."""
    end = at + 1
    if data[at] & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        while end < len(data) and data[end] & 0x80:
            end += 1
        end += 1
        if end > len(data) or end - at > 4:
            return None
    return int.from_bytes(data[at:end]), end


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """Length and where the value begins."""
    if at >= len(data):
        return None
    if data[at] < 0x80:
        return data[at], at + 1
    count = data[at] & 0x7F
    if not 1 <= count <= 3 or at + 1 + count > len(data):
        return None
    return int.from_bytes(data[at + 1 : at + 1 + count]), at + 1 + count
