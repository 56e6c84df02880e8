"""What our layer costs over the bare line and over pcscd, for cards; `benchmarks.device_latency` prints it.

Goals: from find-OK to fields ≤ 1.1 × the line's own time at 115,200 baud; from a card put in to our event ≤ 1.2 × the
time to pcscd's own event in another program. Bare and driven turns alternate, so that both meet the same machine.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event
from typing import Final

from benchmarks.device_latency import Ratio, ratio
from hardware.addresses import parse_line_address
from hardware.card_waiting import CardEvent
from hardware.events import CardInserted, DeviceEvent
from hardware.id_card.reader import IdCardReader
from hardware.lines import Line, open_line
from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import BITS_PER_BYTE, PtyLine
from hardware.simulators.simulator import Place
from hardware.simulators.smart_card import SmartCardSimulator, simulate_social

BAUD: Final = 115200
PREAMBLE: Final = bytes.fromhex("AAAAAA9669")
FIND: Final = PREAMBLE + bytes.fromhex("0003200122")
SELECT: Final = PREAMBLE + bytes.fromhex("0003200221")
READ: Final = PREAMBLE + bytes.fromhex("0003300132")
FOUND_SIZE: Final = 15
SELECTED_SIZE: Final = 19
READ_SIZE: Final = 1295
LINE_S: Final = (len(SELECT) + SELECTED_SIZE + len(READ) + READ_SIZE) * BITS_PER_BYTE / BAUD
BETWEEN_CARDS_S: Final = 0.7
"""pcscd looks every 0.4 s, and a card must be missed before the next one."""
ANSWER_S: Final = 20.0


def id_card_read(turns: int) -> tuple[Ratio, Ratio]:
    """From find-OK to all fields: over the line's own time, and over a bare exchange of the same bytes."""
    driven, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        simulator = IdCardReaderSimulator(PtyLine(Path(folder) / "reader", baud=BAUD), find_again_after_read=True)
        simulator.start()
        try:
            for _ in range(turns):
                simulator.lay(SAMPLE_CARDS[0])
                bare.append(_bare_read(simulator.address))
                simulator.lift()
                driven.append(_driven_read(simulator))
                simulator.lift()
        finally:
            simulator.close()
    return (
        ratio("ID card: find-OK to fields / the line's own time", driven, [LINE_S], 1.1),
        ratio("ID card: find-OK to fields / bare exchange", driven, bare, 1.1),
    )


def _bare_read(address: str) -> float:
    line = open_line(parse_line_address(address))
    try:
        _ask(line, FIND, FOUND_SIZE)
        began = time.monotonic()
        _ask(line, SELECT, SELECTED_SIZE)
        _ask(line, READ, READ_SIZE)
        return time.monotonic() - began
    finally:
        line.close()


def _ask(line: Line, request: bytes, size: int) -> None:
    deadline = time.monotonic() + ANSWER_S
    line.write(request, deadline)
    got = 0
    while got < size:
        part = line.read_available(deadline)
        if not part:
            raise TimeoutError("the simulated reader did not answer")
        got += len(part)


def _driven_read(simulator: IdCardReaderSimulator) -> float:
    found: list[float] = []

    def heard(event: CardEvent) -> None:
        if event is CardEvent.CARD_FOUND:
            found.append(time.monotonic())

    reader = IdCardReader(simulator.address)
    try:
        future = reader.wait_for_card(time.monotonic() + ANSWER_S, on_event=heard)
        simulator.lay(SAMPLE_CARDS[0])
        card = future.result(ANSWER_S).card
        if card is None:
            raise TimeoutError("the card was not read")
        fields = (card.name, card.sex, card.nation, card.birth_date, card.address, card.number, card.issuer)
        ended = time.monotonic()
        if fields[0] != SAMPLE_CARDS[0].name:
            raise ValueError("another card was read")
        card.wipe()
        return ended - found[0]
    finally:
        reader.close()


_WATCHER: Final = """
import sys, time
from smartcard.scard import *
context = SCardEstablishContext(SCARD_SCOPE_USER)[1]
state = SCardGetStatusChange(context, 0, [(sys.argv[1], 0)])[1][0][1]
print("ready", flush=True)
while True:
    code, found = SCardGetStatusChange(context, 600000, [(sys.argv[1], state & ~SCARD_STATE_CHANGED)])
    at = time.monotonic()
    state = found[0][1]
    if state & SCARD_STATE_PRESENT:
        print(at, flush=True)
"""


def card_insertion(turns: int) -> Ratio:
    """From a card put in to our event, over pcscd's own event in a bare program of its own."""
    from hardware.smart_card.reader import SocialCardReader  # noqa: PLC0415 - after the simulator chose the daemon

    simulator = simulate_social(Place(Path())).start()
    ours, theirs = [], []
    heard: list[float] = []
    inserted = Event()

    def listen(event: DeviceEvent) -> None:
        if isinstance(event, CardInserted):
            heard.append(time.monotonic())
            inserted.set()

    watcher = subprocess.Popen((sys.executable, "-c", _WATCHER, simulator.name), stdout=subprocess.PIPE, text=True)
    reader = SocialCardReader(simulator.address, on_event=listen)
    try:
        _line(watcher)
        for _ in range(turns):
            time.sleep(BETWEEN_CARDS_S)
            at = _insert(simulator, inserted)
            theirs.append(float(_line(watcher)) - at)
            ours.append(heard[-1] - at)
            simulator.pull()
    finally:
        reader.close()
        watcher.kill()
        watcher.wait()
        simulator.close()
    return ratio("chip card: put in to our event / to pcscd's own", ours, theirs, 1.2)


def _insert(simulator: SmartCardSimulator, inserted: Event) -> float:
    inserted.clear()
    at = time.monotonic()
    simulator.insert()
    if not inserted.wait(ANSWER_S):
        raise TimeoutError("the card was not noticed")
    return at


def _line(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        raise TypeError("no pipe")
    return process.stdout.readline()


def card_ratios(turns: int = 15) -> tuple[Ratio, ...]:
    """All of them, for the table of the devices."""
    return (*id_card_read(turns), card_insertion(turns))
