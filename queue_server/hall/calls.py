"""A call as displays and voice need it: which number goes to which counter."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Call:
    """One announcement; a recall is a call of its own with its own id."""

    id: str
    ticket: str
    number: str
    counter: str
    counter_number: str
    """What is shown and spoken."""
    zone: str
    at: datetime
    recall: bool
