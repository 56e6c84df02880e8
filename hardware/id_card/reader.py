"""Driver of a resident ID card reader (SAM_V): its health, and waiting for a card until it has been read."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from hardware.addresses import parse_line_address
from hardware.cancel import CancelToken
from hardware.card_waiting import CardEvent, CardRead, CardWait, wipe_read
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision, status_after
from hardware.drivers import Driver, Opening, Options
from hardware.errors import DeadlinePassed, DeviceFault, HardwareError, NoAnswer
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.id_card.codec import Command, FrameDecoder, Reply, SamId, Sw3, answers, encode, parse_sam_id, split_blocks
from hardware.id_card.fields import IdCard
from hardware.id_card.layouts import CardLayout
from hardware.id_card.photo import PhotoDecoder, PhotoLibrary, PixelOrder, VendorPhotoDecoder
from hardware.lines import Line, open_line
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome

_FAULTS: Final = {
    Sw3.SELF_TEST_FAILED: Detail.SELF_TEST_FAILED,
    Sw3.SAM_NOT_AUTHORISED: Detail.SAM_NOT_AUTHORISED,
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SamIdRead:
    """How asking for the reader's number ended; `sam_id` is there exactly when the outcome is DONE."""

    outcome: Outcome
    detail: Detail = Detail.NONE
    sam_id: SamId | None = None


@dataclass(frozen=True, slots=True)
class ReaderTiming:
    """Waiting times in seconds."""

    find_interval_s: float = 0.3
    """Between two searches for a card; real readers want at least 0.3."""
    answer_s: float = 0.8
    """For the answer to a short command."""
    read_s: float = 4.0
    """For the whole answer to a read (1295 bytes take 1.35 s of line time at 9600 baud)."""
    gap_s: float = 0.3
    """Silence inside a begun frame after which it is given up."""
    misses: int = 3
    """Unanswered questions in a row after which the reader counts as silent."""
    relay_hint_s: float = 4.0
    """Waiting without a card found, after an earlier read, until the hint to lift and lay it again."""


@dataclass(frozen=True, slots=True)
class IdCardReaderCapabilities(Capabilities):
    """What the reader can do."""

    layouts: frozenset[CardLayout]
    """Card layouts that are interpreted."""
    fingerprint: bool
    """Whether the fingerprint block is read along."""
    photo: bool
    """Whether there is a library that makes a picture of a card's photo."""


