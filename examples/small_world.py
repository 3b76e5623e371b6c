"""Skip-gram with negative sampling on a small made-up text: related words come close, analogies are found.

    python examples/small_world.py

A small text wants other options than a large one: every word kept, many epochs, noise that hits no right answer.
"""

from __future__ import annotations

import firth

KINDS = {
    "animals": ["cat", "dog", "rabbit", "pony"],
    "drinks": ["tea", "coffee", "milk", "juice"],
    "vehicles": ["car", "bus", "lorry", "tram"],
}
SAID_OF = {
    "animals": ["the {} sleeps in the barn", "feed the {} some hay", "a {} ran over the meadow", "stroke the soft {}"],
    "drinks": ["a cup of hot {}", "pour some {} for me", "she spilled {} on the table", "drink your {} now"],
    "vehicles": ["the {} stops at the corner", "park the {} outside", "a {} drove down the road", "repair the old {}"],
}
COUNTRIES = [
    ("france", "paris", "crepes"),
    ("italy", "rome", "pasta"),
    ("spain", "madrid", "paella"),
    ("poland", "warsaw", "pierogi"),
    ("japan", "tokyo", "sushi"),
]
OF_COUNTRIES = ["the borders of {}", "the king of {}", "trade with {} grows", "{} won the cup", "laws of {} changed"]
OF_CAPITALS = [
    "the mayor of {}",
    "the suburbs of {}",
    "rush hour in {} begins",
    "a flat in {} costs",
    "{} built a bridge",
]
OF_BOTH = [
    "they love {dish} in {place}",
    "{dish} as in {place}",
    "{place} smells of {dish}",
    "try {dish} when in {place}",
]


def sentences() -> list[list[str]]:
    """Each word in each phrase of its kind. No sentence says that rome is to italy what paris is to france."""
    said = [phrase.format(word) for kind, words in KINDS.items() for word in words for phrase in SAID_OF[kind]]
    for country, capital, dish in COUNTRIES:
        said += [phrase.format(country) for phrase in OF_COUNTRIES]
        said += [phrase.format(capital) for phrase in OF_CAPITALS]
        said += [phrase.format(dish=dish, place=place) for phrase in OF_BOTH for place in (country, capital)]
    return [sentence.split() for sentence in said]


def main(seed: int = 1) -> firth.Word2Vec:
    """Train and tell."""
    model = firth.Word2Vec(
        vector_size=16,
        window=3,
        min_count=1,
        sample=0,
        negative=5,
        distinct_noise=True,
        epochs=150,
        seed=seed,
        workers=1,
    )
    model.fit(sentences(), progress=False)
    vectors = model.vectors
    print(f"{len(vectors)} words; loss {model.losses[0]:.2f} in the first epoch, {model.losses[-1]:.2f} in the last")
    for word in ("cat", "tea", "bus"):
        print(f"near {word}:", ", ".join(f"{near} {score:.2f}" for near, score in vectors.most_similar(word, topn=3)))
    for country, capital, _ in COUNTRIES[1:]:
        (answer, score), *_ = vectors.analogy("france", "paris", country, topn=1)
        print(f"france is to paris as {country} is to {answer} ({score:.2f})", "" if answer == capital else "?")
    return model


if __name__ == "__main__":
    main()
