"""The kiosk session: the one owner of a citizen's personal data between touching the terminal and leaving it."""

from typing import Protocol

from kiosk.journeys.ink import Ink
from wire.person_key import person_key


class Card(Protocol):
    """What a session takes from a card that was read."""

    @property
    def name(self) -> str: ...

    @property
    def number(self) -> str: ...

    @property
    def masked_name(self) -> str: ...

    @property
    def masked_number(self) -> str: ...

    def wipe(self) -> None: ...


class ScannedCode(Protocol):
    """What a session takes from a code that was scanned."""

    @property
    def text(self) -> str: ...

    def wipe(self) -> None: ...


class SessionWiped(RuntimeError):
    """Something personal was asked of a session that has ended."""


class KioskSession:
    """Name, number, person key, scanned code and signature of one citizen, in bytes that `wipe` overwrites.

    `number` counts sessions as the journey does. Its repr shows nothing personal; it cannot be pickled or copied.
    """

    __slots__ = ("_code", "_document", "_ink", "_key", "_masked_name", "_masked_number", "_name", "_wiped", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._name = bytearray()
        self._document = bytearray()
        self._key = bytearray()
        self._masked_name = bytearray()
        self._masked_number = bytearray()
        self._code = bytearray()
        self._ink: Ink | None = None
        self._wiped = False

    def __repr__(self) -> str:
        return f"KioskSession({self.number}, {'wiped' if self._wiped else '…'})"

    def __reduce__(self) -> str:
        raise TypeError("a kiosk session is neither pickled nor copied")

    @property
    def wiped(self) -> bool:
        return self._wiped

    @property
    def identified(self) -> bool:
        return bool(self._document)

    def take(self, card: Card, hall_key: bytes) -> None:
        """Keep what the visit needs of a card and wipe the card, also when this session has ended or the key is bad.

        Raises `SessionWiped`, `BadHallKey`.
        """
        try:
            if self._wiped:
                raise SessionWiped
            self._key[:] = person_key(card.number, hall_key).encode()
            self._name[:] = card.name.encode()
            self._document[:] = card.number.encode()
            self._masked_name[:] = card.masked_name.encode()
            self._masked_number[:] = card.masked_number.encode()
        finally:
            card.wipe()

    def take_code(self, code: ScannedCode) -> None:
        """Keep the text of a code in place of the one before, and wipe the code, also when this session has ended.

        Raises `SessionWiped`.
        """
        try:
            if self._wiped:
                raise SessionWiped
            self._code[:] = bytes(len(self._code))
            self._code[:] = code.text.encode()
        finally:
            code.wipe()

    def sign(self, ink: Ink) -> None:
        """Keep a signature, and overwrite the one before and, when this session has ended, the new one.

        Raises `SessionWiped`.
        """
        if self._wiped:
            ink.clear()
            raise SessionWiped
        if self._ink is not None and self._ink is not ink:
            self._ink.clear()
        self._ink = ink

    @property
    def signature(self) -> Ink | None:
        """What was signed, for the document of this session; None before that."""
        if self._wiped:
            raise SessionWiped
        return self._ink

    @property
    def name(self) -> str:
        return self._read(self._name)

    @property
    def document_number(self) -> str:
        return self._read(self._document)

    @property
    def person_key(self) -> str | None:
        """The person as the hall knows them; None where no card was read."""
        return self._read(self._key) or None

    @property
    def code(self) -> str | None:
        """Text of the code that was scanned last; None before that."""
        return self._read(self._code) or None

    @property
    def masked_name(self) -> str:
        """`张*`."""
        return self._read(self._masked_name)

    @property
    def masked_number(self) -> str:
        """`3202**********1234`."""
        return self._read(self._masked_number)

    def wipe(self) -> None:
        """Overwrite everything personal; the session cannot be used again. A second call does nothing."""
        for field in (self._name, self._document, self._key, self._masked_name, self._masked_number, self._code):
            field[:] = bytes(len(field))
            field.clear()
        if self._ink is not None:
            self._ink.clear()
            self._ink = None
        self._wiped = True

    def _read(self, field: bytearray) -> str:
        if self._wiped:
            raise SessionWiped
        return field.decode()
