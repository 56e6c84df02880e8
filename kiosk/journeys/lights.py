"""Which guide lights are lit: beside the device that the person is to use now, and nowhere else."""

from kiosk.journeys import card, scanning
from kiosk.journeys.out_of_service import cause
from kiosk.journeys.state import AtHome, Holding, LayingCard, SelfTest, Servicing, State
from kiosk.journeys.views import CardState, SlipState

CARD_READERS = ("id_card_reader", "social_card_reader")
PRINTERS = ("ticket_printer",)


def lit(state: State) -> frozenset[str]:
    """Roles of the devices beside which a light shines."""
    roles: tuple[str, ...] = card.CODE_READERS if scanning.wanted(state) is not None else ()
    match state.page:
        case AtHome() if state.surroundings.present and cause(state) is None:
            roles += CARD_READERS
        case LayingCard(card=shown) if shown is not CardState.DONE and cause(state) is None:
            roles += CARD_READERS
        case Holding(slip=SlipState.PRINTING | SlipState.PRINTED):
            roles += PRINTERS
        case Servicing(running=SelfTest(role=role)) if role != "guide_lights":
            roles += (role,)
    return frozenset(role for role in roles if card.works(state, role))
