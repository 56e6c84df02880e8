"""When the code scanner looks for a code: only while a page waits for one. Codes at other times are nobody's."""

from kiosk.journeys import check_in
from kiosk.journeys.out_of_service import cause
from kiosk.journeys.state import State


def wanted(state: State) -> int | None:
    """The session for which the scanner shall look for a code; None: it shall be dark."""
    return state.session if check_in.waits_for_code(state) and cause(state) is None else None
