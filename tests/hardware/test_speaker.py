"""The speaker: sounds as files, the system's own aplay into a simulated card, and machines without any card."""

import contextlib
import io
import itertools
import struct
import time
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.addresses import SoundAddress
from hardware.cancel import CancelToken
from hardware.device import Supervision
from hardware.errors import BadAddress, DeviceFault, LineLost
from hardware.simulators.line import PtyLine
from hardware.simulators.speaker import SpeakerSimulator
from hardware.speaker.alsa import NoSoundCard, SoundOutput
from hardware.speaker.sound import RATE_HZ, BadSound, sound, tone
from hardware.speaker.speaker import Speaker
from hardware.vocabulary import Detail, Health, Outcome, Verdict
from hardware.worker import BackOff

QUICK = Supervision(BackOff(0.02, 0.05), probe_interval_s=0.1)


def samples(wav):
    with wave.open(io.BytesIO(wav)) as read:
        return struct.unpack(f"<{read.getnframes()}h", read.readframes(read.getnframes()))


def test_a_tone_has_its_pitch_its_length_and_no_click():
    made = samples(tone(440, 0.5).wav)
    assert len(made) == RATE_HZ // 2
    rises = sum(before < 0 <= behind for before, behind in itertools.pairwise(made))
    assert rises == pytest.approx(220, abs=1)
    assert max(map(abs, made)) == pytest.approx(16383, rel=0.01)
    assert max(abs(made[0]), abs(made[-1])) < 200


def test_a_sound_is_looked_at_before_it_is_played():
    assert sound(tone(seconds=0.25).wav).seconds == pytest.approx(0.25)


@given(st.one_of(st.binary(max_size=200), st.integers(0, 43).map(lambda cut: tone(seconds=0.05).wav[:cut])))
def test_what_is_no_sound_is_refused_and_nothing_else_raises(wav):
    with pytest.raises(BadSound):
        sound(wav)


@given(st.integers(44, 1600))
def test_a_sound_that_was_cut_off_is_refused(cut):
    with pytest.raises(BadSound):
        sound(tone(seconds=0.05).wav[:cut])


@given(st.integers(0, 43), st.integers(0, 255))
def test_a_changed_head_is_refused_or_understood(place, octet):
    wav = bytearray(tone(seconds=0.05).wav)
    wav[place] = octet
    with contextlib.suppress(BadSound):
        assert sound(bytes(wav)).seconds > 0


@pytest.fixture
def simulator(tmp_path):
    simulator = SpeakerSimulator(PtyLine(tmp_path / "speaker")).start()
    yield simulator
    simulator.close()


@pytest.fixture
def speaker(simulator, wait_until):
    speaker = Speaker(simulator.address, supervision=QUICK)
    wait_until(lambda: speaker.status.health is Health.OK)
    yield speaker
    speaker.close()


def test_the_card_gets_every_sample_in_its_order(simulator, speaker, soon, wait_until):
    first, second = tone(440, 0.5), tone(880, 0.25)  # whole periods of 0.125 s: ALSA fills the last one with silence
    assert speaker.play(first.wav, soon()).result(20).outcome is Outcome.DONE
    assert speaker.play(second.wav, soon()).result(20).outcome is Outcome.DONE
    wanted = samples(first.wav) + samples(second.wav)
    wait_until(lambda: len(simulator.samples) == len(wanted))
    assert tuple(simulator.samples) == wanted


def test_what_is_no_sound_is_refused_by_name(simulator, speaker, soon):
    played = speaker.play(b"RIFF", soon()).result(20)
    assert (played.outcome, played.detail) == (Outcome.NOT_SUPPORTED, Detail.BAD_SOUND)
    assert len(simulator.samples) == 0


def test_a_cancel_ends_a_sound_that_does_not_get_on(simulator, speaker, soon, wait_until):
    simulator.set_faults(takes_nothing=True)
    cancel = CancelToken()
    playing = speaker.play(tone(seconds=5).wav, soon(), cancel=cancel)
    cancel.cancel()
    assert playing.result(20).outcome is Outcome.CANCELLED
    simulator.clear_faults()
    assert speaker.play(tone(seconds=0.1).wav, soon()).result(20).outcome is Outcome.DONE


def test_a_card_that_takes_no_sound_is_unknown_and_not_done(simulator, speaker, soon):
    simulator.set_faults(takes_nothing=True)
    assert speaker.play(tone(seconds=1).wav, time.monotonic() + 0.3).result(20).outcome is Outcome.TIMED_OUT
    report = speaker.self_test(time.monotonic() + 0.3).result(20)
    assert report.verdict is Verdict.UNKNOWN


def test_the_self_test_plays_a_tone(speaker, soon):
    report = speaker.self_test(soon()).result(20)
    assert [(step.name, step.verdict) for step in report.steps] == [("status", Verdict.PASS), ("tone", Verdict.PASS)]


@pytest.fixture
def cards(tmp_path):
    """What the kernel shows of one sound card called PCH."""
    (tmp_path / "asound" / "card0").mkdir(parents=True)
    (tmp_path / "asound" / "PCH").symlink_to("card0")
    return tmp_path / "asound"


def test_without_any_card_or_without_aplay_sound_is_not_supported(tmp_path, cards):
    for output in (
        SoundOutput(SoundAddress("default"), cards=tmp_path / "none"),
        SoundOutput(SoundAddress("default"), cards=cards, aplay=tmp_path / "none"),
    ):
        with pytest.raises(NoSoundCard):
            output.look()


def test_another_card_than_the_one_that_is_there_is_lost(cards):
    SoundOutput(SoundAddress("PCH"), cards=cards).look()
    SoundOutput(SoundAddress("default"), cards=cards).look()
    with pytest.raises(LineLost):
        SoundOutput(SoundAddress("USB"), cards=cards)


def test_a_card_that_alsa_cannot_open_is_at_fault(cards):
    """The kernel shows it, and aplay (the real one) finds nothing behind it."""
    with pytest.raises(DeviceFault) as caught:
        SoundOutput(SoundAddress("PCH"), cards=cards).play(tone(seconds=0.1).wav, 0.1, lambda: None)
    assert caught.value.detail is Detail.SOUND_REFUSED


def test_a_speaker_is_a_sound_card():
    with pytest.raises(BadAddress, match="sound:"):
        Speaker("serial:/dev/ttyUSB0")
