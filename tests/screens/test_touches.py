"""A finger on the glass becomes the intent that the person meant, and nothing else."""

from collections import Counter
from dataclasses import replace

import pytest
from kivy.clock import Clock
from kivy.core.window import Window

from kiosk.journeys import intents
from kiosk.journeys.views import CardState, DeviceTest, HelpState, Idle, SelfTestState, SlipState, UnsettledView
from screens import station
from screens.driver import Finger
from screens.press import Pressable
from tests.screens.conftest import Screens, Start
from tools.sample_views import SampleViews

ZH = SampleViews("zh")


async def meant(screens: Screens, view: object, words: str) -> list[intents.Intent]:
    """What a tap on `words` sends while `view` is shown, without the Touched that goes before it."""
    screens.app.show(view)
    await screens.driver.frames()
    screens.intents.clear()
    await screens.driver.tap(screens.driver.target(words))
    assert screens.intents[0] == intents.Touched()
    return screens.intents[1:]


async def test_every_screen_sends_what_was_touched(start: Start) -> None:
    group = ZH.catalogue("social-security")
    searching = replace(ZH.catalogue(None), searching=True, search="sb")
    stuck = replace(ZH.ticket(SlipState.NOT_PRINTED))
    waiting = dict(ZH.all())["waiting-long"]
    code = dict(ZH.all())["code"]
    checks = dict(ZH.check_in())
    technician = replace(ZH.technician(), tests={}, testing=False)
    cases = [
        (ZH.home(), "全部业务", intents.TakeNumber()),
        (ZH.home(), ZH.home().common[0].name, intents.ChooseService(ZH.home().common[0].id)),
        (ZH.home(), "呼叫工作人员", intents.CallHelp()),
        (ZH.home(), "English", intents.SetLanguage("en")),
        (ZH.home(), "大字", intents.SetLargeType(True)),
        (ZH.home(), "高对比", intents.SetHighContrast(True)),
        (ZH.home(), "语音", intents.SetVoice(True)),
        (SampleViews("zh", large=True).home(), "标准字", intents.SetLargeType(False)),
        (ZH.catalogue(None), "税务", intents.ChooseGroup("tax")),
        (ZH.catalogue(None), "拼音搜索", intents.OpenSearch()),
        (group, "其他类别", intents.ChooseGroup(None)),
        (group, "返回", intents.Back()),
        (group, "首页", intents.Home()),
        (group, group.services[1].name, intents.ChooseService(group.services[1].id)),
        (searching, "K", intents.Search("sbK")),
        (ZH.card(CardState.WAITING), "没带身份证，直接取号", intents.GoOnWithoutCard()),
        (waiting, "不取号，离开", intents.GiveUp()),
        (checks["check-in-home"], "预约签到", intents.CheckIn()),
        (checks["check-in-groups"], "预约签到", intents.CheckIn()),
        (checks["check-in-card"], "输入预约码", intents.TypeAppointmentCode()),
        (checks["check-in-code-6"], "K", intents.AppointmentKey("K")),
        (checks["check-in-code-10"], "签到", intents.ConfirmAppointmentCode()),
        (checks["check-in-waiting"], "不签到，离开", intents.GiveUp()),
        (checks["check-in-appointment_unknown"], "输入预约码", intents.TypeAppointmentCode()),
        (checks["check-in-appointment_unknown"], "直接取号", intents.TakeNumber()),
        (ZH.ticket(SlipState.PRINTED), "再取一个号", intents.TakeAnother()),
        (ZH.ticket(SlipState.PRINTED), "完成", intents.Finish()),
        (stuck, "补打号票", intents.Reprint()),
        (ZH.refused("no_answer", may_retry=True), "再试一次", intents.Retry()),
        (ZH.refused("no_answer", may_retry=True), "返回首页", intents.Home()),
        (code, "7", intents.CodeDigit("7")),
        (code, "删除", intents.CodeErase()),
        (technician, "全部测试", intents.TestAllDevices()),
        (ZH.technician(), "停止测试", intents.StopTests()),
        (technician, "待核对 2 份", intents.OpenUnsettled()),
        (technician, "退出", intents.LeaveTechnician()),
    ]
    async with start(settle_s=0) as screens:
        wrong = []
        for view, words, intent in cases:
            sent = await meant(screens, view, words)
            if sent != [intent]:
                wrong.append((words, sent))
        assert not wrong


