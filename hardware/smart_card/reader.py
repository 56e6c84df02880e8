"""Driver of a chip card reader over PC/SC: its health, and waiting for one kind of card until it has been read."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

import structlog

from hardware.addresses import Address, PcscAddress, parse_address
from hardware.cancel import CancelToken
from hardware.card_waiting import CardEvent, CardRead, CardWait, K, wipe_read
from hardware.command import POLL_SLICE_S, Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Found, Opening, Options
from hardware.errors import (
    BadAddress,
    CardHeld,
    CardPulled,
    CardUnreadable,
    DeadlinePassed,
    HardwareError,
    LineLost,
    NoAnswer,
    ServiceLost,
)
from hardware.events import CardInserted, CardRemoved, OnEvent
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.smart_card.apdu import Chip
from hardware.smart_card.bank_card import BankCard, read_bank_card
from hardware.smart_card.lane import Lane
from hardware.smart_card.monitor import ReaderMonitor, SlotState
from hardware.smart_card.pcsc import Context, PcscChip
from hardware.smart_card.social_security import SocialSecurityCard, read_social_security_card
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome

T = TypeVar("T")

PCSC_SCHEMES: Final = frozenset({"pcsc"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SmartCardTiming:
    """Waiting times in seconds."""

    answer_s: float = 4.0
    """For the answer to one command; cards may ask the reader for more time."""
    busy_s: float = 2.0
    """For another program to let go of the card."""
    first_look_s: float = 2.0
    """For pcscd to say what is there, when the device is opened."""
    settle_s: float = 0.3
    """After a card was put in badly, before it counts as failed: contacts bounce."""


@dataclass(frozen=True, slots=True)
class SmartCardReaderCapabilities(Capabilities):
    """What the reader is used for."""

    kind: str
    """`social_security` or `bank`."""


class Slot:
    """What the device's worker keeps open: a reader that was there. Its context and card live with each read."""

    def __init__(self, reader: str) -> None:
        self.reader = reader

    def close(self) -> None:
        """Nothing is held between two reads."""


