"""What will they take next? Item vectors judged by the last item of each session, beside simpler ways to guess it.

    python examples/next_items.py [PATH]

PATH holds a session per line, its items between spaces, in the order in which they came. Without it, made-up listeners
serve: each goes through the records of one shelf, mostly from one to the next.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path

import firth
from firth.evaluate import Report

SHELVES, RECORDS = 20, 15


def made_up_sessions(count: int = 3_000, seed: int = 1) -> list[list[str]]:
    """Listeners who begin somewhere on a shelf and go on, a record or two at a time, now and then to any record."""
    chance = random.Random(seed)
    sessions = []
    for _ in range(count):
        shelf, place = chance.randrange(SHELVES), chance.randrange(RECORDS)
        session = []
        for _ in range(chance.randint(4, 8)):
            session.append(f"shelf{shelf}-record{place}")
            place = (place + chance.randint(1, 2)) % RECORDS
            if chance.random() < 0.1:
                shelf, place = chance.randrange(SHELVES), chance.randrange(RECORDS)
        sessions.append(list(dict.fromkeys(session)))  # nothing twice
    return sessions


def main(sessions: Iterable[list[str]], k: int = 5) -> Report:
    """Train on all but the last item of each session, and tell how often it is among the first k."""
    train, held_out = firth.leave_last_out(sessions)
    model = firth.Word2Vec(
        vector_size=32,
        window=3,  # order matters here: where it does not, "all"
        min_count=1,
        sample=0,
        ns_exponent=0.0,  # all items alike as noise: worth trying for items
        epochs=20,
        workers=1,
    ).fit(train, progress=False)
    report = firth.evaluate_next_items(model, held_out, trained_on=train, k=k, history=2)
    print(report)
    for difference in report.differences:
        print(f"{difference.second} less {difference.first}, {difference.measure}: {difference}")
    return report


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with Path(sys.argv[1]).open(encoding="utf-8") as lines:
            main(line.split() for line in lines)
    else:
        main(made_up_sessions())
