"""The ticket page on a phone."""

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Clerk, Hall, until_true

_VIBRATION = "window.vibrations = []; Navigator.prototype.vibrate = (pattern) => window.vibrations.push(pattern) > 0;"


def test_a_phone_is_called_by_vibration_and_colour_and_told_when_its_number_was_passed(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    hall.issue("social-card")
    mine = hall.issue("social-card")
    phone = open_page(browser, f"{hall.url}/t/{mine['token']}", 390, 844, _VIBRATION)
    expect(phone.locator("#ahead")).to_have_text("1")
    keep(phone, "ticket-waiting")
    clerk = Clerk(hall, "limin", "counter-2")
    clerk.act("next")
    expect(phone.locator("#ahead")).to_have_text("0", timeout=10_000)
    clerk.act("no-show")
    clerk.act("next")
    expect(phone.locator("#counter")).to_have_text("2", timeout=10_000)
    expect(phone.locator("html")).to_have_attribute("data-state", "called")
    until_true(phone, "vibrations.length === 1")
    until_true(phone, "document.documentElement.dataset.flash === 'no'")
    keep(phone, "ticket-called")
    clerk.act("no-show")
    expect(phone.locator("html")).to_have_attribute("data-state", "no_show", timeout=10_000)
    expect(phone.locator("#hint")).to_contain_text("前到咨询台或窗口说明")
    keep(phone, "ticket-passed")
    keep(open_page(browser, f"{hall.url}/t/{mine['token']}?lang=en", 390, 844), "ticket-passed-en")


def test_a_phone_that_cannot_reach_the_hall_says_so_and_recovers(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    mine = hall.issue("social-card")
    phone = open_page(browser, f"{hall.url}/t/{mine['token']}", 390, 844)
    hall.kill()
    expect(phone.locator("#away")).to_be_visible(timeout=20_000)
    hall.start()
    expect(phone.locator("#away")).to_be_hidden(timeout=20_000)
    expect(phone.locator("#ahead")).to_have_text("0")


def test_whoever_was_served_rates_the_visit_on_the_phone_once(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    mine = hall.issue("social-card")
    phone = open_page(browser, f"{hall.url}/t/{mine['token']}", 390, 844)
    expect(phone.locator("#rating")).to_be_hidden()
    clerk = Clerk(hall, "limin", "counter-2")
    for act in ("next", "start", "complete"):
        clerk.act(act)
    expect(phone.locator("html")).to_have_attribute("data-state", "completed", timeout=20_000)
    expect(phone.locator("#rate")).to_be_visible()
    keep(phone, "ticket-rate")
    other = open_page(browser, f"{hall.url}/t/{mine['token']}?lang=en", 390, 844)
    keep(other, "ticket-rate-en")

    phone.get_by_text("提交评价").click()
    expect(phone.locator("#rate")).to_be_visible()
    phone.get_by_text("满意", exact=True).click()
    phone.context.set_offline(True)
    phone.get_by_text("提交评价").click()
    expect(phone.locator("#rating-said")).to_contain_text("评价没有送出")
    keep(phone, "ticket-rate-away")
    phone.context.set_offline(False)
    expect(phone.get_by_role("radio", name="满意", exact=True)).to_be_checked()
    phone.get_by_text("提交评价").dblclick()
    expect(phone.locator("#rated")).to_have_text("您的评价：满意。谢谢！")
    expect(phone.locator("#rate")).to_be_hidden()
    expect(phone.locator("#rating-said")).to_be_empty()
    keep(phone, "ticket-rated")
    phone.reload()
    expect(phone.locator("#rated")).to_have_text("您的评价：满意。谢谢！")

    other.get_by_text("Very dissatisfied").click()
    other.get_by_text("Send rating").click()
    expect(other.locator("#rating-said")).to_contain_text("the first rating counts")
    expect(other.locator("#rated")).to_have_text("Your rating: Satisfied. Thank you!")
    keep(other, "ticket-rated-before-en")