class IdCardReader(Device[Line]):
    """A reader on a line such as `serial:/dev/serial/by-id/…?baud=115200`. Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.ID_CARD_READER,
        on_event: OnEvent | None = None,
        timing: ReaderTiming | None = None,
        read_fingerprint: bool = False,
        read_newest_address: bool = False,
        photo_decoder: PhotoDecoder | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._timing = timing or ReaderTiming()
        self._read_command = (
            Command.READ_TEXT_PHOTO_AND_FINGERPRINT if read_fingerprint else Command.READ_TEXT_AND_PHOTO
        )
        self._read_newest_address = read_newest_address
        self.photo_decoder = photo_decoder
        """Makes a picture of a card's `photo`; None where the profile names no library, and then there is none."""
        self._decoder = FrameDecoder()
        self._must_lift = False
        self._card_may_hide = False
        super().__init__(
            role,
            partial(open_line, parse_line_address(address)),
            capabilities=IdCardReaderCapabilities(frozenset(CardLayout), read_fingerprint, photo_decoder is not None),
            on_event=on_event,
            supervision=supervision,
        )

    def wait_for_card(
        self,
        deadline: float,
        *,
        session: DeviceSession | None = None,
        cancel: CancelToken | None = None,
        on_event: Callable[[CardEvent], None] | None = None,
    ) -> "Future[CardRead[IdCard]]":
        """Wait until a card is laid on the reader, and read it.

        A failed attempt (moved, lifted, two cards, a card of another kind) leads to an event and a next attempt; only
        success, a fault of the reader, the deadline or a cancel end the wait. A card that lies there since an earlier
        success must be lifted first, so that nobody is read with his predecessor's card.
        """
        wait = _LaidCard(on_event or (lambda _: None))

        def failed(error: HardwareError) -> CardRead[IdCard]:
            detail = wait.detail if isinstance(error, DeadlinePassed) else error.detail
            return CardRead(error.outcome, detail)

        return self._submit(
            partial(self._wait_for_card, wait),
            failed=failed,
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=wipe_read,
        )

    def sam_id(self, deadline: float) -> "Future[SamIdRead]":
        """Ask for the number of the reader's security module."""

        return self._submit(self._ask_sam_id, failed=lambda e: SamIdRead(e.outcome, e.detail), deadline=deadline)

    def _ask_sam_id(self, run: Run[Line]) -> SamIdRead:
        reply = self._exchange(run, Command.SAM_ID)
        sam_id = parse_sam_id(reply.data) if reply.sw3 == Sw3.OK else None
        if sam_id is None:
            return SamIdRead(Outcome.DEVICE_FAULT, _FAULTS.get(_known(reply.sw3), Detail.UNKNOWN_ANSWER))
        return SamIdRead(Outcome.DONE, sam_id=sam_id)

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
        if steps.failed:
            return
        with steps.step("security_module") as step:
            sam = self._ask_sam_id(run)
            step.result(sam.outcome, sam.detail)
            step.measured = str(sam.sam_id or "")
        with steps.step("card_read", Request.LAY_ID_CARD) as step:
            wait = _LaidCard(lambda _: None)
            try:
                read = self._wait_for_card(wait, run)
            except DeadlinePassed:
                step.unknown(wait.detail)
                return
            step.result(read.outcome, read.detail)
            wipe_read(read)

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        try:
            reply = self._ask_patiently(run, Command.SAM_STATUS)
        except NoAnswer as error:
            return status_after(error)
        if reply.sw3 == Sw3.OK:
            if self._must_lift:
                self._must_lift = self._exchange(run, Command.FIND_CARD).sw3 != Sw3.FIND_FAILED
            return DeviceStatus(Health.OK)
        fault = _FAULTS.get(_known(reply.sw3))
        if fault is None:
            _log_answer(Command.SAM_STATUS, reply)
            return DeviceStatus(Health.UNKNOWN, Detail.UNKNOWN_ANSWER)
        return DeviceStatus(Health.FAULT, fault)

    def _wait_for_card(self, wait: "_LaidCard", run: Run[Line]) -> CardRead[IdCard]:
        wait.say(CardEvent.PLACE_CARD)
        while True:
            reply = self._ask_patiently(run, Command.FIND_CARD)
            if reply.sw3 == Sw3.FIND_FAILED:
                wait.no_card(was_held=self._must_lift)
                self._must_lift = False
                if self._card_may_hide and wait.quiet_for() >= self._timing.relay_hint_s:
                    wait.hindered(Detail.CARD_NOT_LIFTED, CardEvent.LIFT_AND_RELAY)
                    self._card_may_hide = False
            elif reply.sw3 == Sw3.CARD_FOUND:
                wait.strange_answers = 0
                read = self._card_found(wait, run)
                if read is not None:
                    return read
            else:
                self._strange_answer(wait, reply)
            run.pause(self._timing.find_interval_s)

    def _card_found(self, wait: "_LaidCard", run: Run[Line]) -> CardRead[IdCard] | None:
        """A card lies there: the read, or None when the wait goes on."""
        if self._must_lift:
            detail = wait.detail if wait.detail is not Detail.NO_CARD else Detail.CARD_NOT_LIFTED
            wait.hindered(detail, wait.event_for_lying_card)
            return None
        wait.found()
        try:
            selected = self._exchange(run, Command.SELECT_CARD)
        except NoAnswer:
            self._failed_attempt(wait, Detail.READ_FAILED, CardEvent.LIFT_AND_RELAY)
            return None
        if selected.sw3 == Sw3.SELECT_FAILED:
            wait.select_failed()
            return None
        if selected.sw3 != Sw3.OK:
            self._bad_answer(wait, Command.SELECT_CARD, selected)
            return None
        wait.say(CardEvent.READING)
        return self._read(wait, run)

    def _read(self, wait: "_LaidCard", run: Run[Line]) -> CardRead[IdCard] | None:
        self._card_may_hide = True  # some readers find a card that they have read only after it was lifted
        try:
            reply = self._exchange(run, self._read_command, self._timing.read_s)
        except NoAnswer:
            self._failed_attempt(wait, Detail.READ_FAILED, CardEvent.LIFT_AND_RELAY)
            return None
        blocks = split_blocks(self._read_command, reply.data) if reply.sw3 == Sw3.OK else None
        if blocks is None:
            self._card_may_hide = False
            self._bad_answer(wait, self._read_command, reply)
            return None
        self._must_lift = True
        card = IdCard(blocks, self._newest_address(run) if self._read_newest_address else None)
        if run.cancelled:
            card.wipe()
            run.check()
        wait.say(CardEvent.READ_OK)
        return CardRead(Outcome.DONE, card=card)

    def _newest_address(self, run: Run[Line]) -> bytes | None:
        """The appended address, empty where the card has none; None when it could not be read, which is no failure."""
        try:
            reply = self._exchange(run, Command.READ_NEWEST_ADDRESS)
        except NoAnswer:
            return None
        if reply.sw3 == Sw3.OK:
            return reply.data
        if reply.sw3 == Sw3.NO_SUCH_CONTENT:
            return b""
        _log_answer(Command.READ_NEWEST_ADDRESS, reply)
        return None

    def _bad_answer(self, wait: "_LaidCard", command: Command, reply: Reply) -> None:
        fault = _FAULTS.get(_known(reply.sw3))
        if fault is not None:
            raise DeviceFault(fault)
        _log_answer(command, reply)
        if reply.sw3 == Sw3.WRONG_CARD_TYPE:
            self._failed_attempt(wait, Detail.WRONG_CARD, CardEvent.WRONG_CARD)
        else:
            self._failed_attempt(wait, Detail.READ_FAILED, CardEvent.LIFT_AND_RELAY)

    def _failed_attempt(self, wait: "_LaidCard", detail: Detail, event: CardEvent) -> None:
        self._must_lift = True
        wait.hindered(detail, event)

    def _strange_answer(self, wait: "_LaidCard", reply: Reply) -> None:
        fault = _FAULTS.get(_known(reply.sw3))
        if fault is None:
            wait.strange_answers += 1
            _log_answer(Command.FIND_CARD, reply)
            if wait.strange_answers < self._timing.misses:
                return
        raise DeviceFault(fault or Detail.UNKNOWN_ANSWER)

    def _ask_patiently(self, run: Run[Line], command: Command) -> Reply:
        """Ask up to `misses` times. Raises `NoAnswer` when all stayed unanswered."""
        for _ in range(self._timing.misses - 1):
            try:
                return self._exchange(run, command)
            except NoAnswer:
                run.pause(self._timing.find_interval_s)
        return self._exchange(run, command)

    def _exchange(self, run: Run[Line], command: Command, timeout_s: float | None = None) -> Reply:
        """Send one command and wait for the reply that can be its answer. Raises `NoAnswer`."""
        run.check()
        run.discard_input()
        self._decoder.reset()
        started = time.monotonic()
        until = started + (timeout_s or self._timing.answer_s)
        run.write(encode(command), until)
        while time.monotonic() < until:
            gap = time.monotonic() + self._timing.gap_s
            data = run.read(min(until, gap) if self._decoder.receiving else until)
            replies = self._decoder.feed(data) if data else self._decoder.flush()
            for reply in replies:
                if answers(command, reply):
                    self._answered(run, reply)
                    return reply
            if not data:
                break
        self._decoder.reset()
        raise NoAnswer(f"{self.role}: no answer to {command.name}")

    def _answered(self, run: Run[Line], reply: Reply) -> None:
        if _known(reply.sw3) not in _FAULTS and self.status.health is not Health.OK:
            run.report(DeviceStatus(Health.OK))


