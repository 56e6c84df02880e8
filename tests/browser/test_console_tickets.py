"""The clerk's console: sending on, setting aside, correcting, undoing, pausing and taking over, in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hall, sign_in
from tests.browser.test_console import Keep, at_counter, current, press, settled, waiting


def choose(page: Page, selector: str) -> None:
    """A click, as a person makes it who has seen what the one before did."""
    settled(page)
    page.click(selector)


def said(page: Page, text: str) -> None:
    expect(page.locator(".said")).to_contain_text(text)


def test_a_ticket_is_sent_on_under_its_number_and_waits_from_its_arrival(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    number = hall.issue("advice")["number"]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-9")
    other = at_counter(open_page(browser, f"{hall.url}/console"), "wangfang", "counter-2")
    press(page, "n")
    press(page, "s")
    current(page, number, "serving")
    press(page, "t")
    expect(page.locator(".panel-beside h2")).to_contain_text(number)
    keep(page, "console-transfer")
    page.set_viewport_size({"width": 1920, "height": 1080})
    keep(page, "console-transfer-wide")
    choose(page, "[data-act=transfer][data-service=social-card]")
    said(page, f"{number} 已转办")
    expect(page.locator(".panel-beside")).to_have_count(0)
    expect(other.locator(".card.next .number")).to_have_text(number)


def test_a_ticket_sent_to_a_counter_is_called_by_that_counter_alone(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    number = hall.issue("social-card")["number"]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-1")
    other = at_counter(open_page(browser, f"{hall.url}/console"), "wangfang", "counter-2")
    choose(page, ".queue [data-panel=transfer]")
    choose(page, "[data-act=send_to][data-to='counter:counter-2']")
    choose(page, "[data-act=transfer][data-service=social-card]")
    said(page, f"{number} 已转办")
    expect(page.locator(".queue li .class")).to_contain_text("指定 2 号窗口")
    expect(page.locator(".card.next .number")).to_have_text("—")
    expect(other.locator(".card.next .number")).to_have_text(number)


def test_what_is_held_waits_for_a_hand_and_a_no_show_comes_back(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    first, second = (hall.issue("social-card")["number"] for _ in range(2))
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    press(page, "n")
    press(page, "o")
    said(page, f"{first} 已挂起")
    expect(page.locator(".card.next .number")).to_have_text(second)
    press(page, "n")
    press(page, "x")
    said(page, f"{second} 已记过号")
    expect(page.locator(".card.next .number")).to_have_text("—")
    expect(page.locator(".aside li")).to_have_count(2)
    keep(page, "console-aside")
    choose(page, ".aside [data-act=reinstate]")
    expect(page.locator(".card.next .number")).to_have_text(second)
    choose(page, ".aside [data-act=call]")
    current(page, first, "called")


def test_a_mistake_is_undone_with_one_key(hall: Hall, browser: Browser, open_page: Callable[..., Page]) -> None:
    first, second = (hall.issue("social-card")["number"] for _ in range(2))
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    press(page, "n")
    expect(page.locator("[data-act=undo]")).to_contain_text(f"撤销叫号 {first}")
    press(page, "u")
    expect(page.locator(".card.free")).to_be_visible()
    expect(page.locator(".card.next .number")).to_have_text(first)
    press(page, "n")
    press(page, "s")
    press(page, "f")
    current(page, second, "called")
    press(page, "u")
    expect(page.locator("[data-act=undo]")).to_contain_text(f"撤销办结 {first}")
    press(page, "u")
    current(page, first, "serving")


def test_a_person_has_one_more_service_here_and_another_elsewhere(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    number = hall.issue("social-card")["number"]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    other = at_counter(open_page(browser, f"{hall.url}/console"), "wangfang", "counter-4")
    press(page, "n")
    press(page, "s")
    press(page, "a")
    keep(page, "console-another")
    choose(page, "[data-act=another][data-here=yes][data-service=medical-remote]")
    said(page, f"{number} 已加办")
    expect(page.locator(".card.serving .service")).to_have_text("异地就医备案")
    press(page, "l")
    keep(page, "console-reclassify")
    choose(page, "[data-act=reclassify][data-class=military][data-evidence=veteran-card]")
    choose(page, "[data-panel=reclassify]")
    choose(page, "[data-act=reclassify][data-companions='2']")
    expect(page.locator(".card.serving .about")).to_contain_text("军人")
    expect(page.locator(".card.serving .about")).to_contain_text("同行 2 人")
    choose(page, "[data-panel=transfer]")
    choose(page, ".panel-beside [data-act=send_to] >> text=王芳")
    choose(page, "[data-act=transfer][data-service=id-card]")
    expect(other.locator(".card.next .number")).to_have_text(number)


def test_a_counter_pauses_with_a_reason_and_works_by_another_profile(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    hall.issue("social-card")
    fund = hall.issue("fund-loan")["number"]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    assert fund not in waiting(page)
    press(page, "b")
    keep(page, "console-duty")
    choose(page, "[data-act=profile][data-profile=fund-first]")
    said(page, "业务配置已更换")
    expect(page.locator(".queue li", has_text=fund)).to_be_visible()
    press(page, "b")
    choose(page, "[data-act=pause][data-reason=meal]")
    expect(page.locator(".card.paused")).to_contain_text("用餐")
    expect(page.locator("[data-act=next]")).to_be_disabled()
    keep(page, "console-paused")
    press(page, "g")
    expect(page.locator("[data-act=next]")).to_be_enabled()


def test_a_manager_takes_a_counter_over_with_the_ticket_in_service(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    number = hall.issue("social-card")["number"]
    clerk = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    press(clerk, "n")
    press(clerk, "s")
    current(clerk, number, "serving")
    manager = open_page(browser, f"{hall.url}/console")
    sign_in(manager, "zhaojun")
    expect(manager.locator("[data-act=take_over]")).to_have_count(1)
    keep(manager, "console-take-over")
    choose(manager, "[data-act=take_over][data-counter=counter-2]")
    manager.click("[data-act=take_over][data-counter=counter-2]")
    current(manager, number, "serving")
    expect(clerk.locator(".at-choice h1")).to_have_text("请选择您所在的窗口")
