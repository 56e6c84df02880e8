"""The process of a simulated chip card: it dials the virtual reader (card in), answers, and hangs up (card out).

Wire of vpcd: each message is a length of two bytes, big-endian, and that many bytes. From the reader: one byte 00 power
off, 01 power on, 02 reset, 04 wants the ATR; anything longer is a command. Orders come as JSON lines on standard input,
each answered by `ok`.
"""

import contextlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from typing import Any, Final

from hardware.simulators.chip_cards import BankChip, ChipCard, Holder, SocialSecurityChip

POWER_OFF, POWER_ON, RESET = range(3)
NO_ATR: Final = b"\x00\x01"
"""What comes of a chip whose contacts do not meet; with no bytes at all the virtual reader would see no card."""
HAND_S: Final = 0.5
"""The shortest time from one card to the next; pcscd looks every 0.4 s."""
REDIAL_S: Final = 0.02


class UnknownChip(ChipCard):
    """A card of another kind: no application here is on it."""

    def carry_out(self, _command: bytes) -> bytes:
        return bytes.fromhex("6A82")


class CardProcess:
    """The card in one reader."""

    def __init__(self) -> None:
        self._port = 0
        self._faults: dict[str, Any] = {}
        self._service: int | None = None
        self._answered = self._sent = 0
        self._left_at = 0.0
        self._link: socket.socket | None = None
        self._out = threading.Event()
        self._out.set()
        self._thread: threading.Thread | None = None

    def obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "reader":
                self._port = order["port"]
            case "faults":
                self._faults, self._service = order["faults"], order["service"]
                self._answered = self._sent = 0
            case "insert":
                self._pull()
                self._insert(_card(order["card"]))
            case "pull":
                self._pull()

    def _insert(self, card: ChipCard) -> None:
        self._answered = self._sent = 0
        time.sleep(max(0.0, self._left_at + HAND_S - time.monotonic()))
        self._out = threading.Event()
        self._thread = threading.Thread(target=self._in_reader, args=(card, self._out, self._port), daemon=True)
        self._thread.start()

    def _pull(self) -> None:
        self._out.set()
        link = self._link
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _in_reader(self, card: ChipCard, out: threading.Event, port: int) -> None:
        """In the reader until pulled; a reader that comes back (its service was started anew) finds the card in it."""
        while not out.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port)) as link:
                    self._link = link
                    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._serve(card, link, out)
            except OSError:
                pass
            finally:
                self._link = None
                self._left_at = time.monotonic()
            out.wait(REDIAL_S)

    def _serve(self, card: ChipCard, link: socket.socket, out: threading.Event) -> None:
        while not out.is_set():
            message = _receive(link, int.from_bytes(_receive(link, 2)))
            if len(message) == 1:
                if message[0] in (POWER_ON, POWER_OFF, RESET):
                    card.power()
                else:
                    self._send(link, NO_ATR if self._faults["mute"] else card.atr)
                continue
            if message and not self._answer(card, link, message, out):
                return

    def _answer(self, card: ChipCard, link: socket.socket, command: bytes, out: threading.Event) -> bool:
        """False when the card is pulled."""
        faults = self._faults
        if faults["silent_after"] is not None and self._answered >= faults["silent_after"]:
            while self._faults is faults and not out.wait(REDIAL_S):
                pass
        if self._service is not None and faults["service_dies_after"] == self._answered:
            os.kill(self._service, signal.SIGKILL)
        if faults["pulled_after"] is not None and self._answered >= faults["pulled_after"]:
            out.set()
            return False
        answer = self._spoilt(command, card.answer(command))
        time.sleep(faults["delay_s"])
        self._answered += 1
        limit = faults["pulled_after_bytes"]
        if limit is not None and self._sent + len(answer) >= limit:
            link.sendall((len(answer).to_bytes(2) + answer)[: 2 + limit - self._sent])
            out.set()
            return False
        self._sent += len(answer)
        self._send(link, answer)
        return True

    def _spoilt(self, command: bytes, answer: bytes) -> bytes:
        faults = self._faults
        if faults["endless"]:
            answer = bytes.fromhex("6110")
        if faults["read_sw"] is not None and command[1:2] == b"\xb2":
            answer = faults["read_sw"].to_bytes(2)
        if faults["garbage"]:
            answer = random.Random(self._answered).randbytes(40)  # noqa: S311 - noise
        return answer if faults["truncate_at"] is None else answer[: faults["truncate_at"]]

    def _send(self, link: socket.socket, data: bytes) -> None:
        link.sendall(len(data).to_bytes(2) + data)


def _receive(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        # Without it each exchange waits 40 ms for a delayed acknowledgement; it does not last beyond one receive.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not part:
            raise ConnectionError
        data += part
    return data


def _card(words: dict[str, Any]) -> ChipCard:
    if words["kind"] == "social":
        holder = Holder(**words["holder"])
        chip = SocialSecurityChip(holder, fetches=words["fetches"], by_tag=words["by_tag"], exact=words["exact"])
        for tag in words["without"]:
            chip.without(tag)
        return chip
    if words["kind"] == "bank":
        return BankChip(
            words["account"],
            contactless=words["contactless"],
            directory=words["directory"],
            track2=words["track2"],
            fetches=words["fetches"],
        )
    return UnknownChip()


def main() -> None:
    process = CardProcess()
    for line in sys.stdin:
        process.obey(json.loads(line))
        sys.stdout.write("ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