class _LaidCard(CardWait):
    """A wait at a reader that has to be asked whether a card lies there."""

    def __init__(self, on_event: Callable[[CardEvent], None]) -> None:
        super().__init__(on_event)
        self._select_failures = 0
        self.strange_answers = 0

    def select_failed(self) -> None:
        """Once may be a card that is just being laid or lifted; twice in a row means two cards."""
        self._select_failures += 1
        if self._select_failures > 1:
            self.hindered(Detail.SEVERAL_CARDS, CardEvent.ONE_CARD_ONLY)

    def found(self) -> None:
        if self.detail is not Detail.SEVERAL_CARDS:
            self.say(CardEvent.CARD_FOUND)

    def no_card(self, *, was_held: bool) -> None:
        self.strange_answers = 0
        if was_held or self._select_failures:
            self._select_failures = 0
            self.say(CardEvent.PLACE_CARD)


def _known(sw3: int) -> Sw3:
    try:
        return Sw3(sw3)
    except ValueError:
        return Sw3.UNKNOWN_ERROR


def _log_answer(command: Command, reply: Reply) -> None:
    log.warning("id_card_reader_answer", command=command.name, sw3=f"{reply.sw3:02X}", known=reply.sw3 in set(Sw3))


class ReaderOptions(Options):
    """What a profile may say of a reader."""

    read_fingerprint: bool = False
    read_newest_address: bool = False
    photo_library: Path | None = None
    """The maker's library that decodes photos, and below how it is called; see `PhotoLibrary`."""
    photo_symbol: str = "unpack"
    photo_option: int = 0
    photo_order: PixelOrder = PixelOrder.RGB
    photo_bottom_up: bool = True
    photo_good: int | None = 1

    def photo_decoder(self) -> PhotoDecoder | None:
        """Raises `BadAddress` where the library's file is not there."""
        if self.photo_library is None:
            return None
        return VendorPhotoDecoder(
            PhotoLibrary(
                self.photo_library,
                symbol=self.photo_symbol,
                option=self.photo_option,
                order=self.photo_order,
                bottom_up=self.photo_bottom_up,
                good=self.photo_good,
            )
        )


def _open(opening: Opening[ReaderOptions]) -> IdCardReader:
    return IdCardReader(
        str(opening.address),
        role=opening.role,
        on_event=opening.on_event,
        read_fingerprint=opening.options.read_fingerprint,
        read_newest_address=opening.options.read_newest_address,
        photo_decoder=opening.options.photo_decoder(),
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="sam-v",
    title="Resident ID card reader (SAM_V)",
    roles=frozenset({Role.ID_CARD_READER}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=ReaderOptions,
    bauds=(115200, 9600),
    find=serial_ports,
    probe=partial(probe_by_opening, _open, ReaderOptions(), Role.ID_CARD_READER),
)
