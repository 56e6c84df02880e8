"""Bank cards (EMV / PBOC): finding the card's number, of which only the masked form ever leaves this file.

The number (tag 5A, or the first part of tag 57) is masked as soon as its digits are seen: first six and last four, as
PCI DSS allows to be shown. The rest of track 2 is never decoded. Sources: EMV 4.3 books 1 and 3,
https://blog.csdn.net/rzq_123/article/details/100887443, http://t.zoukankan.com/gcczhongduan-p-6684546.html.
"""

from collections.abc import Iterator
from typing import Final

from hardware.errors import CardUnreadable, CardWiped
from hardware.smart_card.apdu import SW_NONE, Chip, Response, exchange, select, with_le
from hardware.smart_card.tlv import find, find_all, tags_and_lengths

PPSE: Final = b"2PAY.SYS.DDF01"
PSE: Final = b"1PAY.SYS.DDF01"
KNOWN_AIDS: Final = tuple(
    bytes.fromhex(aid) for aid in ("A000000333010101", "A000000333010102", "A000000333010103", "A000000333010106")
)
"""UnionPay debit, credit, quasi-credit, electronic cash: tried on a card that has no directory."""
MAX_RECORDS: Final = 30
MAX_APPLICATIONS: Final = 8

_TERMINAL_DATA: Final = {
    0x9F66: bytes.fromhex("26000000"),  # contactless terminal: qPBOC and contact chip, no cryptogram wanted
    0x9F1A: bytes.fromhex("0156"),  # country: China
    0x5F2A: bytes.fromhex("0156"),  # currency: renminbi
}
"""What a card may want to know of the terminal; everything else is given as zeros: no payment is made."""


class BankCard:
    """A bank card as read: its masked number and nothing else. `wipe` is idempotent; wiped, it raises `CardWiped`."""

    __slots__ = ("_masked_number", "_wiped")

    def __init__(self, masked_number: bytes) -> None:
        self._masked_number = bytearray(masked_number)
        self._wiped = False

    def __repr__(self) -> str:
        return "BankCard(wiped)" if self._wiped else "BankCard(…)"

    def __reduce__(self) -> str:
        raise TypeError("a card is neither pickled nor copied")

    @property
    def wiped(self) -> bool:
        return self._wiped

    def wipe(self) -> None:
        """Overwrite the masked number."""
        self._masked_number[:] = bytes(len(self._masked_number))
        self._wiped = True

    @property
    def masked_number(self) -> str:
        """`621234*********1234`."""
        if self._wiped:
            raise CardWiped("the card's data has been wiped")
        return self._masked_number.decode("ascii")


def read_bank_card(chip: Chip) -> BankCard | None:
    """Read a card; None when it has no payment application. Raises `CardUnreadable` and what the chip raises."""
    selected = False
    for aid in _applications(chip):
        fci = exchange(chip, select(aid))
        if fci.sw == SW_NONE:
            raise CardUnreadable("no status word")
        if not fci.ok:
            continue
        selected = True
        for record in _records(chip, fci.data):
            masked = _masked_number(record)
            if masked is not None:
                return BankCard(masked)
    if selected:
        raise CardUnreadable("a payment application without a number")
    return None


def _applications(chip: Chip) -> Iterator[bytes]:
    """Names of the applications to try: of the contactless directory, of the contact one, or the known ones."""
    ppse = _answer(chip, select(PPSE))
    named = list(find_all(ppse.data, 0x4F)) if ppse.ok else []
    if not named:
        pse = _answer(chip, select(PSE))
        sfi = find(pse.data, 0x88) if pse.ok else None
        if sfi is not None and len(sfi) == 1 and 1 <= sfi[0] <= 30:
            named = [aid for record in _file(chip, sfi[0], 1, MAX_RECORDS) for aid in find_all(record, 0x4F)]
    usable = [aid for aid in dict.fromkeys(named) if 5 <= len(aid) <= 16]
    yield from usable[:MAX_APPLICATIONS] or KNOWN_AIDS


def _records(chip: Chip, fci: bytes) -> Iterator[bytes]:
    """What the processing options say may be read; the options' own answer first, contactless cards have it there."""
    wanted = tags_and_lengths(find(fci, 0x9F38) or b"") or ()
    given = b"".join(_TERMINAL_DATA.get(tag, bytes(size))[:size].rjust(size, b"\x00") for tag, size in wanted)[:252]
    options = _answer(chip, bytes((0x80, 0xA8, 0x00, 0x00, len(given) + 2, 0x83, len(given))) + given)
    if not options.ok:
        return
    yield options.data
    for sfi, first, last in _file_locator(options.data):
        yield from _file(chip, sfi, first, last)


def _file_locator(data: bytes) -> list[tuple[int, int, int]]:
    """File, first and last record of each entry of the application file locator (template 77 or 80)."""
    locator = find(data, 0x94)
    if locator is None:
        plain = find(data, 0x80)
        locator = plain[2:] if plain is not None else b""
    entries = [locator[at : at + 4] for at in range(0, len(locator) - 3, 4)]
    return [(entry[0] >> 3, entry[1], entry[2]) for entry in entries if 1 <= entry[0] >> 3 <= 30 and entry[1] >= 1]


def _file(chip: Chip, sfi: int, first: int, last: int) -> Iterator[bytes]:
    for number in range(first, min(last, first + MAX_RECORDS - 1) + 1):
        record = exchange(chip, bytes((0x00, 0xB2, number, sfi << 3 | 4, 0x00)))
        if not record.ok:
            return
        yield record.data


def _answer(chip: Chip, command: bytes) -> Response:
    """Some cards give their data only when a length is asked for."""
    response = exchange(chip, command)
    return exchange(chip, with_le(command, 0x00)) if response.ok and not response.data else response


def _masked_number(record: bytes) -> bytes | None:
    """The masked number in a record that holds one."""
    for tag in (0x5A, 0x57):
        value = find(record, tag)
        if value is not None:
            masked = mask_account(value)
            if masked is not None:
                return masked
    return None


def mask_account(value: bytes) -> bytes | None:
    """First six and last four digits of an account number, the others as stars; None for no number of 12 to 19 digits.

    `value`: digits as nibbles up to the first nibble that is none (padding F, or the D behind a number in track 2).
    """
    digits = bytearray()
    for nibble in (half for byte in value for half in (byte >> 4, byte & 0x0F)):
        if nibble > 9 or len(digits) > 19:
            break
        digits.append(ord("0") + nibble)
    try:
        if not 12 <= len(digits) <= 19:
            return None
        return bytes(digits[:6]) + b"*" * (len(digits) - 10) + bytes(digits[-4:])
    finally:
        digits[:] = bytes(len(digits))
