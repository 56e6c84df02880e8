"""The consoles in a real browser: one act at a time, live, and plain about what went wrong."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Clerk, Hall, sign_in, until_true

Keep = Callable[[Page, str], None]


def at_counter(page: Page, login: str, counter: str) -> Page:
    """Signed in and on duty."""
    sign_in(page, login)
    page.click(f"[data-counter={counter}]")
    expect(page.locator(".console")).to_have_attribute("data-view", "counter")
    return page


def settled(page: Page) -> None:
    """The act before is over: the page takes the next one."""
    until_true(page, "document.documentElement.dataset.busy !== 'yes'")


def ask(page: Page, wish: str) -> None:
    """An act that no button asks for; answered when this returns. `wish` is JavaScript."""
    settled(page)
    page.evaluate(f"document.documentElement.dataset.busy = 'yes'; emitEvent('act', {wish})")
    settled(page)


def press(page: Page, key: str) -> None:
    """A shortcut, as a person presses it who has seen what the one before did."""
    settled(page)
    page.keyboard.press(key)


def current(page: Page, number: str, state: str) -> None:
    expect(page.locator(f".card.{state} .number")).to_have_text(number)


def waiting(page: Page) -> list[str]:
    return page.locator(".queue:not(.aside) li > b").all_inner_texts()


def test_a_visit_by_keyboard_from_call_to_completion(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    numbers = [hall.issue("social-card")["number"] for _ in range(3)]
    elderly = hall.issue("social-card", "elderly")["number"]
    page = open_page(browser, f"{hall.url}/console")
    keep(page, "console-sign-in")
    at_counter(page, "limin", "counter-2")
    keep(page, "console-free")
    expect(page.locator(".card.next .why")).to_contain_text("老年人")
    press(page, "n")
    current(page, elderly, "called")
    expect(page.locator(".card.next .number")).to_have_text(numbers[0])
    press(page, "r")
    expect(page.locator(".card.current .times")).to_contain_text("重呼 1 次")
    keep(page, "console-called")
    press(page, "s")
    current(page, elderly, "serving")
    page.set_viewport_size({"width": 1920, "height": 1080})
    keep(page, "console-serving")
    press(page, "f")
    current(page, numbers[0], "called")
    press(page, "x")
    expect(page.locator(".said")).to_contain_text(f"{numbers[0]} 已记过号")
    assert waiting(page) == numbers[1:]


def test_q05_a_double_click_on_next_calls_one_person(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    numbers = [hall.issue("social-card")["number"] for _ in range(3)]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    settled(page)
    page.dblclick("[data-act=next]")
    current(page, numbers[0], "called")
    press(page, "s")
    page.keyboard.press("s")
    page.keyboard.press("s")
    current(page, numbers[0], "serving")
    settled(page)
    page.dblclick("[data-act=finish]")
    current(page, numbers[1], "called")
    settled(page)
    current(page, numbers[1], "called")
    assert waiting(page) == numbers[2:]


def test_an_act_with_an_old_version_changes_nothing_and_is_explained(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    numbers = [hall.issue("social-card")["number"] for _ in range(2)]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    ask(page, "{ act: 'next', seen: 99 }")
    expect(page.locator(".said.refused")).to_contain_text("情况已变化")
    ask(page, "'nonsense'")
    ask(page, "{ act: 'next', seen: 'one', ticket: {} }")
    ask(page, "{ act: 'next', seen: { is: 1 } }")
    assert waiting(page) == numbers


def test_shortcuts_do_not_fire_while_somebody_types(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    number = hall.issue("social-card")["number"]
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'typing' }))")
    page.focus("#typing")
    page.keyboard.type("nsx")
    page.keyboard.press("Control+n")
    assert page.input_value("#typing") == "nsx"
    assert waiting(page) == [number]


def test_two_clerks_cannot_hold_one_counter(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    second = open_page(browser, f"{hall.url}/console")
    sign_in(second, "wangfang")
    expect(second.locator("[data-counter=counter-2]")).to_contain_text("空闲")
    at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    expect(second.locator("[data-counter=counter-2]")).to_contain_text("李敏 在岗")
    second.click("[data-counter=counter-2]", force=True)
    expect(second.locator(".said.refused")).to_contain_text("2 号窗口正由 李敏 使用")
    keep(second, "console-choose")


def test_the_list_is_live_and_call_this_one_and_void_work_from_it(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    expect(page.locator(".card.current .times")).to_contain_text("没有人等候")
    first, second, third = (hall.issue("social-card")["number"] for _ in range(3))
    expect(page.locator(".queue li")).to_have_count(3)
    settled(page)
    page.locator(".queue li", has_text=first).locator("[data-panel=transfer]").click()
    settled(page)
    page.click(".panel-beside [data-act=cancel]")
    page.click(".panel-beside [data-act=cancel]")
    expect(page.locator(".queue li")).to_have_count(2)
    settled(page)
    page.locator(".queue li", has_text=third).locator("[data-act=call]").click()
    current(page, third, "called")
    assert waiting(page) == [second]


def test_a_request_for_help_shows_at_every_counter_until_one_clerk_goes(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    limin = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    wangfang = at_counter(open_page(browser, f"{hall.url}/console"), "wangfang", "counter-3")
    hall.order("/orders/help")
    for page in (limin, wangfang):
        expect(page.locator(".help")).to_contain_text("1 号自助机(东门) 有人求助")
    keep(limin, "console-help")
    press(limin, "h")
    for page in (limin, wangfang):
        expect(page.locator(".help")).to_have_count(0)


def test_q19_what_one_counter_calls_every_display_shows_with_its_number(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    number = hall.issue("fund-loan")["number"]
    tv = open_page(browser, f"{hall.url}/display/east", 1920, 1080)
    page = at_counter(open_page(browser, f"{hall.url}/console"), "wangfang", "counter-3")
    settled(page)
    page.click("[data-act=next]")
    current(page, number, "called")
    expect(tv.locator("#hero-line")).to_contain_text(number)
    expect(tv.locator("#hero-counter")).to_have_text("3")


def test_a_lost_connection_is_said_and_leads_back_to_the_sign_in(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    page = at_counter(open_page(browser, f"{hall.url}/console"), "limin", "counter-2")
    hall.kill()
    expect(page.locator("#lost")).to_be_visible(timeout=15_000)
    keep(page, "console-lost")
    hall.start()
    expect(page.locator("[name=login]")).to_be_visible(timeout=20_000)
    sign_in(page, "limin")
    expect(page.locator(".bar strong")).to_have_text("2 号窗口")


def test_technicians_see_what_needs_a_person_first_with_codes_and_alerts(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    page = open_page(browser, f"{hall.url}/console/sign-in")
    sign_in(page, "zhaojun")
    page.click("text=运维与告警")
    expect(page.locator(".terminals li").first).to_contain_text("2 号自助机")
    expect(page.locator(".terminals li").first).to_contain_text("缺纸")
    page.locator(".terminals li").first.locator("[data-act=code]").click()
    expect(page.locator(".code")).to_have_text(re.compile(r"^\d{3,4} \d{3,4}$"))
    keep(page, "console-technician")
    before = page.locator(".alerts li").count()
    settled(page)
    page.locator(".alerts [data-act=clear]").first.click()
    expect(page.locator(".alerts li")).to_have_count(before - 1)


def test_a_clerk_does_not_get_to_the_technicians_page(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    page = open_page(browser, f"{hall.url}/console/sign-in")
    sign_in(page, "limin")
    page.goto(f"{hall.url}/console/staff")
    expect(page.locator("h1")).to_have_text("请选择您所在的窗口")


def test_the_console_speaks_english_where_it_was_chosen(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Keep
) -> None:
    page = open_page(browser, f"{hall.url}/console/sign-in")
    page.click("text=English")
    sign_in(page, "limin")
    page.click("[data-counter=counter-2]")
    expect(page.locator(".console")).to_have_attribute("data-view", "counter")
    expect(page.locator("[data-act=next]")).to_contain_text("Call next")
    keep(page, "console-english")


def test_a_clerk_working_through_the_api_is_seen_in_the_open_console(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    number = hall.issue("social-card")["number"]
    clerk = Clerk(hall, "limin", "counter-2")
    page = open_page(browser, f"{hall.url}/console")
    sign_in(page, "limin")
    expect(page.locator(".bar strong")).to_have_text("2 号窗口")
    clerk.act("next")
    current(page, number, "called")
