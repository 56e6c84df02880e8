"""Driver of a speaker: plays WAV sounds one after another, and says whether the sound card took them."""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from hardware.addresses import SoundAddress, parse_address
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Found, Opening, Options
from hardware.errors import BadAddress, HardwareError
from hardware.events import OnEvent
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.speaker.alsa import CARDS, NoSoundCard, SoundOutput
from hardware.speaker.sound import BadSound, sound, tone
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs


@dataclass(frozen=True, slots=True)
class SpeakerCapabilities(Capabilities):
    """What is played: WAV, 16 bits, one or two channels. Nobody listens: that a sound was heard is never known."""

    knows_that_it_was_heard: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """How a sound ended. DONE: the card took it to its end. NOT_SUPPORTED: no card, or no sound that can be played."""

    outcome: Outcome
    detail: Detail = Detail.NONE

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class SpeakerOptions(Options):
    """Nothing is to be set: volume is the mixer's."""


class Speaker(Device[SoundOutput]):
    """A speaker at `sound:<ALSA card id>` or `sound:default`. Without any sound card its health is NOT_SUPPORTED.
    Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.SPEAKER,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        where = parse_address(address)
        if not isinstance(where, SoundAddress):
            raise BadAddress(f"{address!r}: want sound:…")
        super().__init__(
            role,
            partial(SoundOutput, where),
            capabilities=SpeakerCapabilities(),
            on_event=on_event,
            supervision=supervision,
        )

    def play(self, wav: bytes, deadline: float, *, cancel: CancelToken | None = None) -> "Future[Played]":
        """Play a WAV file to its end; a cancel ends it at once."""

        def play(run: Run[SoundOutput]) -> Played:
            try:
                looked = sound(wav)
            except BadSound:
                return Played(Outcome.NOT_SUPPORTED, Detail.BAD_SOUND)
            run.connection.play(looked.wav, looked.seconds, run.check)
            return Played(Outcome.DONE)

        return self._submit(play, failed=_failed, deadline=deadline, cancel=cancel)

    def _probe(self, run: Run[SoundOutput]) -> DeviceStatus:
        run.connection.look()
        return DeviceStatus(Health.OK)

    def _self_test(self, run: Run[SoundOutput], steps: Steps) -> None:
        with steps.step("status") as step:
            try:
                run.connection.look()
            except NoSoundCard:
                run.report(DeviceStatus(Health.NOT_SUPPORTED, Detail.NO_SOUND_CARD))
                step.unknown(Detail.NO_SOUND_CARD)
        if steps.failed:
            return
        with steps.step("tone", Request.LISTEN) as step:
            test = tone()
            began = time.monotonic()
            run.connection.play(test.wav, test.seconds, run.check)
            step.measured = f"{test.seconds:.1f} s taken in {time.monotonic() - began:.1f} s"


def _failed(error: HardwareError) -> Played:
    outcome = Outcome.NOT_SUPPORTED if isinstance(error, NoSoundCard) else error.outcome
    return Played(outcome, error.detail)


def _cards() -> Iterable[Found]:
    """The sound cards of this machine, by their ids."""
    for card in sorted(CARDS.glob("card[0-9]*/id")):
        yield Found(SoundAddress(card.read_text().strip()), card.parent.name)


def _open(opening: Opening[SpeakerOptions]) -> Speaker:
    return Speaker(str(opening.address), role=opening.role, on_event=opening.on_event, supervision=opening.supervision)


DRIVER: Final = Driver(
    id="alsa",
    title="Speaker (ALSA)",
    roles=frozenset({Role.SPEAKER}),
    schemes=frozenset({"sound"}),
    open=_open,
    options=SpeakerOptions,
    find=_cards,
)
