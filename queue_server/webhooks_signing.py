"""How a webhook is signed, and where it may go.

Signing follows the Standard Webhooks specification 1.0.0 (standardwebhooks.com): HMAC-SHA256 over
`<id>.<timestamp>.<body>` with the 24 to 64 bytes behind `whsec_`, in Base64, as `v1,<signature>`. The receiver refuses
a timestamp that is minutes old, and an id that it has seen.
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

_PREFIX = "whsec_"
_SECRET_BYTES = 32


class BadTarget(ValueError):
    """Nothing is sent there; the text says why. The technician gives another address."""


def new_secret() -> str:
    """A secret for one webhook: 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, notice: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one delivery; `timestamp` is seconds since 1970 at the attempt."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    made = hmac.new(key, f"{notice}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": notice,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
        "content-type": "application/json",
    }


def check_url(url: str) -> str:
    """The address, if a webhook may have it: https, or http on this machine. Raises `BadTarget`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise BadTarget("not an address") from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget("an address with a host, without login and fragment, is needed")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return url
    raise BadTarget("only https, or http on this machine's loopback, is sent to")


def check_addresses(url: str, found: Iterable[str]) -> None:
    """Refuses the resolved addresses that no receiver of another programme has. Raises `BadTarget`.

    Link-local ones answer with a machine's own credentials in many clouds; loopback behind a public name is this
    server itself. Private networks are allowed: a government's receivers stand there, and TLS proves the name.
    """
    named = urlsplit(url).hostname or ""
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        odd = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
        if odd or (address.is_loopback and not _is_loopback(named)):
            raise BadTarget("the name leads to an address that is not sent to")


def resolve(url: str) -> list[str]:
    """The addresses behind a URL's name. Blocks; raises `OSError`."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [str(info[4][0]) for info in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
