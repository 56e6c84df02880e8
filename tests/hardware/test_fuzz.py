"""Every parser on published, damaged and random bytes: understands, refuses as it says, ends, hears what follows."""

import ast
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from tests.hardware.fuzzing import failure_of, fuzz, shortened
from tests.hardware.parsers import PARSERS, THROUGH, CutElsewhere, Parser, StreamParser, stream

ALWAYS, BY_CHANCE = 20_261_122, secrets.randbits(32)
INPUTS, BATCH = 300, 100

each_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)


def told(parser: Parser, seed: int, inputs: int) -> str:
    """The failures of a run, as somebody needs them who wants to see them again."""
    return "\n".join(
        f"{failure.error}: {failure.shortest.hex()}\n  again: ./dev bench fuzz --parser {parser.name} --seed {seed}"
        for failure in fuzz(parser, seed, inputs=inputs).failures
    )


@each_parser
def test_each_published_frame_means_something_and_says_where_it_is_published(parser):
    assert parser.golden
    assert parser.source
    for frame in parser.golden:
        assert parser.take(frame), frame.hex(" ")


@each_parser
def test_damaged_frames_are_understood_or_refused(parser):
    assert not told(parser, ALWAYS, INPUTS)


@each_parser
def test_damaged_frames_of_a_new_chance_are_understood_or_refused(parser):
    print(f"seed {BY_CHANCE}")  # noqa: T201 - shown with a failure
    assert not told(parser, BY_CHANCE, BATCH)


@pytest.mark.parametrize(
    "parser", [p for p in PARSERS if isinstance(p, StreamParser) and p.finds_back], ids=lambda parser: parser.name
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_noise_costs_one_frame_at_most(parser, data):
    """Noise is any bytes, and any piece of a frame that broke off."""
    frame = data.draw(st.sampled_from(parser.golden))
    broken = data.draw(st.sampled_from(parser.golden))[: data.draw(st.integers(0, 40))]
    noise = data.draw(st.one_of(st.binary(max_size=200).map(parser.noise), st.just(parser.noise(broken))))
    assert parser.take(noise + frame + frame)[-1] == parser.take(frame)[-1]


# the fuzzing itself


def planted(take, golden=b"frame") -> Parser:
    return Parser(planted, take, (golden,), "this file", (ValueError,))


def test_a_defect_is_found_once_and_its_input_made_short():
    def parse(data: bytes) -> bool:
        if b"\xff" in data and len(data) > 3:
            raise IndexError
        return True

    (failure,) = fuzz(planted(parse), 1, inputs=3000).failures
    assert failure.error.startswith("IndexError at ")
    assert (len(failure.shortest), set(failure.shortest)) == (4, {0x00, 0xFF})


def test_an_error_that_a_parser_names_is_a_refusal():
    def parse(data: bytes) -> bool:
        raise ValueError

    assert not fuzz(planted(parse), 1, inputs=50).failures


def test_a_parser_that_does_not_come_to_an_end_has_failed(monkeypatch):
    monkeypatch.setattr("tests.hardware.fuzzing.HANG_CPU_S", 0.02)

    def parse(data: bytes) -> bool:
        try:
            while data != b"frame":
                pass
        except Exception:  # noqa: BLE001 - as a careless parser does
            return False
        return True

    (failure,) = fuzz(planted(parse), 1, inputs=3).failures
    assert failure.error.startswith("Hang at ")


def test_a_stream_that_depends_on_its_cuts_has_failed():
    class Forgetful:
        def feed(self, data):
            return [len(data)]

    assert failure_of(planted(stream(Forgetful)), b"ab").startswith(CutElsewhere.__name__)


def test_the_same_seed_gives_the_same_inputs():
    def inputs(seed: int) -> list[bytes]:
        taken = []
        fuzz(planted(taken.append), seed, inputs=100)
        return taken

    assert inputs(7) == inputs(7) != inputs(8)


def test_shortening_keeps_the_failure():
    def parse(data: bytes) -> None:
        if data.count(b"a") > 2:
            raise KeyError

    parser, data = planted(parse), random.Random(1).randbytes(500) + b"aaaa"
    assert shortened(parser, data, failure_of(parser, data)) == b"aaa"


# the registry


def taken_from_outside() -> Iterator[str]:
    """Decoders that are fed, and functions that make something of bytes: what a maker of a device would forget here."""
    root = Path(hardware.__file__).parent
    for path in sorted(root.rglob("*.py")):
        module = ".".join((path.relative_to(root.parent).with_suffix("")).parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and _fed(node):
                yield f"{module}.{node.name}"
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _reads_bytes(node):
                yield f"{module}.{node.name}"


def _fed(node: ast.ClassDef) -> bool:
    is_port = any(ast.unparse(base) == "Protocol" for base in node.bases)
    fed = any(isinstance(item, ast.FunctionDef) and item.name == "feed" for item in node.body)
    return fed and not is_port and not node.name.startswith("_")


def _reads_bytes(node: ast.FunctionDef) -> bool:
    """Takes bytes first and gives something other than bytes."""
    first = node.args.args[0].annotation if node.args.args else None
    gives = "None" if node.returns is None else ast.unparse(node.returns)
    return first is not None and ast.unparse(first) == "bytes" and gives not in {"bytes", "None"}


def test_every_parser_of_the_device_layer_is_fuzzed():
    known = {f"{of.__module__}.{of.__qualname__}" for of in (*(p.of for p in PARSERS), *THROUGH)}
    assert set(taken_from_outside()) - known == set(), "name it in tests/hardware/parsers.py"


def test_no_parser_is_in_the_registry_twice():
    names = [parser.name for parser in PARSERS]
    assert len(set(names)) == len(names)
