"""The one translator between wire and hall: requests and facts to commands, events and refusals to answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic_core import to_json

from queue_server import hall as core
from queue_server.clock import instant_text
from queue_server.hall import Actor, HelpAsked, HelpAskedAgain, Refusal, TicketIssued
from queue_server.hall.canonical import canonical
from queue_server.hall.forecast import WaitRange, wait_range
from queue_server.hall_port import NotDone, RequestKey
from queue_server.ids import new_id, new_token, read_code
from queue_server.ledger.port import AuditNote
from queue_server.offline_grant import asked, granted
from queue_server.runner import Ask, AskNote, AskWithdraw, Decided, Item
from wire import messages as wire
from wire.codec import Vouched, encode
from wire.messages import Envelope, Message, kind_of


@dataclass(frozen=True)
class Edge:
    """What an answer needs from outside the hall."""

    public_url: str
    new_id: Callable[[], str] = new_id
    new_token: Callable[[], str] = new_token


def translate(device: str, envelope: Envelope, body: Message, *, now: datetime, edge: Edge) -> Item:
    """The item for the hall's mailbox. Raises `TypeError` for a body that is no request or fact for a hall."""
    key = RequestKey(device, envelope.id, content_hash(body))
    by = Actor("device", device)
    match body:
        case wire.Issue():
            command = core.Issue(
                by=by,
                visit=edge.new_id(),
                ticket=edge.new_id(),
                step=edge.new_id(),
                service=body.service,
                follow_token=edge.new_token(),
                priority_class=body.priority_class,
                evidence=body.evidence,
                planned=body.planned,
                companions=body.companions,
                person=body.person,
                device=device,
            )
            return Ask(command, key, lambda decided: _issued(decided, key.request_id, edge))
        case wire.CheckIn():
            checking_in = core.CheckIn(
                by=by,
                visit=edge.new_id(),
                ticket=edge.new_id(),
                step=edge.new_id(),
                follow_token=edge.new_token(),
                code=None if body.code is None else read_code(body.code),
                person=body.person,
                device=device,
                priority_class=body.priority_class,
            )
            return Ask(checking_in, key, lambda decided: _issued(decided, key.request_id, edge))
        case wire.OfflineTicket():
            joined = _joining(by, device, body, edge)
            return Ask(joined, key, lambda decided: _joined(decided, key.request_id, body.ticket))
        case wire.Help():
            asked = core.AskForHelp(by=by, help=edge.new_id(), device=device, screen=body.screen)
            return Ask(asked, key, lambda decided: _helped(decided, key.request_id))
        case wire.Withdraw():
            void = refused(NotDone("request_withdrawn", None), body.request_id, now)
            return AskWithdraw(
                target=(device, body.request_id),
                by=by,
                key=key,
                compose=lambda ticket, cancelled: encode(
                    wire.FactAnswer(ticket=ticket, cancelled=cancelled), message_id=key.request_id, at=now
                ),
                void=void,
            )
        case wire.Slip():
            answer = encode(wire.FactAnswer(ticket=body.ticket), message_id=key.request_id, at=now)
            return AskNote(_slip_note(by, envelope, body, now), key, answer)
        case _:
            raise TypeError(type(body).__name__)


def translate_hello(
    device: str, envelope: Envelope, hello: wire.Hello, *, edge: Edge, renewed: bool, old: bool
) -> Item:
    """The item for a hello that was accepted: the hall says what the terminal holds for bad times.

    `renewed`: it is the first hello of a machine that staff vouched for. `old`: the machine said more since.
    """

    def compose(decided: Decided) -> bytes:
        hall, now = decided.hall, decided.now
        clash = not isinstance(decided.outcome, Refusal) and any(
            isinstance(event, core.OfflineHoldersClashed) for event in decided.outcome
        )
        body = wire.HelloAnswer(
            verdict="refused" if clash else "accepted",
            server_time=now,
            configuration_revision=hall.configuration.revision if hall.configured else 0,
            code="cloned_device" if clash else None,
            offline=granted(hall, device, hello.instance, now, follow_url(edge.public_url, ""))
            if hall.configured and not clash
            else None,
        )
        return encode(body, message_id=envelope.id, at=now, epoch=decided.epoch)

    return Ask(asked(device, hello, renewed=renewed, old=old), None, compose)


