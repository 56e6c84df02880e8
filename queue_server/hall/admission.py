"""What a visit may ask for: known services, a class with its evidence, a group of a size that can be called."""

import re
from typing import TYPE_CHECKING

from queue_server.hall import refusals
from queue_server.hall.base import Actor, Refusal

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration

MAX_COMPANIONS = 50
MAX_PLANNED = 10
_PERSON = re.compile(r"[0-9a-f]{64}")


def is_person(text: str) -> bool:
    """Whether `text` is an HMAC-SHA256 in lower-case hex: anything else may be a plain ID number."""
    return _PERSON.fullmatch(text) is not None


def class_refusal(
    configuration: "HallConfiguration", by: Actor, priority_class: str, evidence: str | None
) -> Refusal | None:
    """Why `by` cannot grant a priority class on this evidence; None where they can."""
    found = configuration.priority_class(priority_class)
    if found is None:
        return refusals.PriorityClassUnknown(priority_class=priority_class)
    if found.evidence and evidence not in found.evidence:
        return refusals.EvidenceMissing(priority_class=priority_class)
    if found.granted_by and by.kind not in found.granted_by:
        return refusals.ClassNotGranted(priority_class=priority_class)
    return None


def visit_refusal(configuration: "HallConfiguration", planned: tuple[str, ...], companions: int) -> Refusal | None:
    """Why a visit cannot have these further services and companions; None where it can."""
    if len(planned) > MAX_PLANNED:
        return refusals.TooManyServices(services=len(planned), most=MAX_PLANNED)
    for service in planned:
        if configuration.service(service) is None:
            return refusals.ServiceUnknown(service=service)
    if not 0 <= companions <= MAX_COMPANIONS:
        return refusals.CompanionsOutOfRange(companions=companions, most=MAX_COMPANIONS)
    return None
