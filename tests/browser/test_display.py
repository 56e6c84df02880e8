"""The call display in a real browser."""

import urllib.request
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Clerk, Hall, until_true
from tests.queue_server.web.rig import PASSWORD

_FLASHES = """
window.flashes = 0; window.order = [];
document.addEventListener("DOMContentLoaded", () => {
  const hero = document.getElementById("hero");
  if (hero) new MutationObserver((changes) => changes.forEach((change) => {
    if (change.attributeName === "data-flash" && hero.dataset.flash === "yes") window.flashes += 1;
    const anotherCall = change.attributeName === "data-call" && change.oldValue !== hero.dataset.call;
    if (anotherCall) window.order.push([hero.dataset.call, performance.now()]);
  })).observe(hero, { attributes: true, attributeOldValue: true });
});
"""
_SOUND = """
window.sounds = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
  const call = document.getElementById("hero").dataset.call;
  const sound = { began: this.context.currentTime, whole: this.buffer.duration, call };
  window.sounds.push(sound);
  this.addEventListener("ended", () => { sound.ended = this.context.currentTime; });
  return start.call(this, when);
};
"""
_FITS = "document.getElementById('notice').scrollWidth <= document.getElementById('notice').clientWidth"
_CALM = "document.getElementById('hero').dataset.active === 'no'"


def text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def number_in_hero(page: Page, number: str) -> None:
    expect(page.locator("#hero-number")).to_have_text(number, timeout=20_000)


