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
    expect(phone.locator("#hint")).to_contain_text("过号")
    keep(phone, "ticket-passed")


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