def content_hash(body: Message) -> str:
    """SHA-256 of what is asked: it tells a repeat from another request under the same id."""
    return sha256(to_json({kind_of(body): body})).hexdigest()


def refused(outcome: Refusal | NotDone, request_id: str, now: datetime, *, epoch: int | None = None) -> bytes:
    """The payload that tells a device "no" by name."""
    params = outcome.params() if isinstance(outcome, Refusal) else {}
    body = wire.Refused(code=outcome.code, params=params, retry_after=outcome.retry_after)
    return encode(body, message_id=request_id, at=now, epoch=epoch)


def wait_of(found: WaitRange | None) -> wire.Wait | None:
    """A wait range as it travels."""
    return wire.Wait(low=found.low, high=found.high, made_at=found.made_at) if found else None


def follow_url(public_url: str, token: str) -> str:
    """The address of a ticket's live page."""
    return f"{public_url.rstrip('/')}/t/{token}"


def _issued(decided: Decided, request_id: str, edge: Edge) -> bytes:
    hall, outcome, now = decided.hall, decided.outcome, decided.now
    if isinstance(outcome, Refusal):
        return refused(outcome, request_id, now, epoch=decided.epoch)
    event = next(event for event in outcome if isinstance(event, TicketIssued))
    ticket = hall.ticket(event.ticket)
    ahead = hall.people_ahead(ticket, now) if ticket else 0
    wait = wait_range(hall, ticket, now, ahead) if ticket else None
    fields: dict[str, object] = {
        "ticket": event.ticket,
        "number": event.number,
        "service": event.service,
        "queue": event.queue,
        "business_date": event.business_date,
        "issued_at": event.at,
        "people_ahead": ahead,
        "wait": None if wait is None else wait._asdict(),
        "counters": hall.serving(event.queue).numbers,
        "follow_url": follow_url(edge.public_url, event.follow_token),
        "may_close_at": event.may_close_at,
        "booked_for": event.booked_for,
        "callable_from": event.accrues_from if event.deferred else None,
    }
    return encode(Vouched("issue_answer", fields), message_id=request_id, at=now, epoch=decided.epoch)


def _joining(by: Actor, device: str, taken: wire.OfflineTicket, edge: Edge) -> core.JoinOffline:
    return core.JoinOffline(
        by=by,
        visit=edge.new_id(),
        ticket=taken.ticket,
        step=edge.new_id(),
        follow_token=taken.follow_token,
        service=taken.service,
        queue=taken.queue,
        number=taken.number,
        prefix=taken.prefix,
        serial=taken.serial,
        lease=taken.lease,
        business_date=taken.business_date,
        taken_at=taken.taken_at,
        uncertain_s=taken.uncertain_s,
        priority_class=taken.priority_class,
        person=taken.person,
        device=device,
    )


def _joined(decided: Decided, request_id: str, ticket: str) -> bytes:
    if isinstance(decided.outcome, Refusal):
        return refused(decided.outcome, request_id, decided.now, epoch=decided.epoch)
    return encode(wire.FactAnswer(ticket=ticket), message_id=request_id, at=decided.now, epoch=decided.epoch)


def _helped(decided: Decided, request_id: str) -> bytes:
    if isinstance(decided.outcome, Refusal):
        return refused(decided.outcome, request_id, decided.now, epoch=decided.epoch)
    event = next(event for event in decided.outcome if isinstance(event, HelpAsked | HelpAskedAgain))
    return encode(wire.HelpAnswer(help=event.help), message_id=request_id, at=decided.now, epoch=decided.epoch)


def _slip_note(by: Actor, envelope: Envelope, slip: wire.Slip, now: datetime) -> AuditNote:
    details = {"reprint": slip.reprint, "cause": slip.cause, "said_at": instant_text(envelope.at)}
    by_text = canonical({"id": by.id, "kind": by.kind})
    return AuditNote(instant_text(now), by_text, f"slip_{slip.outcome}", slip.ticket[:64], canonical(details))
