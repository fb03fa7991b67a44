"""The load of the fault tests: a mix of single runs and posted replies, spread over some time, each accepted for sure.

Out: what was accepted. A submitter that hears no answer asks again under the same id or key, as one in production does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from actions.errors import ConversationBusy, StoreUnavailable
from actions.messages import run_id_of
from faults.case import Asked

if TYPE_CHECKING:
    from orchestrator.conductor import Conductor

T = TypeVar("T")

PAUSE_S: Final = 0.05
LONGEST_S: Final = 120
"""Seconds after which a turn that has not ended, or a server that has not come back, will not."""
OK: Final = frozenset({"succeeded"})


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to ask for: a run, or a reply with several calls."""

    action: str
    """The action of the run, or of each of the calls."""
    arguments: tuple[dict[str, Any], ...]
    """Of each call; its `tag` is added."""
    expects: frozenset[str] = OK
    """How it may end."""
    in_turn: bool = False
    """Whether these are the calls of a reply."""


def mix(seed: int) -> Iterator[Wish]:
    """Plain runs, threads, retries, timeouts, locks, limits, turns: for ever, the same for the same seed."""
    dice = random.Random(seed)
    kinds = list(_KINDS.items())
    while True:
        (name, (_, arguments)) = dice.choices(kinds, [weight for _, (weight, _) in kinds])[0]
        if name == "SEEN":
            yield Wish(name, tuple(arguments(dice) for _ in range(dice.randint(2, 5))), in_turn=True)
        else:
            yield Wish(name, (arguments(dice),), _EXPECTS.get(name, OK))


def _desk(dice: random.Random) -> dict[str, Any]:
    return {"desk": dice.choice("abc"), "ms": dice.choice((2, 20, 80))}


_KINDS: Final[dict[str, tuple[int, Callable[[random.Random], dict[str, Any]]]]] = {
    "PLAIN": (30, lambda dice: {"ms": dice.choice((2, 20, 60, 150, 400, 1_000))}),
    "THREAD": (10, lambda dice: {"ms": dice.choice((2, 20, 60))}),
    "FLAKY": (8, lambda _: {}),
    "OVERTIME": (4, lambda _: {}),
    "LOCKED": (8, _desk),
    "LOCKED_THREAD": (3, _desk),
    "LOCKED_FLAKY": (3, lambda dice: {"desk": dice.choice("abc")}),
    "GHOST": (1, lambda dice: {"desk": dice.choice("abc")}),
    "CROWDED": (4, lambda dice: {"bench": dice.choice("xy"), "ms": dice.choice((20, 150))}),
    "LIMITED": (6, lambda dice: {"door": dice.choice("mn")}),
    "FLOWING": (4, lambda _: {}),
    "GUARDED": (4, _desk),
    "ONCE": (4, lambda dice: {"ms": dice.choice((20, 400, 1_000))}),
    "CHECKED": (4, lambda dice: {"ms": dice.choice((20, 400, 1_000))}),
    "ISOLATED": (1, lambda dice: {"ms": dice.choice((20, 400))}),
    "SEEN": (5, lambda dice: {"ms": dice.choice((2, 20, 100))}),
}
"""Of each action its share of the wishes, and what it is asked with."""
_EXPECTS: Final = {
    "OVERTIME": frozenset({"timed_out"}),
    "GHOST": frozenset({"timed_out"}),
    "ONCE": frozenset({"succeeded", "failed"}),  # failed where nobody knows whether it took effect
}
_ONCE: Final = {"ONCE": "always", "CHECKED": "in touch"}
"""Of which no second attempt may begin, see `Asked.once`."""


class Load:
    """Asks a conductor for things, and knows what was accepted."""

    def __init__(self, conductor: Conductor, name: str) -> None:
        """Ask this conductor; `name` begins the ids, which are the same in each play."""
        self._conductor = conductor
        self._name = name
        self._numbers = itertools.count()
        self._talks: asyncio.Queue[str] = asyncio.Queue()
        self.asked: list[Asked] = []
        """What was accepted."""
        self.alone: set[str] = set()
        """The runs among it that are no calls of a reply."""
        self.comes_back = True
        """Whether replies are posted into conversations that had one before; not if those end at once."""
        self.rounds: dict[str, list[tuple[tuple[str, str], ...]]] = {}
        """Of each conversation the calls of its replies: call id and run."""

    async def feed(self, wishes: Iterator[Wish], runs: int, seconds: float) -> None:
        """Ask for so many runs, evenly spread over so many seconds."""
        began = asyncio.get_running_loop().time()
        tasks: set[asyncio.Task[None]] = set()
        count = 0
        for wish in wishes:
            if count >= runs:
                break
            await asyncio.sleep(began + seconds * count / runs - asyncio.get_running_loop().time())
            tasks.add(asyncio.create_task(self.ask(wish)))
            count += len(wish.arguments)
            for task in [task for task in tasks if task.done()]:
                tasks.discard(task)
                task.result()
        await asyncio.gather(*tasks)

    async def ask(self, wish: Wish) -> None:
        """Ask until it is accepted."""
        if wish.in_turn:
            await self._post(wish)
            return
        number = next(self._numbers)
        tag = f"{wish.action}-{number}"
        arguments, wanted = wish.arguments[0] | {"tag": tag}, f"run_a{self._name}{number}"
        run = await _surely(lambda: self._conductor.submit(wish.action, arguments, run=wanted, told=True))
        self.asked.append(Asked(run, tag, wish.expects, _ONCE.get(wish.action, "")))
        self.alone.add(run)

    async def _post(self, wish: Wish) -> None:
        """Post a reply into a conversation that is free, or a new one."""
        number = next(self._numbers)
        tags = [f"{wish.action}-{number}-{at}" for at in range(len(wish.arguments))]
        calls = [
            {
                "id": f"call_{tag}",
                "type": "function",
                "function": {"name": wish.action, "arguments": json.dumps(arguments | {"tag": tag})},
            }
            for tag, arguments in zip(tags, wish.arguments, strict=True)
        ]
        body = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": calls}}]}
        talk = await self._free_talk(number)
        posted = await _surely(lambda: self._conductor.post_reply(talk, body, key=str(number)))
        runs = [run_id_of(posted.turn, 0, at) for at in range(len(tags))]
        self.rounds[talk].append(tuple((f"call_{tag}", run) for tag, run in zip(tags, runs, strict=True)))
        self.asked += [Asked(run, tag, wish.expects) for run, tag in zip(runs, tags, strict=True)]
        self._talks.put_nowait(talk)

    async def _free_talk(self, number: int) -> str:
        """Every third reply goes into a conversation that has one already; if its turn lives, the post waits."""
        if self.comes_back and number % 3 == 0 and not self._talks.empty():
            return self._talks.get_nowait()
        made = await _surely(lambda: self._conductor.open_conversation(f"conv_a{self._name}{number}"))
        self.rounds[made] = []
        return made


async def _surely(step: Callable[[], Awaitable[T]]) -> T:
    """Repeat what may be repeated until there is an answer; if none comes, something hangs."""
    limit = time.monotonic() + LONGEST_S
    while True:
        try:
            return await step()
        except (StoreUnavailable, ConversationBusy):
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(PAUSE_S)
