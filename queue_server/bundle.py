"""The bundle: what a terminal loads of its hall over HTTP, addressed by its content's SHA-256."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bundle:
    """`body` is UTF-8 JSON; `sha256` in hex is its address."""

    revision: int
    sha256: str
    body: bytes