def test_a_call_takes_the_stage_flashes_three_times_and_joins_the_rows(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    first, second = hall.issue("social-card"), hall.issue("social-card")
    for service in ("fund-loan", "fund-loan", "id-card", "household-move", "pension-claim"):
        hall.issue(service)
    tv = open_page(browser, f"{hall.url}/display/east", 1920, 1080, _FLASHES)
    dark = open_page(browser, f"{hall.url}/display/east?dark=1", 1920, 1080)
    tall = open_page(browser, f"{hall.url}/display/east", 1080, 1920)
    expect(tv.locator(".hero-welcome")).to_be_visible()
    keep(tv, "display-empty")
    clerk = Clerk(hall, "limin", "counter-2")
    clerk.act("next")
    for page in (tv, dark, tall):
        number_in_hero(page, first["number"])
    assert text(tv, "#hero-counter") == "2"
    until_true(tv, _CALM)
    assert tv.evaluate("flashes") == 3
    clerk.act("no-show")
    clerk.act("next")
    number_in_hero(tv, second["number"])
    expect(tv.locator(".rows li").first).to_contain_text(first["number"])
    assert "请" in text(tv, "#hero-sentence")
    assert "约" in text(tv, ".queues")
    until_true(tv, "document.getElementById('hero').dataset.flash === 'yes'")
    keep(tv, "display-flash")
    for page, name in ((tv, "landscape"), (dark, "dark"), (tall, "portrait")):
        until_true(page, "document.getElementById('hero').dataset.active === 'yes' || " + _CALM)
        keep(page, f"display-{name}")
    for page in (tv, tall):
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_text_that_must_be_read_from_eight_metres_is_forty_millimetres_high(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    hall.issue("social-card")
    tv = open_page(browser, f"{hall.url}/display/east", 1920, 1080)
    Clerk(hall, "limin", "counter-2").act("next")
    number_in_hero(tv, "A001")
    millimetres_per_pixel = 1439 / 1920  # 65 inches
    height_of_digits, height_of_characters = 0.73, 0.92
    for selector, share in (
        ("#hero-number", height_of_digits),
        ("#hero-counter", height_of_digits),
        ("#clock", height_of_characters),
        (".queues .name", height_of_characters),
        (".rows .number", height_of_digits),
    ):
        size = tv.evaluate("s => parseFloat(getComputedStyle(document.querySelector(s)).fontSize)", selector)
        assert size * share * millimetres_per_pixel >= 40, selector


def test_q09_a_rebooted_display_restores_the_last_calls_and_announces_none_twice(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    numbers = [hall.issue("social-card")["number"] for _ in range(3)]
    clerk = Clerk(hall, "limin", "counter-2")
    for n in range(3):
        if n:
            clerk.act("no-show")
        clerk.act("next")
    tv = open_page(browser, f"{hall.url}/display/east", 1920, 1080, _FLASHES)
    number_in_hero(tv, numbers[2])
    until_true(tv, _CALM)
    tv.reload()
    number_in_hero(tv, numbers[2])
    expect(tv.locator(".rows")).to_contain_text(numbers[0])
    expect(tv.locator(".rows")).to_contain_text(numbers[1])
    assert tv.evaluate("flashes") == 0


def test_q07_three_calls_within_a_blink_are_three_full_announcements_in_order(
    hall: Hall, television: Browser, open_page: Callable[..., Page]
) -> None:
    services = {"counter-2": "social-card", "counter-3": "fund-loan", "counter-4": "id-card"}
    logins = ("limin", "wangfang", "zhaojun")
    clerks = [Clerk(hall, login, counter) for login, counter in zip(logins, services, strict=True)]
    for service in services.values():
        hall.issue(service)
    tv = open_page(television, f"{hall.url}/display/east?speaker=1", 1920, 1080, _FLASHES + _SOUND)
    expect(tv.locator("#sound")).to_be_hidden()
    expect(tv.locator("html")).to_have_attribute("data-state", "live")
    calls = [clerk.act("next")["current"]["number"] for clerk in clerks]
    until_true(tv, "sounds.length === 3 && sounds.every((s) => s.ended)", timeout_s=60)
    until_true(tv, _CALM)
    sounds: list[dict[str, Any]] = tv.evaluate("sounds")
    order = tv.evaluate("order")
    assert len({sound["call"] for sound in sounds}) == 3
    assert [call for call, _ in order] == [sound["call"] for sound in sounds]
    assert set(text(tv, ".rows").split()) | {text(tv, "#hero-number")} >= set(calls)
    assert text(tv, "#hero-number") == calls[-1]
    for earlier, later in pairwise(sounds):
        assert later["began"] >= earlier["ended"]
    for sound in sounds:
        first_reading = _first_reading(hall, sound["call"])
        heard = sound["ended"] - sound["began"]
        assert heard >= first_reading - 0.05
        assert heard <= sound["whole"] + 0.2
    assert sounds[1]["ended"] - sounds[1]["began"] < sounds[1]["whole"] - 1  # the second reading gave way
    assert sounds[2]["ended"] - sounds[2]["began"] >= sounds[2]["whole"] - 0.1  # nobody waited any more
    shown_ms = [later - earlier for (_, earlier), (_, later) in pairwise(order)]
    assert all(ms >= 1500 for ms in shown_ms)


def test_an_announcement_is_a_line_on_every_display_and_is_spoken_between_two_calls(
    hall: Hall, television: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    for service in ("social-card", "fund-loan"):
        hall.issue(service)
    clerks = [Clerk(hall, "limin", "counter-2"), Clerk(hall, "wangfang", "counter-3")]
    manager = hall.order("/api/v1/sign-in", {"login": "zhaojun", "password": PASSWORD})["token"]
    said = {"text": "请带老人的市民到三号窗口优先办理", "zones": ["east"]}
    tv = open_page(television, f"{hall.url}/display/east?speaker=1", 1920, 1080, _FLASHES + _SOUND, clock=True)
    silent = open_page(television, f"{hall.url}/display/east", 1080, 1920)
    other = open_page(television, f"{hall.url}/display/west", 1920, 1080)
    for page in (tv, silent, other):
        expect(page.locator("html")).to_have_attribute("data-state", "live")
    first = clerks[0].act("next")["current"]["number"]
    until_true(tv, "sounds.length === 1")
    hall.order("/api/v1/announcements", said, manager)
    until_true(tv, "sounds.length === 2")
    number_in_hero(tv, first)
    second = clerks[1].act("next")["current"]["number"]
    number_in_hero(silent, second)
    expect(tv.locator("#notice")).to_have_text(f"广播：{said['text']}")
    keep(tv, "display-announcement-landscape")
    expect(silent.locator("#notice")).to_contain_text("广播：请带老人的市民", timeout=20_000)
    assert silent.evaluate(_FITS)
    keep(silent, "display-announcement-portrait")
    expect(silent.locator("#notice")).to_contain_text("优先办理", timeout=20_000)
    assert silent.evaluate(_FITS)
    until_true(tv, "sounds.length === 3 && sounds.every((s) => s.ended)", timeout_s=60)
    call, announcement, next_call = tv.evaluate("sounds")
    assert call["ended"] - call["began"] >= call["whole"] - 0.1  # both readings: an announcement makes no call give way
    assert announcement["began"] >= call["ended"]
    assert announcement["ended"] - announcement["began"] < announcement["whole"] - 1  # a call waited
    assert next_call["began"] >= announcement["ended"]
    number_in_hero(tv, second)
    expect(other.locator("#notice")).to_have_class("notice")
    tv.clock.fast_forward(24_000)
    expect(tv.locator("#notice")).to_have_class("notice")
    expect(tv.locator("#notice")).not_to_contain_text("老人")


def _first_reading(hall: Hall, call: str) -> float:
    with urllib.request.urlopen(f"{hall.url}/audio/{call}.wav") as answer:
        return float(answer.headers["First-Reading-Seconds"])


def test_blocked_sound_is_said_on_the_screen_and_told_to_staff_until_somebody_clicks(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    tv = open_page(browser, f"{hall.url}/display/east?speaker=1", 1920, 1080)
    expect(tv.locator("#sound")).to_contain_text("声音被浏览器阻止")
    hall.until(lambda: "display_sound_blocked:east" in hall.alerts())
    keep(tv, "display-sound-blocked")
    tv.mouse.click(400, 300)
    expect(tv.locator("#sound")).to_be_hidden()
    hall.until(lambda: "display_sound_blocked:east" not in hall.alerts())


def test_a_second_speaker_of_a_zone_is_silent_and_says_so(
    hall: Hall, television: Browser, open_page: Callable[..., Page]
) -> None:
    first = open_page(television, f"{hall.url}/display/east?speaker=1", 1920, 1080)
    expect(first.locator("html")).to_have_attribute("data-state", "live")
    second = open_page(television, f"{hall.url}/display/east?speaker=1", 1920, 1080)
    expect(second.locator("#voice-note")).to_contain_text("本区已有播音屏")
    expect(first.locator("#voice-note")).to_be_hidden()


def test_a_display_survives_a_restart_of_the_server_without_a_touch(
    hall: Hall, browser: Browser, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    hall.issue("social-card")
    tv = open_page(browser, f"{hall.url}/display/east", 1920, 1080)
    Clerk(hall, "limin", "counter-2").act("next")
    number_in_hero(tv, "A001")
    tv.evaluate("window.untouched = true")
    hall.kill()
    expect(tv.locator("#stale")).to_contain_text("数据可能已过期", timeout=15_000)
    number_in_hero(tv, "A001")
    keep(tv, "display-stale")
    hall.start()
    expect(tv.locator("html")).to_have_attribute("data-state", "live", timeout=15_000)
    second = hall.issue("id-card")
    Clerk(hall, "wangfang", "counter-4").act("next")
    number_in_hero(tv, second["number"])
    assert tv.evaluate("window.untouched") is True


def test_motion_is_left_out_where_it_is_not_wanted(
    hall: Hall, browser: Browser, open_page: Callable[..., Page]
) -> None:
    hall.issue("social-card")
    tv = open_page(browser, "about:blank", 1920, 1080, _FLASHES)
    tv.emulate_media(reduced_motion="reduce")
    tv.goto(f"{hall.url}/display/east")
    expect(tv.locator(".hero-welcome")).to_be_visible()
    Clerk(hall, "limin", "counter-2").act("next")
    number_in_hero(tv, "A001")
    until_true(tv, _CALM)
    assert tv.evaluate("flashes") == 0
