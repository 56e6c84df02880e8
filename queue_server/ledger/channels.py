"""The registers of the booking channels: their keys, their webhooks, and what is still to be delivered. Blocking."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, insert, select, update

from queue_server.ledger import tables
from queue_server.ledger.database import Database
from queue_server.ledger.port import Notice

PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """`secret_hash` is SHA-256 in hex of 256 random bits; `scopes` are separated by spaces."""

    id: str
    hall: str
    channel: str
    name: str
    secret_hash: str
    scopes: str
    created_at: str
    revoked_at: str | None = None

    def __repr__(self) -> str:
        return f"ApiKeyRow({self.id}, {self.channel})"


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """`secret` signs what is sent, so it is kept as it is; `kinds` are separated by spaces."""

    id: str
    hall: str
    channel: str
    url: str
    secret: str
    kinds: str
    created_at: str
    ended_at: str | None = None

    def __repr__(self) -> str:
        return f"WebhookRow({self.id}, {self.channel})"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One notice for one webhook: `pending` until it is `delivered`, or `dead` after the last attempt."""

    webhook: str
    notice: str
    state: str
    attempts: int
    next_at: str
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookCounts:
    """How many deliveries of a webhook are in which state."""

    pending: int = 0
    delivered: int = 0
    dead: int = 0


class ChannelRegisters:
    """Every method may raise `LedgerUnavailable`, the writing ones `LedgerFull`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- keys

    def api_keys(self, hall: str) -> list[ApiKeyRow]:
        """All keys of a hall, revoked ones too."""
        table = tables.api_keys
        rows = select(table).where(table.c.hall == hall).order_by(table.c.created_at, table.c.id)
        with self._database.read() as connection:
            return [ApiKeyRow(**row._mapping) for row in connection.execute(rows)]

    def add_api_key(self, key: ApiKeyRow) -> None:
        with self._database.write() as connection:
            connection.execute(insert(tables.api_keys).values(asdict(key)))

    def revoke_api_key(self, hall: str, key: str, at: str) -> bool:
        """False if there is no such key in force."""
        table = tables.api_keys
        mine = (table.c.hall == hall) & (table.c.id == key) & table.c.revoked_at.is_(None)
        with self._database.write(from_reserve=True) as connection:
            return connection.execute(update(table).where(mine).values(revoked_at=at)).rowcount == 1

    # --- webhooks

    def webhooks(self, hall: str) -> list[WebhookRow]:
        """The webhooks of a hall that have not ended."""
        table = tables.webhooks
        mine = select(table).where(table.c.hall == hall, table.c.ended_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(table.c.created_at, table.c.id))
            return [WebhookRow(**row._mapping) for row in rows]

    def add_webhook(self, webhook: WebhookRow) -> None:
        with self._database.write() as connection:
            connection.execute(insert(tables.webhooks).values(asdict(webhook)))

    def end_webhook(self, hall: str, webhook: str, at: str) -> bool:
        """Send it nothing more, also not what is pending; False if there is no such webhook."""
        table, sent = tables.webhooks, tables.deliveries
        mine = (table.c.hall == hall) & (table.c.id == webhook) & table.c.ended_at.is_(None)
        with self._database.write() as connection:
            ended = connection.execute(update(table).where(mine).values(ended_at=at)).rowcount == 1
            if ended:
                connection.execute(delete(sent).where(sent.c.webhook == webhook, sent.c.state == PENDING))
            return ended

    def counts(self, webhook: str) -> WebhookCounts:
        sent = tables.deliveries
        by_state = select(sent.c.state, func.count()).where(sent.c.webhook == webhook).group_by(sent.c.state)
        with self._database.read() as connection:
            return WebhookCounts(**{row[0]: row[1] for row in connection.execute(by_state)})

    def retry_dead(self, webhook: str, at: str) -> int:
        """Make the webhook's dead deliveries pending again, due at once; how many."""
        sent = tables.deliveries
        mine = (sent.c.webhook == webhook) & (sent.c.state == DEAD)
        with self._database.write() as connection:
            again = update(sent).where(mine).values(state=PENDING, attempts=0, next_at=at)
            return connection.execute(again).rowcount

    # --- deliveries

    def spread(self, hall: str, limit: int = 500) -> int:
        """Make a delivery of each new notice for each webhook that wants it, in one transaction; notices handled."""
        table = tables.notices
        new = select(table).where(table.c.hall == hall, table.c.spread == 0).order_by(table.c.seq).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(new).all()
        if not rows:
            return 0
        hooks = self.webhooks(hall)
        deliveries = [
            asdict(DeliveryRow(hook.id, row.id, PENDING, 0, row.at))
            for row in rows
            for hook in hooks
            if hook.channel == row.channel and row.kind in hook.kinds.split()
        ]
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id.in_([row.id for row in rows])).values(spread=1))
            if deliveries:
                # a server that was fenced off meanwhile fails here on the keys of the one that leads
                connection.execute(insert(tables.deliveries), deliveries)
        return len(rows)

    def due(self, webhook: str, at: str, limit: int) -> list[tuple[DeliveryRow, Notice]]:
        """Pending deliveries of a webhook whose time has come, the oldest notices first."""
        sent, said = tables.deliveries, tables.notices
        columns = [said.c[name] for name in Notice._fields]
        mine = (
            select(sent, *(column.label(f"notice_{column.name}") for column in columns))
            .join(said, said.c.id == sent.c.notice)
            .where(sent.c.webhook == webhook, sent.c.state == PENDING, sent.c.next_at <= at)
            .order_by(said.c.seq)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                (
                    DeliveryRow(**{name: getattr(row, name) for name in DeliveryRow.__slots__}),
                    Notice(**{name: getattr(row, f"notice_{name}") for name in Notice._fields}),
                )
                for row in connection.execute(mine)
            ]

    def next_due(self, webhooks: Iterable[str]) -> str | None:
        """When the first pending delivery of these webhooks is due."""
        sent = tables.deliveries
        first = select(func.min(sent.c.next_at)).where(sent.c.webhook.in_(tuple(webhooks)), sent.c.state == PENDING)
        with self._database.read() as connection:
            found: str | None = connection.execute(first).scalar_one()
            return found

    def settle(self, deliveries: Iterable[DeliveryRow]) -> None:
        """Write what became of deliveries."""
        rows = [asdict(delivery) for delivery in deliveries]
        sent = tables.deliveries
        with self._database.write() as connection:
            for row in rows:
                mine = (sent.c.webhook == row["webhook"]) & (sent.c.notice == row["notice"])
                connection.execute(update(sent).where(mine).values(row))

    def forget_notices(self, hall: str, before: str) -> int:
        """Remove notices older than `before` that no delivery waits for, with their deliveries; how many."""
        said, sent = tables.notices, tables.deliveries
        waiting = select(sent.c.notice).where(sent.c.state != DELIVERED)
        old = select(said.c.id).where(
            said.c.hall == hall, said.c.at < before, said.c.spread == 1, said.c.id.not_in(waiting)
        )
        with self._database.write() as connection:
            connection.execute(delete(sent).where(sent.c.notice.in_(old)))
            return connection.execute(delete(said).where(said.c.id.in_(old))).rowcount
