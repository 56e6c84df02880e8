"""A simulated card reader with chip cards to insert and pull, behind a real pcscd.

The reader is the daemon's own virtual one (vpcd of vsmartcard); the card is a process (`smart_card_process`) that dials
it. What a driver meets is pcscd itself, down to its errors.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import IO, Any, Final, Self

from smartcard import scard

from hardware.simulators.chip_cards import SAMPLE_HOLDERS, Holder
from hardware.simulators.pcscd import SOCKET_VARIABLE, own_pcscd
from hardware.simulators.simulator import Place, Simulator, Trouble

LOOK_MS: Final = 2000
LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class SmartCardFaults:
    """What is wrong with card and reader."""

    silent_after: int | None = None
    """So many commands are answered, then none."""
    delay_s: float = 0.0
    """Each answer comes this late."""
    garbage: bool = False
    """Each answer is bytes that mean nothing."""
    truncate_at: int | None = None
    """Only so many bytes of each answer, status word included."""
    pulled_after: int | None = None
    """The card is pulled when so many commands have been answered."""
    pulled_after_bytes: int | None = None
    """The card is pulled inside an answer, when so many bytes of answers were sent."""
    mute: bool = False
    """The card gives no ATR that is one (put in upside down, broken chip)."""
    endless: bool = False
    """Each answer is 61xx, for ever."""
    read_sw: int | None = None
    """Each READ RECORD is answered by this status word."""
    service_dies_after: int | None = None
    """pcscd is killed when so many commands have been answered."""


@dataclass(frozen=True, slots=True)
class InsertedCard:
    """Which card, with its habits: `kind` is `social`, `bank` or `unknown`; see `chip_cards`."""

    kind: str = "social"
    holder: Holder = SAMPLE_HOLDERS[0]
    account: str = "6200009900000000017"
    fetches: bool = False
    by_tag: bool = True
    exact: bool = False
    contactless: bool = False
    directory: bool = True
    track2: bool = False
    without: tuple[int, ...] = ()
    """Tags of records that it lacks."""


class SmartCardSimulator(Simulator):
    """One reader of the daemon. `card` is what `help_self_test` and the desk insert."""

    def __init__(self, reader: str, card: InsertedCard) -> None:
        self.faults = SmartCardFaults()
        self.card = card
        self._reader = reader
        self._daemon = own_pcscd()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.RLock()
        self._busy: tuple[object, object] | None = None
        self._inserted: InsertedCard | None = None

    @property
    def address(self) -> str:
        return f"pcsc:{self._reader}*"

    @property
    def name(self) -> str:
        """The name that pcscd gives the reader."""
        return f"{self._reader} 00 00"

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"insert": self._insert_sample, "pull": self.pull, "restart_service": self._daemon.restart}

    def start(self) -> Self:
        self._daemon.use()
        self._process = subprocess.Popen(
            (sys.executable, "-m", "hardware.simulators.smart_card_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.plug()
        self.tell(f"other programs reach it with {SOCKET_VARIABLE}={self._daemon.socket}")
        return self

    def close(self) -> None:
        self._release()
        if self._process is not None:
            process, self._process = self._process, None
            for end in (process.stdin, process.stdout):
                if end is not None:
                    with contextlib.suppress(OSError):
                        end.close()
            process.kill()
            process.wait()
            self._daemon.unplug(self._reader)
            self._daemon.leave()

    def plug(self) -> None:
        self._tell(do="reader", port=self._daemon.plug(self._reader))
        if self._daemon.process_id is None:
            self._daemon.restart()
        self._tell(do="faults", faults=asdict(self.faults), service=self._daemon.process_id)

    def unplug(self) -> None:
        """The reader is pulled, with the card in it if there is one."""
        self.pull()
        self._daemon.unplug(self._reader)

    def insert(self, card: InsertedCard | None = None) -> None:
        """Put a card in, not faster than a hand can after another one left: pcscd would miss the change."""
        self.pull()
        self._inserted = card or self.card
        self._tell(do="insert", card=asdict(self._inserted))

    def pull(self) -> None:
        """Take the card out."""
        self._inserted = None
        self._tell(do="pull")

    def set_faults(self, **changes: Any) -> None:
        self.faults = replace(self.faults, **changes)
        self._tell(do="faults", faults=asdict(self.faults), service=self._daemon.process_id)

    def clear_faults(self) -> None:
        self._daemon.freeze(frozen=False)
        self._release()
        self.faults = SmartCardFaults()
        self._tell(do="faults", faults=asdict(self.faults), service=self._daemon.process_id)

    def trouble(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.SILENT:
                self._daemon.freeze(frozen=True)
            case Trouble.SLOW:
                self.set_faults(delay_s=0.02)
            case Trouble.GARBAGE:
                self.set_faults(garbage=True)
            case Trouble.HALF_FRAME:
                self.set_faults(truncate_at=1)
            case Trouble.STUCK_BUSY:
                self._hold()
            case Trouble.VANISHES:
                self.set_faults(service_dies_after=1)

    def help_self_test(self) -> None:
        self.pull()
        self.insert()

    def killed_service(self) -> None:
        """pcscd crashes; `restart_service` brings it back."""
        self._daemon.kill()

    def restart_service(self) -> None:
        """pcscd is started anew; the card stays in."""
        self._daemon.restart()

    def _insert_sample(self, number: str = "1") -> None:
        if not number.isdigit() or not 1 <= int(number) <= len(SAMPLE_HOLDERS):
            raise ValueError(f"sample cards are 1 to {len(SAMPLE_HOLDERS)}")
        self.insert(replace(self.card, holder=SAMPLE_HOLDERS[int(number) - 1]))

    def _hold(self) -> None:
        """Another program has the card for itself, as soon as one is in; a service that sleeps would let none ask."""
        self._daemon.freeze(frozen=False)
        if self._inserted is None:
            self.insert()
        self._wait_for_card()
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        result, handle, _ = scard.SCardConnect(
            context, self.name, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        if result != scard.SCARD_S_SUCCESS:
            raise RuntimeError(f"the card cannot be held: {scard.SCardGetErrorMessage(result)}")
        self._busy = (context, handle)

    def _wait_for_card(self) -> None:
        """Wait until pcscd has seen it."""
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if result != scard.SCARD_S_SUCCESS:
            return
        state = scard.SCARD_STATE_UNAWARE
        for _ in range(LOOKS):
            result, found = scard.SCardGetStatusChange(context, LOOK_MS, [(self.name, state)])
            if result != scard.SCARD_S_SUCCESS or found[0][1] & scard.SCARD_STATE_PRESENT:
                break
            state = found[0][1]
        scard.SCardReleaseContext(context)

    def _release(self) -> None:
        if self._busy is not None:
            (context, handle), self._busy = self._busy, None
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
            scard.SCardReleaseContext(context)

    def _tell(self, **order: Any) -> None:
        with self._lock:
            process = self._process
            if process is None:
                return
            _stream(process.stdin).write(json.dumps(order) + "\n")
            _stream(process.stdin).flush()
            answer = _stream(process.stdout).readline()
        if answer != "ok\n":
            raise RuntimeError(f"the card process answered {answer!r}")


def _stream(end: IO[str] | None) -> IO[str]:
    if end is None:
        raise RuntimeError("the card process has no pipe")
    return end


def simulate_social(_place: Place) -> SmartCardSimulator:
    """A reader for social security cards."""
    return SmartCardSimulator("Simulated Social Card Reader", InsertedCard("social"))


def simulate_bank(_place: Place) -> SmartCardSimulator:
    """A reader for bank cards."""
    return SmartCardSimulator("Simulated Bank Card Reader", InsertedCard("bank", contactless=True))
