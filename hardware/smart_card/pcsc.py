"""PC/SC through pyscard's low-level calls: contexts, cards, and return values as the errors of this layer.

The library's own monitors are not used: they end for good, unnoticed, when pcscd does.
"""

from collections.abc import Sequence
from typing import Any, Final

from smartcard import scard

from hardware.errors import CardHeld, CardPulled, HardwareError, LineLost, NoAnswer, ServiceLost

PNP: Final = "\\\\?PnP?\\Notification"
_MASK: Final = 0xFFFFFFFF
_SERVICE: Final = frozenset(
    code & _MASK
    for code in (
        scard.SCARD_E_NO_SERVICE,
        scard.SCARD_E_SERVICE_STOPPED,
        scard.SCARD_E_INVALID_HANDLE,
        scard.SCARD_E_INVALID_VALUE,
        scard.SCARD_F_COMM_ERROR,
        scard.SCARD_F_INTERNAL_ERROR,
        scard.SCARD_E_SYSTEM_CANCELLED,
    )
)
_READER: Final = frozenset(
    code & _MASK
    for code in (
        scard.SCARD_E_UNKNOWN_READER,
        scard.SCARD_E_READER_UNAVAILABLE,
        scard.SCARD_E_NO_READERS_AVAILABLE,
    )
)
_CARD: Final = frozenset(
    code & _MASK
    for code in (
        scard.SCARD_W_REMOVED_CARD,
        scard.SCARD_W_RESET_CARD,
        scard.SCARD_W_UNPOWERED_CARD,
        scard.SCARD_W_UNRESPONSIVE_CARD,
        scard.SCARD_W_UNSUPPORTED_CARD,
        scard.SCARD_E_NO_SMARTCARD,
        scard.SCARD_E_NOT_TRANSACTED,
        scard.SCARD_E_PROTO_MISMATCH,
    )
)
BUSY: Final = scard.SCARD_E_SHARING_VIOLATION & _MASK
TIMED_OUT: Final = scard.SCARD_E_TIMEOUT & _MASK
CANCELLED: Final = scard.SCARD_E_CANCELLED & _MASK


def error_of(code: int, doing: str) -> HardwareError:
    """What a return value means."""
    code &= _MASK
    text = f"{doing}: {code:08X}"
    if code in _SERVICE:
        return ServiceLost(text)
    if code in _READER:
        return LineLost(text)
    if code in _CARD:
        return CardPulled(text)
    return CardHeld(text) if code == BUSY else NoAnswer(text)


def check(code: int, doing: str) -> None:
    """Raise what the return value means, unless it is success."""
    if code != scard.SCARD_S_SUCCESS:
        raise error_of(code, doing)


class Context:
    """A connection to pcscd. Raises `ServiceLost`. `cancel` may be called from another thread, the rest may not."""

    def __init__(self) -> None:
        code, self._handle = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        check(code, "establish context")

    def readers(self) -> tuple[str, ...]:
        """Names of the readers there are."""
        code, names = scard.SCardListReaders(self._handle, [])
        if code & _MASK in _READER:
            return ()
        check(code, "list readers")
        return tuple(names)

    def changed(self, states: Sequence[tuple[str, int]], timeout_ms: int) -> list[tuple[str, int, bytes]] | None:
        """Wait until a state differs from the one given, or for the time-out; name, state and ATR of each.

        None when cancelled. Some flags (held by another program) are seen after the time-out only.
        """
        code, found = scard.SCardGetStatusChange(self._handle, timeout_ms, list(states))
        if code & _MASK == CANCELLED:
            return None
        if code & _MASK != TIMED_OUT:
            check(code, "wait for a change")
        return [(name, state, bytes(atr)) for name, state, atr in found]

    def connect(self, reader: str) -> "PcscChip":
        """Power the card, for this program alone while it is used."""
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, handle, protocol = scard.SCardConnect(self._handle, reader, scard.SCARD_SHARE_SHARED, protocols)
        check(code, "connect")
        chip = PcscChip(handle, protocol)
        code = scard.SCardBeginTransaction(handle)
        if code != scard.SCARD_S_SUCCESS:
            chip.disconnect()
            raise error_of(code, "begin")
        return chip

    def cancel(self) -> None:
        """End a wait for a change."""
        scard.SCardCancel(self._handle)

    def close(self) -> None:
        """Give it back. Never raises."""
        scard.SCardReleaseContext(self._handle)


class PcscChip:
    """A powered card. Its calls take as long as card and reader please: `hardware.smart_card.lane` runs them."""

    def __init__(self, handle: Any, protocol: int) -> None:
        self._handle = handle
        self._protocol = protocol

    def transmit(self, command: bytes) -> bytes:
        """One command and its answer, status word included."""
        code, answer = scard.SCardTransmit(self._handle, _PCI[self._protocol], list(command))
        check(code, "transmit")
        return bytes(byte & 0xFF for byte in answer)

    def disconnect(self) -> None:
        """Power the card off, so that nothing of it stays selected. Never raises."""
        scard.SCardEndTransaction(self._handle, scard.SCARD_LEAVE_CARD)
        scard.SCardDisconnect(self._handle, scard.SCARD_UNPOWER_CARD)


_PCI: Final = {
    scard.SCARD_PROTOCOL_T0: scard.SCARD_PCI_T0,
    scard.SCARD_PROTOCOL_T1: scard.SCARD_PCI_T1,
}
