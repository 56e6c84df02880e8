"""What the web part is told by the program that starts it."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Addresses and times of the web part. Times in seconds.

    `public_url`: the address under which phones and terminals reach this server, without a slash at its end.
    `display_servers`: addresses of all servers of the hall, this one first; empty where there is only this one.
    """

    public_url: str
    display_servers: tuple[str, ...] = ()
    minimum_call_s: float = 7
    """How long a call holds the display's upper half before the next one takes it."""
    call_fresh_s: float = 15
    """Age up to which a display that was cut off still announces a call."""
    beat_s: float = 4
    stale_after_s: float = 15
    behind_after_s: float = 30
    """Longest wait of a call for its announcement before the manager is told."""
    speaker_lease_s: float = 30
    token_lifetime: timedelta = field(default=timedelta(hours=12))
    console: bool = True
    """NiceGUI registers its pages once per process: only one application of a process may have the consoles."""