class SmartCardReader(Device[Slot], Generic[K]):
    """A reader at `pcsc:<name>`, read for one kind of card. Emits `CardInserted` and `CardRemoved` of any card, on the
    thread that watches the reader. Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        kind: str,
        read: Callable[[Chip], K | None],
        *,
        role: Role,
        on_event: OnEvent | None = None,
        timing: SmartCardTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        where = parse_address(address)
        if not isinstance(where, PcscAddress):
            raise BadAddress(f"{address!r}: want pcsc:<reader name>")
        supervision = supervision or Supervision()
        self._read_kind = read
        self._timing = timing or SmartCardTiming()
        self._lane = Lane(f"cards-{role}")
        self._done_with = 0
        self._card_there = False
        self._monitor = ReaderMonitor(where, self._slot_changed, supervision.back_off)
        super().__init__(
            role,
            self._open_slot,
            capabilities=SmartCardReaderCapabilities(kind),
            on_event=on_event,
            supervision=supervision,
        )
        self._monitor.start()

    def wait_for_card(
        self,
        deadline: float,
        *,
        session: DeviceSession | None = None,
        cancel: CancelToken | None = None,
        on_event: Callable[[CardEvent], None] | None = None,
    ) -> "Future[CardRead[K]]":
        """Wait until a card is put in, and read it.

        A failed attempt (pulled too early, unreadable, a card of another kind) leads to an event and a next attempt
        with a card that is put in anew; only success, a fault of the reader, the deadline or a cancel end the wait. A
        card that was read before must be pulled first, so that nobody is read with his predecessor's card.
        """
        waiting = CardWait(on_event or (lambda _: None))

        def failed(error: HardwareError) -> CardRead[K]:
            detail = waiting.detail if isinstance(error, DeadlinePassed) else error.detail
            return CardRead(error.outcome, detail)

        return self._submit(
            partial(self._wait_for_card, waiting),
            failed=failed,
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=wipe_read,
        )

    def close(self) -> None:
        """End the running command, the watching and the threads."""
        super().close()
        self._monitor.close()
        self._lane.close()

    def _open_slot(self) -> Slot:
        return Slot(_reader(self._monitor.known(self._timing.first_look_s)))

    def _probe(self, _run: Run[Slot]) -> DeviceStatus:
        state = self._now()
        if self._lane.stuck:
            raise NoAnswer(f"{self.role}: a command to a card has not come back")
        if state.held:
            return DeviceStatus(Health.FAULT, Detail.CARD_HELD)
        return DeviceStatus(Health.OK)

    def _now(self) -> SlotState:
        """What is there. Raises `NoAnswer`, `ServiceLost`, `LineLost`."""
        if self._monitor.silent:
            raise NoAnswer(f"{self.role}: pcscd is silent")
        state = self._monitor.state
        _reader(state)
        return state

    def _self_test(self, run: Run[Slot], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
            step.measured = run.connection.reader
        if steps.failed:
            return
        with steps.step("card_read", Request.INSERT_CARD) as step:
            waiting = CardWait(lambda _: None)
            try:
                read = self._wait_for_card(waiting, run)
            except DeadlinePassed:
                step.unknown(waiting.detail)
                return
            step.result(read.outcome, read.detail)
            wipe_read(read)

    def _slot_changed(self, state: SlotState) -> None:
        """On the monitor's thread."""
        if state.card != self._card_there:
            self._card_there = state.card
            self._emit(CardInserted(self.role) if state.card else CardRemoved(self.role))
        if (state.reader is not None) != self.status.usable or state.held:
            self.wake()

    def _wait_for_card(self, waiting: CardWait, run: Run[Slot]) -> CardRead[K]:
        busy_since: float | None = None
        while True:
            state = self._now()
            if not state.card:
                waiting.say(CardEvent.PLACE_CARD)
            elif state.insertion == self._done_with:
                if waiting.detail is Detail.NO_CARD:
                    waiting.detail = Detail.CARD_NOT_LIFTED
                waiting.say(waiting.event_for_lying_card)
            else:
                waiting.say(CardEvent.CARD_FOUND)
                try:
                    read = self._attempt(waiting, run, state)
                except CardHeld:
                    busy_since = busy_since or time.monotonic()
                    if time.monotonic() - busy_since > self._timing.busy_s:
                        raise
                    run.pause(POLL_SLICE_S)
                    continue
                if read is not None:
                    return read
            self._wait_for_change(run, state)

    def _wait_for_change(self, run: Run[Slot], seen: SlotState) -> None:
        while self._monitor.wait(seen, POLL_SLICE_S) == seen:
            run.check()
            self._now()
        run.check()

    def _attempt(self, waiting: CardWait, run: Run[Slot], state: SlotState) -> CardRead[K] | None:
        """Read the card that is in: the read, or None when another one is waited for."""
        if state.mute:
            self._failed(waiting, run, state, Detail.READ_FAILED)
            return None
        try:
            card = self._read(run, state)
        except (CardPulled, CardUnreadable) as error:
            self._failed(waiting, run, state, error.detail)
            return None
        if card is None:
            self._failed(waiting, run, state, Detail.WRONG_CARD)
            return None
        self._done_with = state.insertion
        if run.cancelled:
            card.wipe()
            run.check()
        waiting.say(CardEvent.READ_OK)
        return CardRead(Outcome.DONE, card=card)

    def _failed(self, waiting: CardWait, run: Run[Slot], state: SlotState, detail: Detail) -> None:
        """This stay of the card is over; a moment is left for a hand that still pushes."""
        self._done_with = state.insertion
        log.info("card_not_read", role=self.role, detail=detail)
        if detail is Detail.READ_FAILED:
            self._monitor.wait(state, self._timing.settle_s)
        run.check()
        waiting.hindered(detail, CardEvent.WRONG_CARD if detail is Detail.WRONG_CARD else CardEvent.LIFT_AND_RELAY)

    def _read(self, run: Run[Slot], state: SlotState) -> K | None:
        """Power the card, read it, power it off."""
        self._lane.wait_free(time.monotonic() + self._timing.answer_s, run.check)
        chip = _LaneChip(self._lane, run, self._timing.answer_s)
        try:
            chip.connect(_reader(state))
            return self._read_kind(chip)
        finally:
            chip.close()


