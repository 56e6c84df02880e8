"""Signatures: ink that stays in its pad, smoothed through what was touched, alike as SVG and PNG, overwritten."""

import io
import itertools
import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kiosk.journeys.ink import LEAST_STEP_MM, MOST_POINTS, Ink, curve, line
from kiosk.session import KioskSession, SessionWiped
from kiosk.signature import NoSignature, signature_png, signature_svg

places = st.tuples(st.floats(0, 90), st.floats(0, 40))
anything = st.tuples(st.floats(), st.floats())


def drawn(*strokes):
    ink = Ink(90, 40)
    for first, *rest in strokes:
        ink.begin(*first)
        for place in rest:
            ink.go_on(*place)
    return ink


def wave(count=60, shift=0.0):
    return [(10 + index, 20 + shift + 6 * math.sin(index / 4)) for index in range(count)]


@given(st.lists(st.lists(anything, min_size=1, max_size=30), max_size=5))
def test_whatever_a_panel_tells_stays_inside_the_pad(strokes):
    for stroke in drawn(*strokes).strokes:
        assert all(0 <= x <= 90 and 0 <= y <= 40 for x, y in stroke)


@given(st.lists(places, min_size=2, max_size=60))
def test_trembling_is_dropped_and_nothing_else(stroke):
    (kept,) = drawn(stroke).strokes
    assert all(math.dist(one, other) >= LEAST_STEP_MM for one, other in itertools.pairwise(kept))
    assert all(min(math.dist(place, each) for each in kept) < LEAST_STEP_MM for place in stroke)


@given(st.lists(places, min_size=2, max_size=20))
def test_the_curve_passes_through_every_place_and_is_joined(stroke):
    pieces = curve(stroke)
    assert [piece.start for piece in pieces] + [pieces[-1].end] == stroke
    for before, behind in itertools.pairwise(pieces):
        assert before.end == behind.start
        out = (before.end[0] - before.second[0], before.end[1] - before.second[1])
        onward = (behind.first[0] - behind.start[0], behind.first[1] - behind.start[1])
        assert out == pytest.approx(onward, abs=1e-6)  # no corner


def test_a_straight_stroke_stays_straight():
    assert all(y == pytest.approx(10) for _, y in line([(0, 10), (5, 10), (20, 10), (30, 10)]))


def test_a_stroke_is_drawn_in_small_steps():
    steps = line(wave())
    assert max(math.dist(one, other) for one, other in itertools.pairwise(steps)) < 0.6


@pytest.mark.parametrize(
    ("strokes", "is_one"),
    [
        ([], False),
        ([[(5, 5)]], False),
        ([[(5, 5), (9, 5)]], False),
        ([[(5, 5), (60, 5)]], False),
        ([wave()], True),
        ([[(10, 10), (20, 20), (10, 20), (20, 10)], [(30, 15)]], True),
    ],
    ids=["nothing", "dot", "dash", "underline", "wave", "cross and dot"],
)
def test_a_dot_or_a_dash_is_no_signature(strokes, is_one):
    ink = drawn(*strokes)
    assert ink.is_signature is is_one
    if not is_one:
        for picture in (signature_svg, signature_png):
            with pytest.raises(NoSignature):
                picture(ink)


def test_a_pen_that_never_stops_fills_no_memory():
    ink = Ink(90, 40)
    ink.begin(0, 0)
    for index in range(3 * MOST_POINTS):
        ink.go_on(index % 90, index % 40)
    assert sum(len(stroke) for stroke in ink.strokes) <= MOST_POINTS


def test_cleared_ink_is_overwritten_and_shows_nothing():
    ink = drawn(wave())
    assert repr(ink) == "Ink(1 strokes, 60 places)"
    with pytest.raises(TypeError):
        ink.__reduce__()
    overwritten = []

    class Watched(type(ink._places)):
        def __setitem__(self, index, value):
            overwritten.append((index, value))
            super().__setitem__(index, value)

    ink._places = Watched("d", ink._places)
    ink.clear()
    assert overwritten == [(index, 0) for index in range(120)]
    assert ink.empty
    assert list(ink.strokes) == []


def test_a_session_overwrites_its_signature_when_it_ends_and_when_a_new_one_is_made():
    session = KioskSession(1)
    first, second, late = drawn(wave()), drawn(wave()), drawn(wave())
    assert session.signature is None
    session.sign(first)
    session.sign(first)
    assert not first.empty
    session.sign(second)
    assert first.empty
    assert session.signature is second
    session.wipe()
    assert second.empty
    with pytest.raises(SessionWiped):
        session.sign(late)
    assert late.empty
    with pytest.raises(SessionWiped):
        _ = session.signature


def test_svg_and_png_show_the_same(tmp_path):
    ink = drawn(wave(), wave(30, 10.0), [(80, 30)])
    svg = ET.fromstring(signature_svg(ink))
    assert svg.get("viewBox") == "0 0 90 40"
    paths = [path.get("d") for path in svg.iter("{http://www.w3.org/2000/svg}path")]
    assert len(paths) == 3
    assert paths[2] == "M80.00 30.00l0 0"
    picture = Image.open(io.BytesIO(signature_png(ink, dpi=254)))
    assert picture.size == (900, 400)
    opacity = np.array(picture.getchannel("A"))
    for path in paths:
        numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", path)]
        ends = [numbers[:2], *(numbers[index + 4 : index + 6] for index in range(2, len(numbers), 6))]
        assert all(opacity[min(399, round(y * 10)), min(899, round(x * 10))] > 200 for x, y in ends)
    assert (opacity > 0).mean() < 0.05
    assert np.array(picture.getchannel("L")).max() == 0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(places, min_size=1, max_size=20), min_size=1, max_size=4))
def test_every_signature_has_a_well_formed_picture(strokes):
    ink = drawn(*strokes)
    if ink.is_signature:
        ET.fromstring(signature_svg(ink))
        assert Image.open(io.BytesIO(signature_png(ink, dpi=72))).size == (255, 113)