async def test_each_device_has_a_button_for_its_own_test_and_none_while_one_runs(start: Start) -> None:
    def buttons(screens: Screens) -> dict[str, Pressable]:
        found = [w for w in screens.driver.all() if isinstance(w, Pressable) and w.spoken.startswith("测试：")]
        return {button.spoken: button for button in found}

    idle = replace(ZH.technician(), tests={}, testing=False)
    async with start() as screens:
        screens.app.show(idle)
        await screens.driver.frames()
        assert len(buttons(screens)) == len(idle.peripherals)
        screens.intents.clear()
        await screens.driver.tap(buttons(screens)["测试：号票打印机"])
        await screens.driver.until(lambda: len(screens.intents) == 2)
        assert screens.intents == [intents.Touched(), intents.TestDevice("ticket_printer")]
        screens.app.show(ZH.technician())
        await screens.driver.frames()
        assert not buttons(screens)


async def test_what_became_of_a_slip_is_said_with_two_taps_in_two_places(start: Start) -> None:
    slip = ZH.unsettled().slips[0]

    async def tapped(screens: Screens, view: UnsettledView, words: str) -> tuple[intents.Intent, tuple[float, float]]:
        screens.app.show(view)
        await screens.driver.frames()
        screens.intents.clear()
        button = screens.driver.find(lambda w: isinstance(w, Pressable) and w.spoken == f"{slip.number}。{words}")
        await screens.driver.tap(button)
        await screens.driver.until(lambda: len(screens.intents) == 2)
        return screens.intents[1], button.to_window(*button.center)

    async with start() as screens:
        for printed, words in ((True, "已打出"), (False, "没有打出")):
            asked = replace(ZH.unsettled(), asked=(slip.job, printed))
            first, place = await tapped(screens, ZH.unsettled(), words)
            second, other_place = await tapped(screens, asked, f"确认：{words}")
            assert (first, second) == (intents.SettleJob(slip.job, printed), intents.ConfirmSettling())
            assert place != other_place, "a double tap does not confirm"
            assert await tapped(screens, asked, "取消") == (intents.CancelSettling(), place)
        screens.app.show(replace(ZH.unsettled(), busy=True))
        await screens.driver.frames()
        assert not [w for w in screens.driver.all() if isinstance(w, Pressable) and slip.number in w.spoken]


async def test_a_slow_tap_does_not_move_the_list(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.unsettled())
        await screens.driver.frames()
        button = screens.driver.find(lambda w: isinstance(w, Pressable) and w.spoken.endswith("。已打出"))
        place = button.to_window(*button.center)
        finger, lifted_at = Finger(*place), Clock.time() + 0.3  # longer than a touch waits to become a scroll
        finger.down()
        await screens.driver.until(lambda: Clock.time() > lifted_at)
        finger.up()
        await screens.driver.frames()
        assert button.to_window(*button.center) == place


async def test_the_device_whose_test_runs_is_brought_into_sight(start: Start) -> None:
    last = ZH.technician().peripherals[-1].role
    runs = DeviceTest(SelfTestState.RUNNING, "电池")
    async with start("landscape") as screens:
        screens.app.show(ZH.technician())
        await screens.driver.frames()
        list_ = screens.app.root.screen.ids.scroll
        assert list_.scroll_y == 1
        screens.app.show(replace(ZH.technician(), tests={last: runs}))
        await screens.driver.until(lambda: list_.scroll_y < 0.5)


async def test_erase_and_clear_have_spoken_words_and_change_the_search(start: Start) -> None:
    async with start() as screens:
        screens.app.show(replace(ZH.catalogue(None), searching=True, search="sb"))
        await screens.driver.frames()
        for spoken, left in (("删除", "s"), ("清空", "")):
            screens.intents.clear()
            key = screens.driver.find(
                lambda w, spoken=spoken: getattr(w, "spoken", "") == spoken and hasattr(w, "look")
            )
            await screens.driver.tap(key)
            assert screens.intents == [intents.Touched(), intents.Search(left)]


async def test_the_code_can_be_erased_and_is_confirmed_only_when_it_is_whole(start: Start) -> None:
    views = dict(ZH.check_in())
    async with start() as screens:
        screens.app.show(views["check-in-code-6"])
        await screens.driver.frames()
        with pytest.raises(LookupError):
            screens.driver.target("签到")
        for spoken, whole in (("删除", False), ("清空", True)):
            screens.intents.clear()
            key = screens.driver.find(
                lambda w, spoken=spoken: getattr(w, "spoken", "") == spoken and hasattr(w, "look")
            )
            await screens.driver.tap(key)
            assert screens.intents == [intents.Touched(), intents.AppointmentErase(whole)]


