"""The HTTP API's announcements: a manager's sentence, spoken in the hall. The application keeps `Announcing` in
`app.state.announcing`.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from queue_server.counters.announcing import Announcing
from queue_server.counters.dependencies import ACT, IdempotencyKey, Signed, once
from queue_server.counters.outcomes import Refused
from queue_server.counters.problems import ApiRefusal, problems

router = APIRouter(prefix="/api/v1")
Zone = Annotated[str, Field(min_length=1, max_length=64)]


class AnnouncementBody(BaseModel):
    """`text`: at most 100 signs: Chinese characters, letters, digits and plain punctuation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "请带老人的市民到三号窗口优先办理", "zones": ["east"]}]}
    )

    text: Annotated[str, Field(max_length=1000)]
    zones: Annotated[list[Zone], Field(min_length=1, max_length=100)]


class AnnouncedBody(BaseModel):
    """`seconds`: how long it is heard, chime and both readings; calls that wait leave the second one out."""

    id: str
    text: str
    zones: list[str]
    at: datetime
    seconds: float


def _announcing(request: Request) -> Announcing:
    announcing: Announcing = request.app.state.announcing
    return announcing


@router.post(
    "/announcements", operation_id="announce", tags=["announcements"], status_code=201, responses=problems(*ACT, 429)
)
async def announce(
    announcing: Annotated[Announcing, Depends(_announcing)],
    staff: Signed,
    body: AnnouncementBody,
    key: IdempotencyKey = None,
) -> AnnouncedBody:
    """A manager speaks to zones of the hall. Displays show the sentence and say it between calls, cutting none.

    Takes some seconds. Where the server has no speech installed: `speech_not_installed`.
    """
    zones = tuple(sorted(set(body.zones)))
    said = await announcing.announce(staff, body.text, zones, once(key))
    if isinstance(said, Refused):
        raise ApiRefusal(said)
    seconds = round(said.recording.total_s, 1)
    return AnnouncedBody(id=said.id, text=said.text, zones=list(said.zones), at=said.at, seconds=seconds)
