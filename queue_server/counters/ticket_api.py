"""The counters' HTTP API: handling tickets. Every body's `seen` is the ticket's version; see `docs/openapi.yaml`."""

from fastapi import APIRouter

from queue_server.counters.bodies import HoldBody, ReclassifyBody, SeenBody, TransferBody
from queue_server.counters.dependencies import ACT, Id, IdempotencyKey, Service, Signed, done, once
from queue_server.counters.problems import problems

router = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])


@router.post("/{ticket}/transfer", operation_id="transfer", status_code=204, responses=problems(*ACT))
async def transfer(service: Service, staff: Signed, ticket: Id, body: TransferBody, key: IdempotencyKey = None) -> None:
    """Send the holder on to another service, counter or clerk; number and arrival stay."""
    to = None if body.to is None else body.to.addressee()
    done(await service.transfer(staff, ticket, body.seen, once(key), service=body.service, to=to))


@router.post("/{ticket}/reclassify", operation_id="reclassify", status_code=204, responses=problems(*ACT))
async def reclassify(
    service: Service, staff: Signed, ticket: Id, body: ReclassifyBody, key: IdempotencyKey = None
) -> None:
    """Correct what the ticket is for. What is null stays as it is."""
    refused = await service.reclassify(
        staff,
        ticket,
        body.seen,
        once(key),
        service=body.service,
        priority_class=body.priority_class,
        evidence=body.evidence,
        companions=body.companions,
    )
    done(refused)


@router.post("/{ticket}/hold", operation_id="hold", status_code=204, responses=problems(*ACT))
async def hold(service: Service, staff: Signed, ticket: Id, body: HoldBody, key: IdempotencyKey = None) -> None:
    """Set aside: with the hall, or parked with a counter or clerk. It is called by hand only."""
    pool = None if body.pool is None else body.pool.addressee()
    done(await service.hold(staff, ticket, body.seen, once(key), pool=pool))


@router.post("/{ticket}/resume", operation_id="resume", status_code=204, responses=problems(*ACT))
async def resume(service: Service, staff: Signed, ticket: Id, body: SeenBody, key: IdempotencyKey = None) -> None:
    """Put a held ticket back into its line, at the place that it had."""
    done(await service.resume(staff, ticket, body.seen, once(key)))


@router.post("/{ticket}/reinstate", operation_id="reinstate", status_code=204, responses=problems(*ACT))
async def reinstate(service: Service, staff: Signed, ticket: Id, body: SeenBody, key: IdempotencyKey = None) -> None:
    """Put a no-show of today back, behind as many as the hall's rule says."""
    done(await service.reinstate(staff, ticket, body.seen, once(key)))


@router.post("/{ticket}/cancel", operation_id="cancelTicket", status_code=204, responses=problems(*ACT))
async def cancel(service: Service, staff: Signed, ticket: Id, body: SeenBody, key: IdempotencyKey = None) -> None:
    """Void a ticket."""
    done(await service.cancel(staff, ticket, body.seen, once(key)))
