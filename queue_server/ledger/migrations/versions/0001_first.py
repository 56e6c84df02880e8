"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=null)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, primary_key=True)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "events",
        _key("hall"),
        sa.Column("seq", _LONG, primary_key=True, autoincrement=False),
        sa.Column("epoch", _LONG, nullable=False),
        *(_text(name) for name in ("at", "by", "why", "kind", "body", "prev_hash", "hash")),
    )
    op.create_table(
        "answers",
        _key("device"),
        _key("request_id"),
        _text("body_hash"),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        _text("at"),
        _text("ticket", null=True),
    )
    op.create_table(
        "snapshots",
        _key("hall"),
        sa.Column("seq", _LONG, primary_key=True, autoincrement=False),
        _text("head_hash"),
        sa.Column("core_version", sa.Integer(), nullable=False),
        _text("body"),
    )
    op.create_table(
        "leases",
        _key("hall"),
        _text("holder", null=True),
        sa.Column("epoch", _LONG, nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        _text("home", null=True),
    )
    op.create_table(
        "candidates",
        _key("hall"),
        _key("server"),
        sa.Column("since", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    op.create_table(
        "day_heads",
        _key("hall"),
        _key("business_date"),
        sa.Column("seq", _LONG, primary_key=True, autoincrement=False),
        _text("hash"),
        _text("at"),
    )
    op.create_table(
        "devices",
        _key("id"),
        _text("hall"),
        _text("name"),
        _text("state"),
        _text("instance", null=True),
        _text("technician_secret", null=True),
        _text("registered_at"),
        _text("last_hello", null=True),
    )
    op.create_table(
        "staff",
        _key("id"),
        _text("hall"),
        sa.Column("login", _TEXT, nullable=False, unique=True),
        _text("name"),
        _text("password_hash"),
        sa.Column("disabled", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _text("locked_until", null=True),
        _text("created_at"),
    )
    op.create_table("staff_roles", _key("staff"), _key("role"))
    op.create_table(
        "alerts",
        sa.Column("id", _LONG, primary_key=True, autoincrement=True),
        *(_text(name) for name in ("hall", "code", "subject", "severity", "params", "raised_at", "last_at")),
        sa.Column("count", sa.Integer(), nullable=False),
        _text("cleared_at", null=True),
        _text("cleared_by", null=True),
    )
    op.create_index("alerts_open", "alerts", ["hall", "cleared_at"])
    op.create_table(
        "audit",
        sa.Column("id", _LONG, primary_key=True, autoincrement=True),
        *(_text(name) for name in ("hall", "at", "by", "act", "subject", "details")),
    )
    op.create_index("audit_subject", "audit", ["hall", "subject"])
    op.create_table(
        "api_keys",
        _key("id"),
        *(_text(name) for name in ("hall", "channel", "name", "secret_hash", "scopes", "created_at")),
        _text("revoked_at", null=True),
    )
    op.create_table(
        "notices",
        _key("id"),
        _text("hall"),
        sa.Column("seq", _LONG, nullable=False),
        *(_text(name) for name in ("channel", "kind", "at", "body")),
        sa.Column("spread", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_index("notices_to_spread", "notices", ["hall", "spread", "seq"])
    op.create_table(
        "webhooks",
        _key("id"),
        *(_text(name) for name in ("hall", "channel", "url", "secret", "kinds", "created_at")),
        _text("ended_at", null=True),
    )
    op.create_table(
        "deliveries",
        _key("webhook"),
        _key("notice"),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("next_at"),
        _text("last_error", null=True),
    )
    op.create_index("deliveries_due", "deliveries", ["state", "webhook", "next_at"])
