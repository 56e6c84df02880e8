"""A hall's server as a process of its own, for browsers to look at.

Beside the real application it takes orders that a terminal would send over the broker, under `/orders`.
"""

import asyncio
import os
import signal
import struct
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import APIRouter

import queue_server.web.console  # noqa: F401 - imported once, before the forks
from queue_server.voice import SAMPLE_RATE, Announcement, announcement
from queue_server.web.app import make_app
from queue_server.web.settings import WebSettings
from tests.queue_server.speech.spoken import FixedVoice
from tests.queue_server.web.rig import Rig, quick_recalls
from wire.messages import Hello, PeripheralReport, Presence, Reported

HURRY = 3
_RATES = slice(24, 32)
"""Of a WAV file's header: samples and bytes each second."""


def hurried(number: str, counter: str) -> Announcement:
    """A call's recording that is spoken three times as fast: nobody listens here."""
    said = announcement(number, counter)
    wav = bytearray(said.wav)
    wav[_RATES] = struct.pack("<II", HURRY * SAMPLE_RATE, HURRY * SAMPLE_RATE * 2)
    return replace(
        said,
        wav=bytes(wav),
        words_start_s=said.words_start_s / HURRY,
        first_reading_s=said.first_reading_s / HURRY,
        total_s=said.total_s / HURRY,
    )


def orders(rig: Rig) -> APIRouter:
    router = APIRouter(prefix="/orders")

    @router.post("/issue/{service}")
    async def issue(service: str, priority_class: str = "ordinary") -> dict[str, str]:
        taken = await rig.issue(service, priority_class)
        return {"ticket": taken.ticket, "number": taken.number, "token": taken.token}

    @router.post("/help")
    async def ask_for_help() -> dict[str, str]:
        return {"help": await rig.ask_for_help()}

    @router.get("/alerts")
    async def alerts() -> list[str]:
        return [f"{alert.code}:{alert.subject}" for alert in rig.alerts.open()]

    return router


def terminals(rig: Rig) -> None:
    """Two terminals of the registry: a healthy one and one without paper."""
    if rig.devices.now():
        return
    for number, paper in ((1, "ok"), (2, "out")):
        device = f"kiosk-{number}"
        rig.devices.add(device, f"{number} 号自助机(东门)", instance=f"instance-{number}")
        rig.devices.hello(device, Hello(boot_id="0123456789abcdef", conn_seq=1, instance=f"instance-{number}"))
        rig.devices.presence(device, Presence(boot_id="0123456789abcdef", conn_seq=1, state="ready"))
        reader = PeripheralReport(role="id-card-reader", driver="sam-v", health="ok")
        printer = PeripheralReport(
            role="ticket-printer",
            driver="esc-pos",
            health="ok" if paper == "ok" else "fault",
            supplies={"paper": paper},
        )
        rig.devices.reported(device, Reported(peripherals=(reader, printer), versions={"estation": "0.1.0"}))


async def serve(directory: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    rig = Rig(directory, public_url=url, configuration=quick_recalls())
    rig.person("limin", "李敏", "clerk")
    rig.person("wangfang", "王芳", "clerk")
    rig.person("zhaojun", "赵军", "manager", "technician")
    terminals(rig)
    await rig.open()
    settings = WebSettings(public_url=url, minimum_call_s=1.5, beat_s=0.5, stale_after_s=2)
    app = make_app(
        rig.port,
        staff=rig.staff,
        alerts=rig.alerts,
        devices=rig.devices,
        voice=hurried,
        speech=FixedVoice(),
        settings=settings,
        channels=rig.door,
    )
    app.include_router(orders(rig))
    config = uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1)
    try:
        await uvicorn.Server(config).serve()
    finally:
        rig.close()


def main() -> None:
    """Starts a server for each line `DIRECTORY PORT` of the input and prints its process id.

    The libraries are imported once and each server is a fork: starting one takes a moment instead of seconds.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        directory, port = line.split()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(Path(directory) / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for stream in (1, 2):
                os.dup2(log, stream)
            asyncio.run(serve(Path(directory), int(port)))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
