"""The live page of one ticket on its holder's phone, reached by the random token on the slip."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from queue_server.hall import Actor, RateVisit
from queue_server.hall.ratings import BEST, WORST
from queue_server.hall_port import NotDone, RequestKey
from queue_server.ids import new_id
from queue_server.projection import FollowedTicket
from queue_server.rate_limit import RateLimit
from queue_server.web.errors import limit
from queue_server.web.hall_facts import HallFacts
from queue_server.web.parts import WebParts
from queue_server.web.ticket_words import WORDS

Language = Literal["zh", "en"]
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
_OPEN_STATES = ("waiting", "called", "serving", "held")
_LEVELS = tuple(range(BEST, WORST - 1, -1))


class LevelChosen(BaseModel):
    """The rating of a visit: 5 (very satisfied) to 1 (very dissatisfied)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    level: int = Field(ge=WORST, le=BEST)


@dataclass(frozen=True, slots=True)
class TicketNow:
    """What changes on the page: sent as it is to the page's script."""

    state: str
    headline: str
    hint: str
    ahead: str
    wait: str
    made_at: str
    counter: str
    seat: str
    call: str
    """Differs from call to call: the page vibrates and flashes when it changes."""
    poll_s: int
    """Seconds after which the page asks again; 0: the ticket has ended."""
    may_rate: bool
    rated: str
    """The rating that counts, as a sentence; empty before there is one."""


def language_of(accept: str, chosen: Language | None) -> Language:
    """The chosen language, else the first of the browser's that this page speaks; Chinese where none is known."""
    if chosen is not None:
        return chosen
    for part in accept.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "zh"


def ticket_now(ticket: FollowedTicket, facts: HallFacts, language: Language, call: str = "") -> TicketNow:
    """The ticket's state in words, in the hall's time; `call` is the id of its latest call."""
    words = WORDS[language]
    waiting, called = ticket.state == "waiting", ticket.state in ("called", "serving")
    counter = ticket.counter if called and ticket.counter else ""
    seat = facts.seats.get(counter, {}).get(language, "") if counter else ""
    return TicketNow(
        state=ticket.state,
        headline=words[f"{ticket.state}_headline"].format(counter=counter),
        hint=_passed(ticket, facts, words) or words[f"{ticket.state}_hint"].format(counter=counter),
        ahead=str(ticket.people_ahead) if waiting and ticket.people_ahead is not None else "",
        wait=_wait(ticket, words) if waiting else "",
        made_at=words["made_at"].format(time=_clock(ticket.made_at, facts)),
        counter=counter,
        seat=seat,
        call=call or counter if ticket.state == "called" else "",
        poll_s=_poll_s(ticket),
        may_rate=ticket.may_rate and ticket.rating is None,
        rated=words["rated"].format(level=words[f"level_{ticket.rating}"]) if ticket.rating is not None else "",
    )


def _passed(ticket: FollowedTicket, facts: HallFacts, words: dict[str, str]) -> str:
    """The next step of somebody whose number was passed today."""
    if (way := ticket.way_back) is None:
        return ""
    if ticket.made_at > way.until:
        return words["passed_late"]
    return words["passed_behind" if way.behind else "passed_back"].format(
        time=_clock(way.until, facts), behind=way.behind
    )


def _wait(ticket: FollowedTicket, words: dict[str, str]) -> str:
    if ticket.wait is None:
        return words["no_counter_open"]
    return words["wait_range"].format(low=ticket.wait.low, high=ticket.wait.high)


def _poll_s(ticket: FollowedTicket) -> int:
    """Near one's turn a page asks often, far from it seldom: a full hall's phones must not burden the server. A passed
    number may come back."""
    if ticket.way_back is not None:
        return 15
    if ticket.state not in _OPEN_STATES:
        return 0
    if ticket.state != "waiting" or ticket.people_ahead is None or ticket.people_ahead <= 3:
        return 3
    return 6 if ticket.people_ahead <= 10 else 15


