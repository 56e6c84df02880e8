"""Ids that the server makes: unguessable, short enough for a topic or an address."""

import secrets


def new_id() -> str:
    """20 hex digits: 80 random bits."""
    return secrets.token_hex(10)


def new_token() -> str:
    """22 characters for an address that only its holder may know: 128 random bits."""
    return secrets.token_urlsafe(16)
