"""How alike two keys are, and which given key means which wanted one: keys in, pairs out, whatever their order.

Letters' case never counts. Keys of equally many words are as alike as the least alike of their words, so that
`start_date` never means `start_time`. A pair is made only where nothing else is just as good: who could mean two
things means none. Long keys and large crowds of keys are not compared, so that the time is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from math import isfinite, sqrt
from typing import Any, Final, Literal, get_args

from actions.errors import ConfigError, DeclarationError
from actions.policy import is_number

Algorithm = Literal["jaro_winkler", "levenshtein", "sequence_matcher", "hamming", "cosine"]
"""The measures that have a name."""
Measure = Callable[[str, str], float]
"""Two texts in, how alike they are out: 1 for the same, 0 for nothing in common."""

ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
STANDARD: Final[Algorithm] = "jaro_winkler"
"""The measure unless another one is asked for."""
THRESHOLD: Final = 0.85
"""What is less alike than this is no match, unless something else is asked for."""
LONGEST: Final = 128
"""Characters of a key that is compared at all."""
MOST: Final = 20_000
"""Pairs that are compared; where there are more, none is."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]++|\d++")
_DIGITS: Final = 9  # what differs by less is equally alike


@dataclass(frozen=True, slots=True)
class Matched:
    """Which keys mean which."""

    pairs: dict[str, str] = field(default_factory=dict[str, str])
    """The given key to the wanted one that it means; sorted by the given one."""
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Given keys that mean nothing because something else was just as good: to the wanted keys they could mean."""


def measure_of(similarity: Algorithm | Measure | str) -> Measure:
    """Return the measure of this name, or the function itself.

    Raises:
        DeclarationError: there is no such measure.
        ConfigError: it needs a library that is not installed.
    """
    if callable(similarity):
        return similarity
    if similarity == "sequence_matcher":
        return _sequence_matcher
    if similarity == "cosine":
        return _cosine
    if similarity not in ALGORITHMS:
        raise DeclarationError(
            f"{similarity!r} is no measure of likeness: {', '.join(ALGORITHMS)}, or a function of two texts"
        )
    return _of_library(similarity)


def checked_threshold(given: Any) -> float:
    """Return a number from 0 to 1; raise DeclarationError for anything else."""
    if not is_number(given) or not 0 <= given <= 1:
        raise DeclarationError(f"threshold has to be a number from 0 to 1, not {given!r}")
    return float(given)


def words(key: str) -> list[str]:
    """The words of a key in small letters: `startDate2` and `start-date_2` are start, date and 2."""
    return [word.casefold() for word in _WORD.findall(key)]


def same_form(one: str, other: str) -> float:
    """A measure: 1 if only the case of letters and what stands between words differs, else 0."""
    return float("".join(words(one)) == "".join(words(other)))


def match(
    given: Iterable[str],
    wanted: Collection[str],
    similarity: Algorithm | Measure = STANDARD,
    threshold: float = THRESHOLD,
    *,
    careful: bool = False,
) -> Matched:
    """Say which of the given keys mean which of the wanted ones, each of them used once, the most alike first.

    Where two are just as good for one, neither is taken, nor what is less alike. A function in place of a measure's
    name sees the whole keys in small letters, and its word is the last.

    Args:
        given: keys that nobody asked for by that name.
        wanted: keys that they may mean.
        similarity: by what it is measured.
        threshold: what is less alike is no match.
        careful: whether keys of unequally many words are never alike, unless only their form differs.

    Raises:
        DeclarationError: there is no such measure, or it returned no number.
        ConfigError: the measure needs a library that is not installed.
    """
    keys, targets = _short(given), _short(wanted)
    if len(keys) * len(targets) > MOST or not keys or not targets:
        return Matched()
    alike = _Alike(measure_of(similarity), by_words=not callable(similarity), careful=careful)
    scored: dict[float, list[tuple[str, str]]] = {}
    for key in keys:
        for target in targets:
            score = alike(key, target)
            if score >= threshold and score > 0:
                scored.setdefault(score, []).append((key, target))
    return _assigned(scored)


def _short(keys: Iterable[str]) -> list[str]:
    return sorted({key for key in keys if len(key) <= LONGEST})


def _assigned(scored: dict[float, list[tuple[str, str]]]) -> Matched:
    """From the best score down: pairs that stand alone are taken, those that share a key with another are not."""
    pairs: dict[str, str] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    done: set[str] = set()
    for score in sorted(scored, reverse=True):
        free = [(key, target) for key, target in scored[score] if key not in done and target not in taken]
        times = Counter(key for key, _ in free)
        wishes = Counter(target for _, target in free)
        for key, target in free:
            if times[key] == wishes[target] == 1:
                pairs[key] = target
            else:
                ambiguous[key] = (*ambiguous.get(key, ()), target)
        done.update(key for key, _ in free)
        taken.update(target for _, target in free)
    return Matched(dict(sorted(pairs.items())), dict(sorted(ambiguous.items())))


class _Alike:
    """How alike two keys are, with what was worked out about each of them kept."""

    def __init__(self, measure: Measure, *, by_words: bool, careful: bool) -> None:
        self._measure = measure
        self._by_words = by_words
        self._careful = careful
        self._words: dict[str, list[str]] = {}

    def __call__(self, one: str, other: str) -> float:
        score = self._score(one.casefold(), other.casefold())
        if not self._by_words or score in {0.0, 1.0}:
            return score
        mine, theirs = self._of(one), self._of(other)
        if "".join(mine) == "".join(theirs) and mine:
            return 1.0
        if len(mine) != len(theirs):
            return 0.0 if self._careful else score
        return min(score, *map(self._score, mine, theirs)) if len(mine) > 1 else score

    def _score(self, one: str, other: str) -> float:
        score = self._measure(one, other)
        if not is_number(score) or not isfinite(score):
            raise DeclarationError(f"a measure of likeness has to return a number, not {score!r}")
        return round(float(score), _DIGITS)

    def _of(self, key: str) -> list[str]:
        if key not in self._words:
            self._words[key] = words(key)
        return self._words[key]


def _of_library(name: str) -> Measure:
    try:
        from rapidfuzz.distance import Hamming, JaroWinkler, Levenshtein
    except ImportError:
        fix = 'Install it: pip install "umbel[worker]", or pip install "umbel[server]" for the HTTP API'
        raise ConfigError("this needs rapidfuzz, which is not installed", fix=fix) from None
    if name == "hamming":
        return lambda one, other: Hamming.normalized_similarity(one, other) if len(one) == len(other) else 0.0
    chosen: Measure = {"jaro_winkler": JaroWinkler, "levenshtein": Levenshtein}[name].normalized_similarity
    return chosen


def _sequence_matcher(one: str, other: str) -> float:
    return SequenceMatcher(None, min(one, other), max(one, other), autojunk=False).ratio()


def _cosine(one: str, other: str) -> float:
    """Of the letters and how often each of them stands there."""
    mine, theirs = Counter(one), Counter(other)
    lengths = sqrt(sum(n * n for n in mine.values()) * sum(n * n for n in theirs.values()))
    return sum(mine[letter] * theirs[letter] for letter in mine) / lengths if lengths else 0.0
