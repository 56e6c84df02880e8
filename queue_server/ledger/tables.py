"""The ledger's tables. Text instants are RFC 3339 in UTC; `body`, `by` and `details` are canonical JSON text."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table
from sqlalchemy import Text as AnyText

metadata = MetaData()

_Long = BigInteger().with_variant(Integer, "sqlite")
# both engines order and compare text by its code points, whatever the language of a cluster
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")

events = Table(
    "events",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("epoch", _Long, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("device", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("ticket", Text),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("head_hash", Text, nullable=False),
    Column("core_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("holder", Text),
    Column("epoch", _Long, nullable=False),
    Column("until", Float(53), nullable=False),
    Column("home", Text),
)

candidates = Table(
    "candidates",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("since", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
)

day_heads = Table(
    "day_heads",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("business_date", Text, primary_key=True),
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("at", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("instance", Text),
    Column("technician_secret", Text),
    Column("registered_at", Text, nullable=False),
    Column("last_hello", Text),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Text),
    Column("created_at", Text, nullable=False),
)

staff_roles = Table(
    "staff_roles",
    metadata,
    Column("staff", Text, primary_key=True),
    Column("role", Text, primary_key=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", _Long, primary_key=True, autoincrement=True),
    Column("hall", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("raised_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("cleared_at", Text),
    Column("cleared_by", Text),
    Index("alerts_open", "hall", "cleared_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Long, primary_key=True, autoincrement=True),
    Column("hall", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("audit_subject", "hall", "subject"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("seq", _Long, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("spread", Integer, nullable=False, server_default="0"),
    Index("notices_to_spread", "hall", "spread", "seq"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("notice", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("last_error", Text),
    Index("deliveries_due", "state", "webhook", "next_at"),
)
