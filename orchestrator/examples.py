"""Examples of actions for a prompt: which ones, in which order, under which names; the same for the same seed.

In: actions with declared examples, and a seed. Out: conversations, or a text of them. Nothing is drawn by chance: each
choice is the digest of the seed and of what is chosen, so that a prompt stays the same from turn to turn (and in a
provider's cache), and one more action leaves the choices of the others as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from actions.errors import DeclarationError

if TYPE_CHECKING:
    from actions.definition import Action

T = TypeVar("T")

Example = tuple[dict[str, Any], ...]
"""A short conversation, messages in OpenAI's chat shape."""

NAMES: Final = (
    "Ada", "Ben", "Chidi", "Dana", "Emil", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mara", "Nils",
    "Olga", "Pia", "Ravi", "Sol", "Tala", "Uma", "Vera", "Wim", "Yara", "Zoe",
)  # fmt: skip
"""Who `{{user1}}`, `{{user2}}`, … are, unless the caller has names."""

_HOLE: Final = re.compile(r"\{\{\s*(?:user([1-9]\d{0,3})|(agent|agentName))\s*\}\}")


def choose_examples(
    actions: Iterable[Action], count: int = 10, *, seed: str = ""
) -> list[tuple[Action, Example]]:
    """Choose up to `count` examples: one of each action in turn, then a second of each, until there are enough.

    Args:
        actions: in the order in which they take their turns; those that no model may call are left out.
        count: how many examples at most.
        seed: another one chooses other examples of the same actions.

    Raises:
        DeclarationError: the count is no whole number from 0.
    """
    given: object = count
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise DeclarationError(f"{count!r} is no number of examples: write a whole number from 0")
    columns = [
        [(each, example) for example in _ordered(each.examples, seed, each.name)]
        for each in actions
        if each.offered
    ]
    turns = (pair for row in zip_longest(*columns) for pair in row if pair is not None)
    return list(islice(turns, count))


def compose_examples(
    actions: Iterable[Action],
    count: int = 10,
    *,
    seed: str = "",
    agent: str = "agent",
    names: Sequence[str] = NAMES,
) -> str:
    """Return examples as a text for a prompt, one conversation after the other, parted by empty lines.

    `{{user1}}`, `{{user2}}`, … in them become names, in each example its own; `{{agent}}` becomes the agent's. A
    message with calls shows them behind its text, as `(TAKE_ORDER {"ticker":"UMB"})`.

    Args:
        actions: as in `choose_examples`; their order in the text is that in which they were chosen.
        count: how many examples at most.
        seed: chooses the examples and the names.
        agent: whom the model speaks for.
        names: of those it speaks with, at least one.

    Raises:
        DeclarationError: there are no names, or the count is none.
    """
    if isinstance(names, str) or not names:
        raise DeclarationError("names have to be several texts, at least one")
    told: list[str] = []
    for one, example in choose_examples(actions, count, seed=seed):
        people = _ordered(names, seed, f"names of {one.name} {_written(example)}")
        told.append("\n".join(_line(message, agent, people) for message in example))
    return "\n\n".join(told)


def _ordered(given: Sequence[T], seed: str, purpose: str) -> list[T]:
    """The same things in an order that seed, purpose and each of them alone decide; equal ones stay as they came."""
    return sorted(given, key=lambda one: _digest(seed, purpose, _written(one)))


def _digest(*parts: str) -> bytes:
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _line(message: Mapping[str, Any], agent: str, names: Sequence[str]) -> str:
    """A message as `name: text (CALL)`; a user without a name is the first one."""
    role, named = message.get("role"), message.get("name")
    speaker = names[0] if role == "user" else "result" if role == "tool" else agent
    if isinstance(named, str) and role != "tool":
        speaker = _named(named, agent, names)
    calls = [f"({_call(call)})" for call in cast("list[Any]", message.get("tool_calls") or [])]
    text = _named(_text(message.get("content")), agent, names)
    return f"{speaker}: {' '.join(filter(None, [text, *calls]))}".rstrip()


def _call(call: Any) -> str:
    """What a call asks for: its action, and its arguments where there are any."""
    fields = cast("Mapping[str, Any]", call) if isinstance(call, Mapping) else {}
    function = fields.get("function")
    inner = cast("Mapping[str, Any]", function) if isinstance(function, Mapping) else fields
    arguments = inner.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    return f"{inner.get('name', '?')}{'' if written.strip() in {'', '{}'} else f' {written}'}"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "" if content is None else json.dumps(content, ensure_ascii=False, default=str)


def _named(text: str, agent: str, names: Sequence[str]) -> str:
    """The text with names in it, in one pass: a name that looks like a placeholder stays what it is."""

    def name(hole: re.Match[str]) -> str:
        return agent if hole[1] is None else names[(int(hole[1]) - 1) % len(names)]

    return _HOLE.sub(name, text)
