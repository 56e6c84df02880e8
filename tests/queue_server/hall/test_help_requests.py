"""Asking for help."""

from dataclasses import replace

from queue_server.hall import AcknowledgeHelp, AskForHelp, HelpAskedAgain, refusals
from tests.queue_server.hall.scene import KIOSK, MANAGER, Scene


def asking(help_id: str, device: str = "kiosk-1", screen: str = "home") -> AskForHelp:
    return AskForHelp(by=KIOSK, help=help_id, device=device, screen=screen)


def test_a_device_has_one_open_request_and_asking_again_names_it(scene: Scene):
    scene.do(asking("help-1"))
    scene.later(seconds=5)
    (again,) = scene.do(asking("help-2", screen="services"))
    assert isinstance(again, HelpAskedAgain)
    assert again.help == "help-1"
    (request,) = scene.hall.open_helps()
    assert (request.id, request.asked, request.screen) == ("help-1", 2, "services")
    assert scene.hall.help_request("help-2") is None


def test_requests_of_several_devices_are_listed_oldest_first(scene: Scene):
    scene.do(asking("b", "kiosk-2"))
    scene.later(seconds=1)
    scene.do(asking("a", "kiosk-1"))
    assert [request.id for request in scene.hall.open_helps()] == ["b", "a"]
    assert scene.hall.open_help_of("kiosk-1") == scene.hall.help_request("a")


def test_one_clerk_acknowledges_and_the_next_request_is_a_new_one(scene: Scene):
    scene.do(asking("help-1"))
    acknowledge = AcknowledgeHelp(by=MANAGER, help="help-1", clerk="clerk-1")
    scene.do(acknowledge)
    assert scene.hall.open_helps() == []
    assert scene.refused(replace(acknowledge, clerk="clerk-2")) == refusals.HelpAlreadyAcknowledged(
        help="help-1", clerk="clerk-1"
    )
    assert scene.refused(replace(acknowledge, help="none")) == refusals.HelpUnknown(help="none")
    assert scene.refused(asking("help-1")) == refusals.IdAlreadyUsed(id="help-1")
    scene.do(asking("help-2"))
    assert [request.id for request in scene.hall.open_helps()] == ["help-2"]