async def test_a_pressed_button_looks_pressed_in_the_same_frame(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        button = screens.driver.target("全部业务")
        rest = button._fill.rgba
        finger = Finger(*button.to_window(*button.center))
        finger.down()
        assert button._fill.rgba != rest
        finger.up()
        await screens.driver.until(lambda: button._fill.rgba == rest)


async def test_a_finger_that_slides_off_means_nothing(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        button = screens.driver.target("全部业务")
        finger = Finger(*button.to_window(*button.center))
        finger.down()
        finger.slide(10, 450)
        finger.up()
        assert screens.intents == [intents.Touched()]


async def test_a_touch_right_after_a_change_of_screen_is_not_meant_for_the_new_screen(start: Start) -> None:
    async with start(settle_s=3600) as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        await screens.driver.tap(screens.driver.target("全部业务"))
        assert screens.intents == [intents.Touched()]


async def test_a_touch_long_after_a_change_counts_though_no_frame_was_drawn_since(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(settle_s=3600) as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        button = screens.driver.target("全部业务")
        finger, now = Finger(*button.to_window(*button.center)), Clock.time()
        monkeypatch.setattr(Clock, "time", lambda: now + 3600)
        finger.down()
        finger.up()
        monkeypatch.undo()
        assert screens.intents == [intents.Touched(), intents.TakeNumber()]


async def test_a_button_that_is_held_while_its_screen_goes_does_nothing(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.ticket(SlipState.PRINTED))
        await screens.driver.frames()
        button = screens.driver.target("完成")
        finger = Finger(*button.to_window(*button.center))
        finger.down()
        screens.app.show(ZH.home())
        await screens.driver.frames()
        finger.up()
        assert screens.intents == [intents.Touched()]
        assert button.state == "normal"


async def test_a_second_finger_is_ignored_while_the_first_is_down(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        first, second = screens.driver.target("全部业务"), screens.driver.target("呼叫工作人员")
        one, other = Finger(*first.to_window(*first.center)), Finger(*second.to_window(*second.center))
        one.down()
        other.down()
        other.up()
        one.up()
        assert screens.intents == [intents.Touched(), intents.TakeNumber()]


async def test_a_finger_whose_lifting_was_lost_does_not_lock_the_screen(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "STUCK_S", 0.0)
    async with start() as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        Finger(250, 450).down()
        await screens.driver.tap(screens.driver.target("全部业务"))
        assert screens.intents[-1] == intents.TakeNumber()


async def test_one_touch_anywhere_extends_the_countdown_and_means_nothing_else(start: Start) -> None:
    async with start() as screens:
        screens.app.show(replace(ZH.home(), frame=replace(ZH.frame, idle=Idle(12))))
        await screens.driver.frames()
        for place in ((270, 30), (270, 480), (150, 600)):
            await screens.driver.tap_at(*place)
        assert Counter(screens.intents) == {intents.Touched(): 3}


async def test_the_hidden_corner_opens_after_it_was_held_and_not_by_a_tap(start: Start) -> None:
    async with start() as screens:
        screens.app.show(ZH.home())
        await screens.driver.frames()
        await screens.driver.tap_at(5, Window.height - 5)
        slid = Finger(5, Window.height - 5)
        slid.down()
        slid.slide(250, 450)
        slid.up()
        assert intents.HiddenCorner() not in screens.intents
        held = Finger(5, Window.height - 5)
        held.down()
        await screens.driver.until(lambda: intents.HiddenCorner() in screens.intents)
        held.up()


async def test_help_shows_what_became_of_the_call(start: Start) -> None:
    async with start() as screens:
        shown = []
        for state in HelpState:
            screens.app.show(replace(ZH.home(), frame=replace(ZH.frame, help=state)))
            shown.append(screens.app.root.ids.footer.ids.help.content)
        assert len(set(shown)) == len(HelpState)


async def test_the_voice_button_appears_only_where_prompts_are_rendered(start: Start) -> None:
    async with start() as screens:
        screens.app.show(SampleViews("zh", voice=False).home())
        await screens.driver.frames()
        with pytest.raises(LookupError):
            screens.driver.target("语音")
        screens.app.show(SampleViews("zh", voice=True).home())
        assert screens.driver.target("语音")


async def test_pages_turn_and_every_service_can_be_reached(start: Start) -> None:
    view = SampleViews("en", large=True).catalogue("social-security")
    async with start("landscape") as screens:
        screens.app.show(view)
        await screens.driver.frames()
        seen, pages = set(), screens.app.root.screen.ids.grid.pages
        assert pages > 1
        for page in range(pages):
            seen |= {tile.intent for tile in screens.driver.all() if hasattr(tile, "note") and hasattr(tile, "intent")}
            if page < pages - 1:
                await screens.driver.tap(screens.app.root.screen.ids.grid.pager.ids.next)
        assert seen == {intents.ChooseService(service.id) for service in view.services}
