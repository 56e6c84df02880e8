"""What the pages and routes of one hall's web part share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.templating import Jinja2Templates

from queue_server.alerts import AlertBook
from queue_server.counters.service import CounterService
from queue_server.devices import DeviceBook
from queue_server.hall_port import HallPort
from queue_server.web.announcements import Announcements
from queue_server.web.broadcasts import Broadcasts
from queue_server.web.displays import Displays
from queue_server.web.hall_facts import HallFactsReader
from queue_server.web.settings import WebSettings
from queue_server.web.speakers import SpeakerDesk
from queue_server.web.taking_turns import TakingTurns


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Made once by `make_app`; `version` is the hash of templates and static files, `now` gives UTC."""

    port: HallPort
    counters: CounterService
    alerts: AlertBook
    devices: DeviceBook
    settings: WebSettings
    facts: HallFactsReader
    announcements: Announcements
    broadcasts: Broadcasts
    desk: SpeakerDesk
    displays: Displays
    templates: Jinja2Templates
    version: str
    now: Callable[[], datetime]
    drawing: TakingTurns = field(default_factory=TakingTurns)
    """Of the consoles: a change that all of them show must not hold up the next person."""
