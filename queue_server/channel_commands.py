"""The commands about booking channels: their API keys and their webhooks."""

from typing import Annotated

import typer

from queue_server import config
from queue_server.channels.keys import SCOPES, BadKey
from queue_server.clock import instant_text, utc_now
from queue_server.console_line import ConfigOption, HallOption, fail, open_stores, say
from queue_server.hall.canonical import canonical
from queue_server.ids import new_id
from queue_server.ledger import AuditNote
from queue_server.ledger.channels import ChannelRegisters, WebhookRow
from queue_server.notices import NOTICE_KINDS
from queue_server.stores import Stores
from queue_server.webhooks_signing import BadTarget, check_url, new_secret

ChannelOption = Annotated[str, typer.Option(help="Id of the channel, such as app, mini-programme, hotline.")]
_BY = canonical({"id": "command-line", "kind": "staff"})


def install(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    for name, command in (
        ("add-api-key", add_api_key),
        ("revoke-api-key", revoke_api_key),
        ("list-api-keys", list_api_keys),
        ("add-webhook", add_webhook),
        ("remove-webhook", remove_webhook),
        ("list-webhooks", list_webhooks),
        ("retry-webhook", retry_webhook),
    ):
        app.command(name)(command)


def add_api_key(
    config_file: ConfigOption,
    *,
    channel: ChannelOption,
    name: Annotated[str, typer.Option(help="Which program or partner has it.")],
    scope: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(SCOPES)}.")],
    hall: HallOption = None,
) -> None:
    """Make a key for a booking channel. Its text is printed this once."""
    with open_stores(config.read(config_file)) as stores:
        try:
            row, text = stores.books(hall).keys.add(channel, name, scope)
        except BadKey as error:
            fail(str(error))
    say({"id": row.id, "channel": row.channel, "scopes": row.scopes.split(), "key": text})


def revoke_api_key(
    config_file: ConfigOption, *, key: Annotated[str, typer.Option("--id")], hall: HallOption = None
) -> None:
    """Make a key worthless; running servers know within seconds."""
    with open_stores(config.read(config_file)) as stores:
        if not stores.books(hall).keys.revoke(key):
            fail(f"there is no key {key!r} in force")
    say({"id": key, "revoked": True})


def list_api_keys(config_file: ConfigOption, *, hall: HallOption = None) -> None:
    """The keys, revoked ones too, without their texts; one line each."""
    with open_stores(config.read(config_file)) as stores:
        for row in stores.books(hall).keys.all():
            say(
                {
                    "id": row.id,
                    "channel": row.channel,
                    "name": row.name,
                    "scopes": row.scopes.split(),
                    "created_at": row.created_at,
                    "revoked_at": row.revoked_at,
                }
            )


def add_webhook(
    config_file: ConfigOption,
    *,
    channel: ChannelOption,
    url: Annotated[str, typer.Option(help="https, or http on this machine.")],
    kind: Annotated[list[str] | None, typer.Option(help=f"Some of: {', '.join(NOTICE_KINDS)}; all, if none.")] = None,
    hall: HallOption = None,
) -> None:
    """Tell a channel's program what becomes of its appointments. The signing secret is printed this once."""
    kinds = sorted(set(kind or NOTICE_KINDS))
    if not set(kinds) <= set(NOTICE_KINDS):
        fail(f"kinds must be some of {', '.join(NOTICE_KINDS)}")
    try:
        check_url(url)
    except BadTarget as error:
        fail(f"{url}: {error}")
    settings = config.read(config_file)
    place = settings.seat(hall).hall
    row = WebhookRow(new_id(), place, channel, url, new_secret(), " ".join(kinds), instant_text(utc_now()))
    with open_stores(settings) as stores:
        stores.channels.add_webhook(row)
        _note(stores, place, "webhook_added", row.id)
    say({"id": row.id, "channel": channel, "url": url, "kinds": kinds, "secret": row.secret})


def remove_webhook(
    config_file: ConfigOption, *, webhook: Annotated[str, typer.Option("--id")], hall: HallOption = None
) -> None:
    """Send it nothing more, also not what is pending."""
    settings = config.read(config_file)
    place = settings.seat(hall).hall
    with open_stores(settings) as stores:
        if not stores.channels.end_webhook(place, webhook, instant_text(utc_now())):
            fail(f"there is no webhook {webhook!r}")
        for code in ("webhook_failing", "webhook_dead"):
            stores.books(hall).alerts.clear(code, webhook, by="command-line")
        _note(stores, place, "webhook_removed", webhook)
    say({"id": webhook, "removed": True})


def list_webhooks(config_file: ConfigOption, *, hall: HallOption = None) -> None:
    """The webhooks with what was delivered, waits and failed, without their secrets; one line each."""
    settings = config.read(config_file)
    with open_stores(settings) as stores:
        for row in stores.channels.webhooks(settings.seat(hall).hall):
            counts = stores.channels.counts(row.id)
            say(
                {
                    "id": row.id,
                    "channel": row.channel,
                    "url": row.url,
                    "kinds": row.kinds.split(),
                    "pending": counts.pending,
                    "delivered": counts.delivered,
                    "dead": counts.dead,
                }
            )


def retry_webhook(
    config_file: ConfigOption, *, webhook: Annotated[str, typer.Option("--id")], hall: HallOption = None
) -> None:
    """Send again what was given up."""
    settings = config.read(config_file)
    place = settings.seat(hall).hall
    with open_stores(settings) as stores:
        if not _known(stores.channels, place, webhook):
            fail(f"there is no webhook {webhook!r}")
        again = stores.channels.retry_dead(webhook, instant_text(utc_now()))
        _note(stores, place, "webhook_retried", webhook)
    say({"id": webhook, "again": again})


def _known(channels: ChannelRegisters, hall: str, webhook: str) -> bool:
    return any(row.id == webhook for row in channels.webhooks(hall))


def _note(stores: Stores, hall: str, act: str, subject: str) -> None:
    stores.registers.note(hall, AuditNote(instant_text(utc_now()), _BY, act, subject))
