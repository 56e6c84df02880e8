"""The configuration: its checks, its JSON, and how it comes into force."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from queue_server.hall import (
    ConfigurationError,
    Configure,
    Hall,
    Problem,
    Withdraw,
    configuration_from_json,
    configuration_to_json,
    decide,
    refusals,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, SAMPLE, Scene, sample

ROOT = SAMPLE.parents[2]


def test_the_sample_hall_is_complete_in_both_languages():
    plain = json.loads(SAMPLE.read_text())

    def texts(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, dict):
            found = [value] if set(value) == {"zh", "en"} else []
            return found + [text for inner in value.values() for text in texts(inner)]
        return [text for inner in value for text in texts(inner)] if isinstance(value, list) else []

    for text in texts(plain):
        assert text["zh"]
        assert text["en"]
        if isinstance(text["zh"], list):
            assert len(text["zh"]) == len(text["en"])


def test_the_sample_hall_has_icons_that_exist_and_every_service_has_a_counter():
    hall = sample()
    assert all((ROOT / "assets/icons/services" / f"{group.icon}.png").exists() for group in hall.groups)
    served = {queue for counter in hall.counters for queue in hall.work_profile(counter.profile).weights}
    assert {service.queue for service in hall.services} == served == {queue.id for queue in hall.queues}
    assert (len(hall.groups), len(hall.services), len(hall.queues), len(hall.counters)) == (8, 32, 9, 11)


def test_json_round_trip_is_canonical():
    hall = sample()
    text = configuration_to_json(hall)
    assert configuration_from_json(text) == hall
    assert configuration_to_json(configuration_from_json(text)) == text


BROKEN: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "no number": (lambda c: c.pop("revision"), "missing", "revision"),
    "unknown field": (lambda c: c.update(colour="red"), "unexpected_keyword_argument", "colour"),
    "unknown field within": (
        lambda c: c["services"][0].update(price=1),
        "unexpected_keyword_argument",
        "services.0.price",
    ),
    "text for number": (lambda c: c["services"][0].update(minutes="5"), "float_type", "services.0.minutes"),
    "revision": (lambda c: c.update(revision=0), "revision_not_positive", "revision"),
    "time zone": (lambda c: c.update(time_zone="Mars/Base"), "time_zone_unknown", "time_zone"),
    "time zone is a path": (lambda c: c.update(time_zone="../etc"), "time_zone_unknown", "time_zone"),
    "day end": (lambda c: c.update(day_ends_at="24:00"), "not_a_wall_time", "day_ends_at"),
    "no zones": (lambda c: c.update(zones=[]), "empty", "zones"),
    "bad id": (lambda c: c["groups"][5].update(id="Tax+"), "not_an_id", "groups[Tax+]"),
    "id twice": (lambda c: c["services"][1].update(id="pension-claim"), "id_twice", "services[pension-claim]"),
    "no ordinary": (lambda c: c["priority_classes"].pop(0), "class_ordinary_missing", "priority_classes"),
    "prefix": (lambda c: c["queues"][0].update(prefix="1"), "not_a_prefix", "queues[social-security].prefix"),
    "prefix twice": (lambda c: c["queues"][0].update(prefix="B"), "prefix_twice", "queues[social-security].prefix"),
    "range": (lambda c: c["queues"][0].update(first=1000), "range_empty", "queues[social-security].last"),
    "digits": (lambda c: c["queues"][0].update(digits=2), "digits_too_few", "queues[social-security].digits"),
    "counter number": (
        lambda c: c["counters"][0].update(number="2"),
        "counter_number_twice",
        "counters[counter-1].number",
    ),
    "colour": (lambda c: c["groups"][0].update(colour="red"), "not_a_colour", "groups[social-security].colour"),
    "minutes": (
        lambda c: c["services"][0].update(minutes=0.0),
        "minutes_out_of_range",
        "services[pension-claim].minutes",
    ),
    "rate": (
        lambda c: c["priority_classes"][1].update(rate=0.0),
        "rate_out_of_range",
        "priority_classes[elderly].rate",
    ),
    "head start": (
        lambda c: c["priority_classes"][1].update(head_start_s=-1),
        "head_start_out_of_range",
        "priority_classes[elderly].head_start_s",
    ),
    "rules": (lambda c: c["rules"].update(recall_limit=-1), "negative", "rules"),
    "zone of queue": (lambda c: c["queues"][0].update(zone="x"), "zone_unknown", "queues[social-security].zone"),
    "group": (lambda c: c["services"][0].update(group="x"), "group_unknown", "services[pension-claim].group"),
    "queue": (lambda c: c["services"][0].update(queue="x"), "queue_unknown", "services[pension-claim].queue"),
    "zone of counter": (lambda c: c["counters"][0].update(zone="x"), "zone_unknown", "counters[counter-1].zone"),
    "class of counter": (
        lambda c: c["counters"][0].update(counter_class="x"),
        "counter_class_unknown",
        "counters[counter-1].counter_class",
    ),
    "profile of counter": (
        lambda c: c["counters"][0].update(profile="x"),
        "profile_unknown",
        "counters[counter-1].profile",
    ),
    "profile beyond the class": (
        lambda c: c["counters"][0].update(profile="household", counter_class="business"),
        "profile_beyond_class",
        "counters[counter-1].profile",
    ),
    "class serves none": (
        lambda c: c["counter_classes"][0].update(queues=[]),
        "empty",
        "counter_classes[business].queues",
    ),
    "class serves unknown": (
        lambda c: c["counter_classes"][0].update(queues=["x"]),
        "queue_unknown",
        "counter_classes[business].queues",
    ),
    "profile serves twice": (
        lambda c: c["work_profiles"][0].update(queues=[{"queue": "tax"}, {"queue": "tax"}]),
        "id_twice",
        "work_profiles[insurance].queues",
    ),
    "weight": (
        lambda c: c["work_profiles"][0]["queues"][0].update(weight=0),
        "weight_out_of_range",
        "work_profiles[insurance].queues",
    ),
    "cap": (lambda c: c["priority_classes"][0].update(cap_s=5), "cap_out_of_range", "priority_classes[ordinary].cap_s"),
    "share": (
        lambda c: c["priority_classes"][0].update(share=0),
        "share_out_of_range",
        "priority_classes[ordinary].share",
    ),
    "evidence": (
        lambda c: c["priority_classes"][0].update(evidence=["x"]),
        "evidence_unknown",
        "priority_classes[ordinary].evidence",
    ),
    "recalls before a no-show": (
        lambda c: c["rules"].update(no_show={"recalls_first": 9}),
        "recalls_beyond_limit",
        "rules.no_show.recalls_first",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named_with_its_place(name: str):
    breaking, code, where = BROKEN[name]
    plain = json.loads(SAMPLE.read_text())
    breaking(plain)
    with pytest.raises(ConfigurationError) as error:
        configuration_from_json(json.dumps(plain))
    assert Problem(code, where) in error.value.problems


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ufeff{}", '{"revision": NaN}'])
def test_what_is_no_configuration_is_a_named_error(text: str):
    with pytest.raises(ConfigurationError):
        configuration_from_json(text)


def test_an_unchecked_configuration_is_refused_by_the_core_too():
    command = Configure(by=MANAGER, configuration=sample(time_zone="Mars/Base"))
    assert decide(Hall("h"), command, MORNING) == refusals.ConfigurationInvalid(
        problem="time_zone_unknown", where="time_zone"
    )


def test_the_same_configuration_again_changes_nothing_and_another_needs_a_higher_revision(scene: Scene):
    assert scene.do(Configure(by=MANAGER, configuration=sample())) == ()
    other = replace(sample(), day_ends_at="05:00")
    assert scene.refused(Configure(by=MANAGER, configuration=other)) == refusals.ConfigurationNotNewer(
        revision=1, in_force=1
    )
    scene.do(Configure(by=MANAGER, configuration=replace(other, revision=2)))
    assert scene.hall.configuration.revision == 2


def test_what_lives_cannot_be_configured_away(scene: Scene):
    ticket = scene.issue("id-card", "elderly")
    scene.open("counter-4")
    now = sample(revision=2, slot_plans=())
    for what, id_, configuration in (
        ("service", "id-card", replace(now, services=tuple(s for s in now.services if s.id != "id-card"))),
        (
            "priority_class",
            "elderly",
            replace(now, priority_classes=tuple(c for c in now.priority_classes if c.id != "elderly")),
        ),
        ("counter", "counter-4", replace(now, counters=tuple(c for c in now.counters if c.id != "counter-4"))),
    ):
        command = Configure(by=MANAGER, configuration=configuration)
        assert scene.refused(command) == refusals.StillInUse(what=what, id=id_)
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    scene.do(Configure(by=MANAGER, configuration=replace(now, services=now.services[:9] + now.services[10:])))


def test_exchanged_prefixes_never_give_a_number_twice_on_a_day(scene: Scene):
    given = [scene.issue(service).number for service in ("id-card", "id-card", "invoice")]
    swap = {"H": "L", "L": "H"}
    queues = tuple(replace(queue, prefix=swap.get(queue.prefix, queue.prefix)) for queue in sample().queues)
    scene.do(Configure(by=MANAGER, configuration=sample(revision=2, queues=queues)))
    given += [scene.issue(service).number for service in ("id-card", "invoice")]
    assert given == ["H001", "H002", "L001", "L002", "H003"]
