"""Alembic's entry: runs the migrations on the connection that `database.upgrade` hands over."""

from alembic import context

from queue_server.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
