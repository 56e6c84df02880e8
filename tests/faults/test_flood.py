"""A device that sends without end, against a real server: how much is too much, its configuration says."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from queue_server.device_budget import BURST
from tests.faults.machines import HALL, Kiosk, ServerProcess, lay_out
from tests.wire.seats import until
from wire import messages, topics
from wire.codec import decode, encode
from wire.link import Outgoing

AT_ONCE = 100


def too_many(answers: dict[str, list[bytes]]) -> list[float]:
    """After how many seconds the device may come back, by each refusal."""
    bodies = [decode(payload)[1] for payloads in answers.values() for payload in payloads]
    refused = [body for body in bodies if isinstance(body, messages.Refused) and body.code == "too_many_requests"]
    return [body.retry_after or 0 for body in refused]


async def test_a_device_that_may_send_one_message_a_second_is_told_to_stay_away_for_minutes(tmp_path: Path) -> None:
    site = lay_out(tmp_path, ["k1"], device_rate=1)
    async with site.broker:
        with ServerProcess(site) as server:
            await server.leads(1)
            kiosk = Kiosk(site, "k1")
            await kiosk.ask(messages.Help(screen="home"))
            said = kiosk.answers
            for n in range(1, BURST + AT_ONCE):
                name = f"0badf00d-{n}"
                body = encode(messages.Help(screen="home"), message_id=name, at=datetime.now(UTC))
                await kiosk.link.publish(Outgoing(topics.request(HALL, "k1"), body))
                if n % AT_ONCE == 0 and n < BURST:
                    await until(partial(said.__contains__, name), patience_s=60)
            await until(lambda: bool(too_many(said)), patience_s=60)
            assert too_many(said)[0] > BURST / 3, "half of the budget comes back in half of the seconds of a burst"
            await kiosk.leave()
            assert await asyncio.wait_for(server.end(), 60) == 0
