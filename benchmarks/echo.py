"""An echo in a process of its own: what the link and the broker cost when nothing is decided or stored."""

import asyncio
import json
import sys

from provisioning.broker import Account
from wire import topics
from wire.access import Server
from wire.link import Incoming, LinkSettings, MqttLink, Outgoing

ECHO = Server("echo", ("echo",))


async def serve(host: str, port: int, account: Account) -> None:
    """Send every request of hall `echo` back to its device's answer topic, unread."""

    async def on_message(incoming: Incoming) -> None:
        topic = topics.parse(incoming.topic)
        if topic is not None and topic.device is not None:
            await link.publish(Outgoing(topics.answer(topic.device), incoming.payload))

    async def on_connected(_conn_seq: int) -> None:
        print("ready", flush=True)

    settings = LinkSettings(
        host,
        port,
        account.client_id or account.username,
        account.username,
        account.password,
        inflight=100,
        subscriptions=(topics.request("echo", "+"),),
    )
    link = MqttLink(settings, on_message, on_connected, lambda _reason: None)
    await link.run()


def main() -> None:
    """Reads its address and account as one JSON line from standard input, so that no password is in a command line."""
    given = json.loads(sys.stdin.readline())
    account = Account(given["username"], given["password"], given["username"], ())
    asyncio.run(serve(given["host"], given["port"], account))


if __name__ == "__main__":
    main()
