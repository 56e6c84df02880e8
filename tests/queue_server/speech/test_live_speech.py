"""Live speech in its own process: real where the extra `speech` is installed, refused by name where it is not."""

import asyncio
import io
import os
import wave
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from queue_server import live_speech
from queue_server.live_speech import LiveSpeech, SpeechRefusedError, installed
from queue_server.speech.sentence import TextRefusedError
from queue_server.voice import SAMPLE_RATE

SENTENCE = "请带老人的市民到三号窗口优先办理"


async def test_a_sentence_is_spoken_where_the_extra_is_installed_and_else_refused_by_name() -> None:
    if not installed():
        with pytest.raises(SpeechRefusedError) as refused:
            await LiveSpeech().say(SENTENCE)
        assert refused.value.code == "speech_not_installed"
        return
    with wave.open(io.BytesIO(await LiveSpeech().say(SENTENCE))) as said:
        assert (said.getnchannels(), said.getsampwidth(), said.getframerate()) == (1, 2, SAMPLE_RATE)
        assert 2 < said.getnframes() / SAMPLE_RATE < 6


async def test_without_its_packages_it_refuses_and_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_speech, "_PACKAGES", ("no_such_package",))
    with pytest.raises(SpeechRefusedError) as refused:
        await LiveSpeech().say(SENTENCE)
    assert refused.value.code == "speech_not_installed"
    assert "speech" in refused.value.params["install"]


async def test_a_text_that_may_not_be_spoken_starts_no_process() -> None:
    with pytest.raises(TextRefusedError):
        await LiveSpeech().say("★")


def interpreter(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Another program in place of the interpreter: the model's process, failing as told."""
    monkeypatch.setattr(live_speech, "_PACKAGES", ())
    monkeypatch.setattr(live_speech, "_COMMAND", ("/bin/sh", "-c", program))


async def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(monkeypatch, "exec sleep 600")
    with pytest.raises(SpeechRefusedError) as refused:
        await LiveSpeech(longest_s=0.1).say(SENTENCE)
    assert refused.value.code == "speech_failed"


async def test_a_process_that_fails_is_told_without_a_word_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(monkeypatch, "cat >/dev/null; echo 'OSError at model.py:1' >&2; exit 4")
    with capture_logs() as logs, pytest.raises(SpeechRefusedError):
        await LiveSpeech().say(SENTENCE)
    assert logs[0]["cause"] == "OSError at model.py:1"
    assert logs[0]["length"] == len(SENTENCE)
    assert not any(sign in str(logs) for sign in SENTENCE)


async def test_who_waits_too_many_is_refused_and_the_others_are_spoken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(monkeypatch, "cat; sleep 0.05")
    speech = LiveSpeech()
    texts = [f"第{sign}位" for sign in "一二三四五六"]
    said = await asyncio.gather(*(speech.say(text) for text in texts), return_exceptions=True)
    assert [answer.decode() for answer in said if isinstance(answer, bytes)] == texts[:4]
    assert [answer.code for answer in said if isinstance(answer, SpeechRefusedError)] == ["speech_busy"] * 2
    assert (await speech.say("请")) == "请".encode()


async def test_an_asker_who_goes_away_leaves_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    interpreter(monkeypatch, f"echo $$ >{mark}.new; mv {mark}.new {mark}; exec sleep 600")
    speech = LiveSpeech()
    task = asyncio.create_task(speech.say(SENTENCE))
    async with asyncio.timeout(30):
        while not mark.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    interpreter(monkeypatch, "cat")
    assert await speech.say("请") == "请".encode()
