"""One hall of this server, running: its thread, its side of the wire, the file that configures it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from queue_server.config import Config, ConfigError, HallSeat, secret
from queue_server.hall import Actor, ConfigurationError, Configure, HallConfiguration, Refusal, configuration_from_json
from queue_server.hall_port import Done
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.stores import Stores
from queue_server.wire_side import WireSettings, WireSide
from wire.link import Link, LinkSettings, MqttLink
from wire.person_key import KEY_BYTES

if TYPE_CHECKING:
    from queue_server.channels.api import ChannelDoor

log = structlog.get_logger(__name__)

INFLIGHT = 100
"""Answers on their way at once, as many as the broker's configuration takes: the terminals of a hall ask together."""
BACKOFF_CAP_S = 2.0
"""A broker that comes back has all terminals before it, and none is served before the server is there: servers are few,
and need not spread as terminals do."""


class Seat:
    """`start` once, `stop` once."""

    def __init__(self, config: Config, place: HallSeat, stores: Stores) -> None:
        self.place = place
        self.books = stores.books(place.hall)
        self._server = config.server
        self._alerts = self.books.alerts
        self.hall = HallThread(
            HallSettings(
                hall=place.hall,
                server=config.server,
                public_url=place.url,
                data=config.data,
                lease_ttl=config.store.lease,
            ),
            stores.ledger,
            self.books.alerts,
            self.books.devices,
        )
        self._channels = stores.channels
        settings = WireSettings(place.server, place.hall, place.url, config.device_rate)
        self._side = WireSide(settings, self.hall, self.books.devices, self.books.alerts)

    def door(self) -> "ChannelDoor":
        """For the booking channels. Raises `ConfigError` for a key file that holds no key."""
        # imported here: the hall is ready before the web part is loaded
        from queue_server.channels.api import ChannelDoor  # noqa: PLC0415
        from queue_server.channels.service import ChannelService  # noqa: PLC0415

        service = ChannelService(self.hall, hall_key=_hall_key(self.place.key_file), public_url=self.place.url)
        return ChannelDoor(service, self.books.keys)

    async def send_webhooks(self) -> None:
        """Tell the booking channels what they want to know, until cancelled."""
        from queue_server.webhooks import WebhookSender  # noqa: PLC0415 - as above

        await WebhookSender(self.hall, self._channels, self._alerts, leads=lambda: self.hall.epoch is not None).run()

    def start(self, on_failed: Callable[[], None]) -> None:
        """Begin to lead, or to stand by; `on_failed` is called, on the hall's thread, if it ends by itself."""
        self.hall.start(self._wire, on_failed)

    def stop(self) -> bool:
        """End, with a snapshot and the lease given back; False if it took too long. Blocks."""
        return self.hall.stop()

    async def _wire(self) -> None:
        """The wire, on the hall's loop: a ticket's way crosses no other thread, and no page's load holds it up."""
        link = self._link()
        self._side.bind(link)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(self._side.run())

    def _link(self) -> Link:
        mqtt = self.place.mqtt
        settings = LinkSettings(
            host=mqtt.host,
            port=mqtt.port,
            client_id=mqtt.client_id or mqtt.username,
            username=mqtt.username,
            password=secret(mqtt.password_file),
            inflight=INFLIGHT,
            backoff_cap_s=BACKOFF_CAP_S,
            will=self._side.will,
            subscriptions=self._side.subscriptions,
            # wall time, so that every process of this server counts on from the one before
            conn_seq=int(time.time()),
        )
        return MqttLink(settings, self._side.on_message, self._side.on_connected, self._side.on_lost)

    async def configure(self) -> None:
        """Put the hall's file in force, as soon as this server leads."""
        path, hall = self.place.file, self.place.hall
        if path is None:
            return
        try:
            configuration = await asyncio.to_thread(_read_hall, path)
        except (OSError, ConfigurationError) as error:
            problems = [f"{p.code} at {p.where}" for p in getattr(error, "problems", ())]
            log.error("hall_file_unusable", path=str(path), error=type(error).__name__, problems=problems)
            self._alerts.raise_("configuration_refused", hall, reason=type(error).__name__)
            return
        command = Configure(by=Actor("system", self._server), configuration=configuration)
        while True:
            outcome = await self.hall.execute(command)
            if isinstance(outcome, Done):
                self._alerts.clear("configuration_refused", hall)
                return
            if isinstance(outcome, Refusal):
                log.error("hall_file_refused", hall=hall, code=outcome.code, params=outcome.params())
                self._alerts.raise_("configuration_refused", hall, reason=outcome.code)
                return
            await asyncio.sleep(min(outcome.retry_after or 1.0, 1.0))


def _hall_key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        key = bytes.fromhex(secret(path))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{path}: 64 hex digits are wanted")
    return key


def _read_hall(path: Path) -> HallConfiguration:
    return configuration_from_json(path.read_bytes())
