"""An active challenge: a person is asked for movements in an order that nobody knew before. Pure: time is an argument.

It makes a photo held before the camera fail (its nose does not move between its eyes), and a film recorded beforehand
mostly so. A prepared film, a mask or a computed face may pass: it is no certified test of liveness (no presentation
attack detection as of ISO/IEC 30107), and says so wherever its result is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from hardware.camera.faces import Pose


class Move(StrEnum):
    """What is asked for; left and right are the person's own."""

    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    COME_CLOSER = "come_closer"


ASKED: Final = (Move.TURN_LEFT, Move.TURN_RIGHT, Move.COME_CLOSER)


@dataclass(frozen=True, slots=True)
class ChallengeRules:
    """How movements are judged. Times in seconds."""

    moves: int = 3
    straight: float = 0.25
    """Most of `Pose.turn` that counts as looking straight."""
    turned: float = 0.45
    """Least of it that counts as turned (about 25°)."""
    closer: float = 1.25
    """Width of the face against its width before, for "closer"."""
    frames: int = 2
    """Frames in a row in which a movement must be seen."""
    move_s: float = 8.0
    """For one movement, and for looking straight again."""
    lost_s: float = 1.0
    """Without a face, or with another one beside it, for so long, and everything begins anew."""
    most_jump: float = 0.6
    """How far a face may move between two frames, in widths of itself: farther is another face."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The one face of a frame: how it is held, its middle and width in pixels."""

    pose: Pose
    x: float
    y: float
    width: float


class ChallengeState(StrEnum):
    """How a challenge stands."""

    RUNNING = "running"
    MET = "met"
    NOT_MET = "not_met"  # a movement did not come in time
    BROKEN = "broken"  # the face was lost, or became another one


def choose_moves(rng: Random, count: int) -> tuple[Move, ...]:
    """So many movements at random, none twice in a row, with a turn among them: coming closer alone a photo can do."""
    moves: list[Move] = []
    while len(moves) < count:
        moves.append(rng.choice([move for move in ASKED if not moves or move is not moves[-1]]))
    if Move.TURN_LEFT not in moves and Move.TURN_RIGHT not in moves:
        moves[0] = rng.choice((Move.TURN_LEFT, Move.TURN_RIGHT))
    return tuple(moves)


class Challenge:
    """Runs through `moves`, each begun from and followed by looking straight. Times are monotonic seconds."""

    def __init__(self, moves: Sequence[Move], rules: ChallengeRules, now: float) -> None:
        self._rules = rules
        self._steps = [Move.LOOK_STRAIGHT, *(step for move in moves for step in (move, Move.LOOK_STRAIGHT))]
        self._at = 0
        self._since = self._seen_at = now
        self._frames = 0
        self._last: Seen | None = None
        self._width = 0.0
        self.state = ChallengeState.RUNNING

    @property
    def asks(self) -> Move:
        """What is asked for now."""
        return self._steps[min(self._at, len(self._steps) - 1)]

    @property
    def looks_straight(self) -> bool:
        """Whether the last frame showed the face straight: the one to compare."""
        return self._last is not None and abs(self._last.pose.turn) <= self._rules.straight

    def see(self, seen: Seen | None, now: float) -> ChallengeState:
        """A frame: its one face, or None where there is none or not one alone."""
        if self.state is not ChallengeState.RUNNING:
            return self.state
        if seen is None:
            self._frames = 0
            if now - self._seen_at > self._rules.lost_s:
                self.state = ChallengeState.BROKEN
        elif self._jumped(seen):
            self.state = ChallengeState.BROKEN
        else:
            self._last, self._seen_at = seen, now
            self._frames = self._frames + 1 if self._shown(seen) else 0
            if self._frames >= self._rules.frames:
                self._next(seen, now)
        if self.state is ChallengeState.RUNNING and now - self._since > self._rules.move_s:
            self.state = ChallengeState.NOT_MET
        return self.state

    def _shown(self, seen: Seen) -> bool:
        rules, turn = self._rules, seen.pose.turn
        match self.asks:
            case Move.LOOK_STRAIGHT:
                return abs(turn) <= rules.straight
            case Move.TURN_LEFT:
                return turn >= rules.turned
            case Move.TURN_RIGHT:
                return turn <= -rules.turned
            case Move.COME_CLOSER:
                return seen.width >= rules.closer * self._width

    def _jumped(self, seen: Seen) -> bool:
        last = self._last
        if last is None:
            return False
        far = max(abs(seen.x - last.x), abs(seen.y - last.y)) > self._rules.most_jump * last.width
        return far or not 0.5 < seen.width / max(1e-6, last.width) < 2.0

    def _next(self, seen: Seen, now: float) -> None:
        if self.asks is Move.LOOK_STRAIGHT:
            self._width = seen.width
        self._at += 1
        self._frames, self._since = 0, now
        if self._at == len(self._steps):
            self.state = ChallengeState.MET
