"""Item vectors from sessions: what is chosen in like company comes close.

    python examples/sessions.py [PATH]

PATH holds a session per line, its items between spaces. Without it, a made-up record shop serves.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path

import firth

SHELVES = {
    "jazz": ["blue-train", "kind-of-blue", "mingus-ah-um", "time-out", "moanin", "saxophone-colossus"],
    "opera": ["tosca", "carmen", "aida", "fidelio", "rigoletto", "la-boheme"],
    "folk": ["pink-moon", "blue", "five-leaves-left", "basket-of-light", "harvest", "astral-weeks"],
}


def made_up_sessions(count: int = 3_000, seed: int = 1) -> list[list[str]]:
    """Visitors who mostly keep to one shelf, and now and then take something from another."""
    chance = random.Random(seed)
    everything = [item for shelf in SHELVES.values() for item in shelf]
    sessions = []
    for _ in range(count):
        shelf = chance.choice([*SHELVES.values()])
        items = chance.sample(shelf, chance.randint(2, 4))
        if chance.random() < 0.2:
            items.append(chance.choice(everything))
        sessions.append(items)
    return sessions


def main(sessions: Iterable[list[str]], topn: int = 3) -> firth.WordVectors:
    """Train, and tell what is near the most frequent items."""
    sessions = list(sessions)
    model = firth.Word2Vec(
        vector_size=16,
        window="all",  # the order within a session says nothing
        min_count=1,
        sample=0,  # items are few: each is "frequent"
        distinct_noise=True,
        epochs=10,
        workers=1,
    )
    vectors = model.fit(sessions, progress=False).vectors
    print(f"{len(sessions):,} sessions, {len(vectors):,} items")
    for item in vectors.words[:6]:
        print(f"{item}:", ", ".join(f"{near} {score:.2f}" for near, score in vectors.most_similar(item, topn=topn)))
    return vectors


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with Path(sys.argv[1]).open(encoding="utf-8") as lines:
            main(line.split() for line in lines)
    else:
        main(made_up_sessions())
