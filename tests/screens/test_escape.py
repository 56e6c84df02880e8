"""There is no way out of the screens but the program's own."""

import sys

import pytest
from kivy.config import Config
from kivy.core.window import Window

from kiosk.journeys.intents import Touched
from screens import environment
from screens.options import ScreenOptions
from tests.screens.conftest import Start
from tools.sample_views import SampleViews

ESCAPE, F1, F11, BACK = 27, 282, 292, 1000


@pytest.mark.parametrize("key", [ESCAPE, F1, F11, BACK])
async def test_keys_neither_close_nor_open_anything(start: Start, key: int) -> None:
    async with start() as screens:
        screens.app.show(SampleViews("zh").home())
        await screens.driver.frames()
        before = list(Window.children)
        Window.dispatch("on_keyboard", key, 0, "", [])
        await screens.driver.frames()
        assert list(Window.children) == before
        assert screens.app.root.parent is not None
        assert screens.intents == []


async def test_the_settings_panel_stays_closed(start: Start) -> None:
    async with start() as screens:
        assert screens.app.open_settings() is False
        assert len(Window.children) == 1


async def test_a_terminal_in_service_refuses_to_be_closed_from_outside(start: Start) -> None:
    async with start(full_screen=True) as screens:
        assert Window.dispatch("on_request_close")
        assert screens.app.root.parent is not None


def test_one_input_provider_without_rings_and_no_modules() -> None:
    assert Config.items("input") == [("mouse", "mouse,disable_multitouch,disable_on_activity")]
    assert Config.items("modules") == []
    assert Config.getint("kivy", "exit_on_escape") == 0


async def test_nothing_can_be_copied_or_pasted(start: Start) -> None:
    async with start() as screens:
        for _name, view in SampleViews("zh").all():
            screens.app.show(view)
        assert "kivy.uix.textinput" not in sys.modules
        assert "kivy.core.clipboard" not in sys.modules


async def test_a_right_click_is_no_touch(start: Start) -> None:
    async with start() as screens:
        screens.app.show(SampleViews("zh").home())
        await screens.driver.frames()
        target = screens.driver.target("全部业务")
        Window.dispatch("on_mouse_down", *target.center, "right", [])
        Window.dispatch("on_mouse_up", *target.center, "right", [])
        await screens.driver.frames()
        assert Touched() not in screens.intents


def test_the_environment_comes_before_the_window() -> None:
    with pytest.raises(environment.TooLate):
        environment.prepare(ScreenOptions(1080, 1920, 0.37))