class _LaneChip:
    """A card whose every call runs on the lane, with a time limit of its own."""

    def __init__(self, lane: Lane, run: Run[Any], answer_s: float) -> None:
        self._lane = lane
        self._run = run
        self._answer_s = answer_s
        self._context: Context | None = None
        self._chip: PcscChip | None = None
        self._hangs = False

    def connect(self, reader: str) -> None:
        def connect() -> None:
            self._context = Context()
            self._chip = self._context.connect(reader)

        self._call(connect)

    def transmit(self, command: bytes) -> bytes:
        if self._chip is None:
            raise CardPulled("not connected")
        return self._call(partial(self._chip.transmit, command))

    def close(self) -> None:
        """Power off and give back, when whatever hangs there has come back."""

        def give_back() -> None:
            if self._chip is not None:
                self._chip.disconnect()
            if self._context is not None:
                self._context.close()

        given_back = self._lane.post(give_back)
        if not self._hangs:
            wait((given_back,), self._answer_s)

    def _call(self, function: Callable[[], T]) -> T:
        self._run.check()
        until = min(time.monotonic() + self._answer_s, self._run.deadline)
        try:
            return self._lane.call(function, until, self._run.check)
        except HardwareError:
            self._hangs = not self._lane.idle
            self._run.check()
            raise


def _reader(state: SlotState) -> str:
    """The reader's name. Raises `ServiceLost` or `LineLost` where it is not there."""
    if not state.service:
        raise ServiceLost("pcscd does not answer")
    if state.reader is None:
        raise LineLost("the reader is not there")
    return state.reader


class SmartCardOptions(Options):
    """Nothing to say beside driver and address."""


class SocialCardReader(SmartCardReader[SocialSecurityCard]):
    """A reader for social security cards."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.SOCIAL_CARD_READER,
        on_event: OnEvent | None = None,
        timing: SmartCardTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        super().__init__(
            address,
            "social_security",
            read_social_security_card,
            role=role,
            on_event=on_event,
            timing=timing,
            supervision=supervision,
        )


class BankCardReader(SmartCardReader[BankCard]):
    """A reader for bank cards, of which only the masked number is ever known."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.BANK_CARD_READER,
        on_event: OnEvent | None = None,
        timing: SmartCardTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        super().__init__(
            address, "bank", read_bank_card, role=role, on_event=on_event, timing=timing, supervision=supervision
        )


def _open_social(opening: Opening[SmartCardOptions]) -> SocialCardReader:
    return SocialCardReader(
        str(opening.address), role=opening.role, on_event=opening.on_event, supervision=opening.supervision
    )


def _open_bank(opening: Opening[SmartCardOptions]) -> BankCardReader:
    return BankCardReader(
        str(opening.address), role=opening.role, on_event=opening.on_event, supervision=opening.supervision
    )


def pcsc_readers() -> Iterable[Found]:
    """The readers that pcscd lists, by names that stay when it counts them anew."""
    try:
        context = Context()
    except HardwareError:
        return
    try:
        names = context.readers()
    except HardwareError:
        return
    finally:
        context.close()
    for name in names:
        yield Found(PcscAddress(stable_name(name)), name)


def stable_name(reader: str) -> str:
    """The name without the numbers of device and slot that pcscd puts behind it in the order of plugging in.

    A second slot of the same device keeps its numbers: without them the first one would be meant.
    """
    head, _, numbers = reader.rpartition(" ")
    name, _, device = head.rpartition(" ")
    if len(numbers) == 2 and len(device) == 2 and device.isalnum() and numbers == "00" and name:
        return f"{name} *"
    return reader


def _probe_reader(address: Address, _within_s: float) -> DeviceStatus | None:
    """Whether pcscd lists the reader: which cards it will see, nobody knows beforehand."""
    wanted = str(address).removeprefix("pcsc:")
    there = any(found.description == wanted or str(found.address) == str(address) for found in pcsc_readers())
    return DeviceStatus(Health.OK) if there else None


SOCIAL: Final = Driver(
    id="social-security-card",
    title="Social security card (PC/SC)",
    roles=frozenset({Role.SOCIAL_CARD_READER}),
    schemes=PCSC_SCHEMES,
    open=_open_social,
    options=SmartCardOptions,
    find=pcsc_readers,
    probe=_probe_reader,
)
BANK: Final = Driver(
    id="bank-card",
    title="Bank card number, masked (PC/SC)",
    roles=frozenset({Role.BANK_CARD_READER}),
    schemes=PCSC_SCHEMES,
    open=_open_bank,
    options=SmartCardOptions,
    find=pcsc_readers,
    probe=_probe_reader,
)
