"""Sessions parted into those to train on and those held out, the same at every run, with nothing in both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Real
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from firth.draws import Purpose, as_chance, chance, draw, stream_key
from firth.errors import BadCorpus, BadOption
from firth.options import whole

Item = TypeVar("Item")


class HeldOut(NamedTuple, Generic[Item]):
    """Sessions to train on, and sessions to predict in."""

    train: list[list[Item]]
    held_out: list[list[Item]]


def leave_last_out(sessions: Iterable[Sequence[Item]]) -> HeldOut[Item]:
    """Part each session before its last item: the model is trained on what comes before, and asked for the last one.

    `train` has every session without its last item; `held_out` every session of two items or more, whole, of which
    `evaluate_next_items` predicts the last. A session of one item stays in `train`, as nothing is asked of it.

        >>> leave_last_out([["a", "b", "c"], ["d"]])
        HeldOut(train=[['a', 'b'], ['d']], held_out=[['a', 'b', 'c']])

    Raises `BadCorpus` where a session is no list of items, or none has two.
    """
    found = _lists(sessions)
    held_out = [each for each in found if len(each) > 1]
    if not held_out:
        raise BadCorpus(f"none of the {len(found):,} sessions has two items, so there is no last one to leave out")
    return HeldOut([each[:-1] if len(each) > 1 else each for each in found], held_out)


def hold_out_sessions(
    sessions: Iterable[Sequence[Item]], share: float = 0.1, *, seed: int | None = None
) -> HeldOut[Item]:
    """Hold out whole sessions: the last `share` of them as they come, or, with a `seed`, some drawn by their place.

    Where sessions come in the order of time, the last ones ask what the next days' visitors will do. A draw is counted
    (see `firth.draws`): it hangs on the seed and the session's place alone.

    Raises `BadOption` for a share that is not between 0 and 1, or that leaves either side without a session, and
    `BadCorpus` where a session is no list of items.
    """
    if not isinstance(share, Real) or not 0 < share < 1:
        raise BadOption(f"share must be a number above 0 and below 1, got {share!r}; 0.1 is usual")
    found = _lists(sessions)
    places = np.arange(len(found))
    if seed is None:
        out = places >= len(found) - round(share * len(found))
    else:
        key = stream_key(whole("seed", seed, at_least=0, at_most=2**63 - 1), 0, Purpose.HELD_OUT)
        out = chance(draw(key, places)) < as_chance(share)
    if not len(found) or out.all() or not out.any():
        raise BadOption(
            f"share {share} of {len(found):,} sessions leaves {int((~out).sum()):,} to train on and {int(out.sum()):,} "
            "held out, and each needs one; give more sessions, or another share"
        )
    return HeldOut([found[place] for place in places[~out]], [found[place] for place in places[out]])


def _lists(sessions: Iterable[Sequence[Item]]) -> list[list[Item]]:
    if isinstance(sessions, (str, bytes)) or not isinstance(sessions, Iterable):
        raise BadCorpus(f"sessions must be lists of items, got {sessions!r}; read a file's lines and split them")
    found = []
    for number, session in enumerate(sessions):
        if isinstance(session, (str, bytes)) or not isinstance(session, Iterable):
            raise BadCorpus(f"session {number:,} must be a list of items, got {session!r}; split it, with .split()")
        if isinstance(session, (Set, Mapping)):
            raise BadCorpus(f"session {number:,} must have an order, got {type(session).__name__}; give a list")
        found.append(list(session))
    return found