def _clock(instant: datetime, facts: HallFacts) -> str:
    return instant.astimezone(facts.zone).strftime("%H:%M")


def ticket_routes(web: WebParts) -> APIRouter:
    """`/t/{token}`, `/t/{token}/now` and `/t/{token}/rating`."""
    router = APIRouter(include_in_schema=False)
    opened = RateLimit(120, 60.0)
    """One hall's visitors share one address behind its Wi-Fi: unknown tokens are limited, not visitors."""
    guesses = RateLimit(20, 60.0)
    asked = RateLimit(1200, 60.0)
    rated = RateLimit(120, 60.0)

    async def find(request: Request, token: str) -> FollowedTicket:
        ticket = await web.port.follow(token) if len(token) <= 64 else None
        if ticket is None:
            limit(guesses, request)
            raise HTTPException(404)
        return ticket

    def latest_call(ticket: FollowedTicket) -> str:
        calls = (call for shown in web.port.boards() for call in shown.board.calls)
        return next((call.call_id for call in calls if call.number == ticket.number), "")

    @router.get("/t/{token}")
    async def page(
        request: Request,
        token: str,
        accept_language: Annotated[str, Header()] = "",
        lang: Annotated[Language | None, Query()] = None,
    ) -> Response:
        limit(opened, request)
        ticket = await find(request, token)
        facts = web.facts.read()
        language = language_of(accept_language, lang)
        service = facts.services.get(ticket.service)
        context: dict[str, Any] = {
            "words": WORDS[language],
            "language": language,
            "other": "en" if language == "zh" else "zh",
            "hall_name": facts.name[language],
            "number": ticket.number,
            "service": ticket.service_name[language],
            "colour": service.colour if service else "#0b3d7a",
            "materials": service.materials.get(language, ()) if service else (),
            "issued_at": _clock(ticket.issued_at, facts),
            "business_date": ticket.business_date.isoformat(),
            "passed_rule": facts.passed_rule.get(language, ""),
            "levels": _LEVELS,
            "now": ticket_now(ticket, facts, language, latest_call(ticket)),
        }
        return web.templates.TemplateResponse(request, "ticket.html", context, headers=_PRIVATE)

    @router.get("/t/{token}/now")
    async def now(
        request: Request, token: str, lang: Language = "zh", if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        limit(asked, request)
        ticket = await find(request, token)
        body = JSONResponse(_as_json(ticket_now(ticket, web.facts.read(), lang, latest_call(ticket))), headers=_PRIVATE)
        tag = f'"{hashlib.sha256(bytes(body.body)).hexdigest()[:16]}"'
        if tag == if_none_match:
            return Response(status_code=304, headers={"ETag": tag, **_PRIVATE})
        body.headers["ETag"] = tag
        return body

    @router.post("/t/{token}/rating")
    async def rate(request: Request, token: str, chosen: LevelChosen, lang: Language = "zh") -> Response:
        """Rate the visit (一次一评). Answers the ticket as it is now; 409 where another level counts, or none can."""
        limit(rated, request)
        ticket = await find(request, token)
        if ticket.may_rate and ticket.rating is None:
            by = Actor("citizen", ticket.ticket)
            command = RateVisit(by=by, rating=new_id(), ticket=ticket.ticket, level=chosen.level, way="scan")
            # one key for the visit: of two taps at the same instant one rates
            done = await web.port.execute(command, RequestKey.of_client(f"visit:{ticket.visit}", "rating", b""))
            if isinstance(done, NotDone):
                raise HTTPException(503, headers={"Retry-After": str(int(done.retry_after or 0) + 1)})
            ticket = await find(request, token)
        body = _as_json(ticket_now(ticket, web.facts.read(), lang, latest_call(ticket)))
        return JSONResponse(body, 200 if ticket.rating == chosen.level else 409, headers=_PRIVATE)

    return router


def _as_json(now: TicketNow) -> dict[str, str | int]:
    return {name: getattr(now, name) for name in TicketNow.__slots__}
