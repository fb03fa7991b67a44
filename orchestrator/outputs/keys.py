"""Keys of an object become the expected ones: an object in, the same with its keys matched, filled and cleared out.

First what is equal, then what is alike enough, each expected key once. The order of keys changes nothing, and what
could mean two things means none (`actions.likeness`). What is left over is dealt with as the caller says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel

from actions import likeness
from actions.errors import DeclarationError
from actions.likeness import Algorithm, Measure
from orchestrator.outputs.unfit import UnfitKeys

Policy = Literal["ignore", "remove", "raise", "fill", "force"]
"""What becomes of keys that match nothing.

ignore: surplus ones stay. remove: they go. raise: they are an error. fill: missing ones are added, surplus ones stay.
force: missing ones are added, surplus ones go.
"""
POLICIES: Final[tuple[str, ...]] = get_args(Policy)
_SHOWN: Final = 60
_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class KeysMatched:
    """An object under the expected keys."""

    value: dict[str, Any]
    """The object: expected keys in their order, then what else was kept in its own."""
    renamed: dict[str, str]
    """Which key was read as which."""
    missing: tuple[str, ...]
    """Expected keys that nothing was given for, filled or not."""
    surplus: tuple[str, ...]
    """Given keys that mean none of the expected ones, kept or not."""
    ambiguous: dict[str, tuple[str, ...]]
    """Those of the surplus keys that could mean something, but not for sure: to what they could mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """How keys are matched.

    Raises:
        DeclarationError: a rule has no such value.
    """

    similarity: Algorithm | Measure = likeness.STANDARD
    """By what likeness is measured: a name, or a function of two texts in small letters."""
    threshold: float = likeness.THRESHOLD
    """What is less alike (0 to 1) is no match."""
    fuzzy: bool = True
    """Whether likeness counts at all; else keys have to be equal."""
    handle_unmatched: Policy = "ignore"
    """What becomes of keys that match nothing."""
    fill_value: Any = None
    """What a missing key gets, with `fill` and `force`."""
    fill_mapping: Mapping[str, Any] | None = None
    """By key: what it gets instead."""
    strict: bool = False
    """Whether a missing key is an error, even one that would be filled, and one that could mean two things."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        likeness.checked_threshold(self.threshold)
        loose: Any = self.similarity
        if not callable(loose) and loose not in likeness.ALGORITHMS:
            likeness.measure_of(loose)
        if self.handle_unmatched not in POLICIES:
            raise DeclarationError(
                f"handle_unmatched has to be one of {', '.join(POLICIES)}, not {self.handle_unmatched!r}"
            )
        mapping: Any = self.fill_mapping
        if mapping is not None and not isinstance(mapping, Mapping):
            raise DeclarationError(f"fill_mapping has to be a mapping of keys to values, not {mapping!r:.80}")


STANDARD: Final = KeyRules()
"""The rules unless others are given."""


def match_keys(
    given: Mapping[str, Any],
    expected: Iterable[str] | Mapping[str, Any] | type[BaseModel] | BaseModel,
    rules: KeyRules = STANDARD,
) -> KeysMatched:
    """Return the object under the expected keys.

    Args:
        given: the object.
        expected: the keys; those of a mapping, or those by which a pydantic model takes its fields.
        rules: how they are matched.

    Raises:
        DeclarationError: `expected` or `fill_mapping` is wrong.
        UnfitKeys: a key matches nothing and the rules forbid it.
    """
    targets = keys_of(expected)
    _check_mapping(rules, targets)
    pairs, ambiguous = _paired(given, targets, rules)
    sources = {target: key for key, target in pairs.items()}
    missing = tuple(key for key in targets if key not in sources)
    surplus = tuple(key for key in given if key not in pairs)
    _check(rules, missing, surplus, ambiguous)
    value: dict[str, Any] = {}
    for key in targets:
        if key in sources:
            value[key] = given[sources[key]]
        elif rules.handle_unmatched in {"fill", "force"}:
            value[key] = (rules.fill_mapping or {}).get(key, rules.fill_value)
    if rules.handle_unmatched not in {"remove", "force"}:
        value |= {key: given[key] for key in surplus}
    renamed = {key: target for key, target in pairs.items() if key != target}
    return KeysMatched(value, renamed, missing, surplus, ambiguous)


def keys_of(expected: Any) -> tuple[str, ...]:
    """The expected keys, each once, in their order; DeclarationError if these are none."""
    if isinstance(expected, BaseModel):
        expected = type(expected)
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        return tuple(_key_of(name, field.validation_alias) for name, field in expected.model_fields.items())
    if isinstance(expected, str | bytes) or not isinstance(expected, Iterable):
        raise DeclarationError(
            f"keys: a list of keys, a mapping or a pydantic model is wanted, not {expected!r:.80}"
        )
    keys = tuple(dict.fromkeys(expected))
    if wrong := [key for key in keys if not isinstance(key, str)]:
        raise DeclarationError(f"keys: {wrong[0]!r:.80} is no text")
    return keys


def _key_of(name: str, alias: Any) -> str:
    return alias if isinstance(alias, str) else name


def _check_mapping(rules: KeyRules, targets: Iterable[str]) -> None:
    if unknown := set(rules.fill_mapping or ()).difference(targets):
        raise DeclarationError(
            f"fill_mapping names {_listed(sorted(map(str, unknown)))}, which nobody expects"
        )


def _paired(
    given: Mapping[str, Any], targets: tuple[str, ...], rules: KeyRules
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Which key means which: equal ones first, then those that are alike."""
    pairs = {key: key for key in targets if key in given}
    rest = [key for key in given if key not in pairs]
    free = [key for key in targets if key not in pairs]
    if not rules.fuzzy or not rest or not free:
        return pairs, {}
    found = likeness.match(rest, free, rules.similarity, rules.threshold)
    return pairs | found.pairs, found.ambiguous


def _check(
    rules: KeyRules,
    missing: tuple[str, ...],
    surplus: tuple[str, ...],
    ambiguous: Mapping[str, tuple[str, ...]],
) -> None:
    if rules.strict and ambiguous:
        key, targets = next(iter(ambiguous.items()))
        raise UnfitKeys(f"{key[:_SHOWN]!r} could mean {_listed(targets)}, or another key could as well")
    if rules.strict and missing:
        raise UnfitKeys(f"missing: {_listed(missing)}")
    if rules.handle_unmatched == "raise" and surplus:
        raise UnfitKeys(f"not expected: {_listed(surplus)}")


def _listed(keys: Iterable[str]) -> str:
    names = [key[:_SHOWN] for key in keys]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
