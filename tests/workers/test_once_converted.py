"""A rule that converts meets what the model gave, once: whatever is around it, however often it is read."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import pytest
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, SecretStr
from pydantic_core import from_json

from actions.definition import action
from actions.errors import TryAgain
from actions.policy import Retry
from actions.registry import Registry
from flights_under_test import World
from orchestrator.store.incoming import EffectKind
from records_under_test import Records

if TYPE_CHECKING:
    from actions.definition import Action
    from orchestrator.store.incoming import Finish

SEEN: list[Any] = []
ACTIONS: list[Action] = []
NUMBERS = itertools.count()

Cents = Annotated[int, BeforeValidator(lambda euros: int(euros) * 100)]
Other = Annotated[str, BeforeValidator(lambda text: f"{text} {next(NUMBERS)}")]


class Item(BaseModel):
    """What has an id of its own."""

    id: UUID = Field(default_factory=uuid4)
    amount: Cents = 0
    raw: bytes = Field(default_factory=lambda: b"\xff\x00")  # has no text, and is the same each time
    to: str = Field("", validation_alias=AliasChoices("to_whom", "recipient"))


@dataclass
class Point:
    """The same for what is no model."""

    x: Cents
    at: float = field(default_factory=time.monotonic)


class Whole(BaseModel):
    """Made as a whole when nobody gives it."""

    items: list[Item] = Field(default_factory=lambda: [Item()])


def told(name: str, **more: Any) -> Any:
    """Declare an action that has an undo and an on_error; each notes its params, and the handler wants another try."""

    def declare(handler: Any) -> Action:
        async def noting(params, what, ctx):
            SEEN.append(params)

        made = action(name, retry=Retry(9, initial="1ms", cap="1ms"), **more)(handler)
        ACTIONS.append(made)
        made.undo(noting)
        made.on_error(noting)
        made.validate(lambda params, ctx: SEEN.append(params))
        return made

    return declare


def items(name: str, **more: Any) -> Action:
    """One with all kinds of items."""

    async def handler(
        items: list[Item] = [],  # noqa: B006 - a default of an action, copied for each call
        named: dict[str, Item] | None = None,
        point: Point | None = None,
        whole: Whole = Field(default_factory=Whole),  # noqa: B008
        n: Cents = 0,
        who: str = "",
        pin: SecretStr = Field(default_factory=lambda: SecretStr(uuid4().hex)),  # noqa: B008
        its: UUID = Field(default_factory=uuid4, validation_alias=AliasChoices("its_id", "id_of_it")),  # noqa: B008
        tags: set[int] = set(),  # noqa: B006
        raw: bytes = b"a",
        other: Other | None = None,
        anything: Any = None,
    ) -> None:
        raise TryAgain(reason="not yet")

    return told(name, **more)(handler)


items("PLAIN", approval=False)
items("ASKED", approval=True)
items("FILLED")
items("BEFORE", approval=True).before_validate(lambda arguments, ctx: arguments)
items("NOTHING").after_validate(lambda params, ctx: None)
items("SAME").after_validate(lambda params, ctx: params)
items("COPIED").after_validate(lambda params, ctx: params.model_copy(update={"who": "ada"}))
items("DUMPED", approval=True).after_validate(lambda params, ctx: {**params.model_dump(), "who": "ada"})
items("DUMPED_AS_JSON_KEYS").after_validate(
    lambda params, ctx: {**params.model_dump(by_alias=True), "who": "ada"}
)
items("TAGGED").after_validate(
    lambda params, ctx: params.model_copy(update={"tags": {4, *params.tags} - {1}})
)
items("MORE_CENTS").after_validate(lambda params, ctx: params.model_copy(update={"n": params.n + 1}))
items("MORE_CENTS_DUMPED").after_validate(lambda params, ctx: {**params.model_dump(), "n": params.n + 1})
items("NO_TEXT").after_validate(lambda params, ctx: params.model_copy(update={"raw": b"\xff\xfe"}))
items("NO_TEXT_BEFORE").before_validate(lambda arguments, ctx: {"raw": b"\xff\xfe"})
items("NO_TEXT_PREPARED").preprocess(lambda params, ctx: {"raw": b"\xff\xfe"})


@items("IN_PLACE").after_validate
def in_place(params, ctx):
    """Change one value deep inside, of the very params."""
    params.items[0].to = "eve"


REGISTRY = Registry(ACTIONS)
GIVEN = {
    "items": [{"amount": 1, "recipient": "bob"}, {"amount": 2}],
    "named": {"a": {"amount": 3, "to_whom": "eve"}},
    "point": {"x": 4},
    "n": 5,
    "tags": [3, 1, 2],
}
KEEPING = [
    "ASKED",
    "FILLED",
    "BEFORE",
    "NOTHING",
    "SAME",
    "COPIED",
    "DUMPED",
    "DUMPED_AS_JSON_KEYS",
    "TAGGED",
    "IN_PLACE",
]
RIDES = {"uses": (("anything", "run_ok", ""),)}


@pytest.fixture
def world() -> World:
    SEEN.clear()
    return World(REGISTRY, threads=2, store=Records())


def kept_by(ended: Finish) -> str:
    found = [effect.value for effect in ended.effects if effect.kind == EffectKind.HOOKED]
    return found[0] if found else ""


async def all_that_is_read(world: World, name: str, given: dict[str, Any]) -> list[Any]:
    """What the first and second attempt, the undo and the on_error get, and what a person is shown, if one is."""
    rides = RIDES if name == "FILLED" else {}
    shown: list[Any] = []
    more: dict[str, Any] = {}
    ended = await world.end(name, given, rides=rides)
    if ended.verdict == "ask":
        shown = [from_json(ended.result)]
        more = {"hooked": kept_by(ended), "approved": ended.why}
        ended = await world.end(name, given, rides=rides, **more)
    assert ended.verdict == "again", ended
    more["hooked"] = kept_by(ended)
    again = await world.end(name, given, rides=rides, attempt=2, **more)
    assert (again.verdict, kept_by(again)) == ("again", more["hooked"])
    error = {"rescue": "failed", "error": '{"error":"no","code":"handler_failed"}'}
    assert (
        '"compensated":true' in (await world.end(name, given, rides=rides, attempt=3, **error, **more)).result
    )
    assert (
        await world.end(name, given, id="run_ok.undo", undoes="run_ok", hooked=more["hooked"])
    ).verdict == "succeeded"
    assert len(SEEN) == 4
    return [*SEEN, *shown]


@pytest.mark.parametrize("name", KEEPING)
async def test_all_get_the_same_and_no_rule_meets_its_own_result(world: World, name: str) -> None:
    first, second, rescued, undone, *shown = await all_that_is_read(world, name, GIVEN)
    assert first == second == rescued == undone
    assert [item.amount for item in first.items] == [100, 200]
    assert (first.named["a"].amount, first.point.x, first.n) == (300, 400, 500)
    assert first.items[0].raw == first.named["a"].raw == b"\xff\x00"
    assert len({each.id for each in (*first.items, first.named["a"], *first.whole.items)}) == 4
    assert first.tags == ({2, 3, 4} if name == "TAGGED" else {1, 2, 3})
    assert first.items[0].to == ("eve" if name == "IN_PLACE" else "bob")
    assert first.who == ("ada" if name in {"COPIED", "DUMPED", "DUMPED_AS_JSON_KEYS"} else "")
    assert bool(shown) == (name in {"ASKED", "BEFORE", "DUMPED"})
    for each in shown:
        amounts = [item["amount"] for item in each["items"]]
        assert (each["n"], each["who"], amounts) == (500, first.who, [100, 200])
        assert [item["id"] for item in each["items"]] == [str(item.id) for item in first.items]


@pytest.mark.parametrize(
    "name", ["MORE_CENTS", "MORE_CENTS_DUMPED", "NO_TEXT", "NO_TEXT_BEFORE", "NO_TEXT_PREPARED"]
)
async def test_what_a_hook_leaves_and_cannot_be_read_again_ends_the_run_by_its_name(
    world: World, name: str
) -> None:
    ended = await world.end(name, {"n": 1})
    which = {"NO_TEXT_BEFORE": "before_validate", "NO_TEXT_PREPARED": "preprocessor"}.get(
        name, "after_validate"
    )
    error = from_json(ended.result)
    assert error["code"] == ("handler_failed" if which == "preprocessor" else "hook_failed")
    assert error["error"].startswith(f"the {which} of {name} failed: what it returned ")
    assert "got" not in error["error"]  # a hook may have put in what is not for the model
    assert (ended.verdict, SEEN) == ("failed", [])


@pytest.mark.parametrize("name", KEEPING)
async def test_a_rule_that_says_something_else_each_time_ends_the_run(world: World, name: str) -> None:
    ended = await world.end(name, {**GIVEN, "other": "x"}, rides=RIDES if name == "FILLED" else {})
    error = from_json(ended.result)
    assert (ended.verdict, error["code"], SEEN) == ("failed", "hook_failed", [])
    assert f"the arguments of {name} became other ones when they were read again (other)" in error["error"]


async def test_a_rule_that_says_something_else_later_ends_the_run_instead_of_another_attempt(
    world: World,
) -> None:
    kept = kept_by(await world.end("BEFORE", GIVEN))
    assert '"amount":1' in kept
    ended = await world.end("BEFORE", GIVEN, attempt=2, hooked=kept.replace('"amount":1', '"amount":7'))
    error = from_json(ended.result)
    assert (ended.verdict, error["code"], SEEN) == ("failed", "hook_failed", [])


async def test_what_has_nothing_around_its_arguments_keeps_nothing_and_is_read_once(world: World) -> None:
    before = next(NUMBERS)
    ended = await world.end("PLAIN", {**GIVEN, "other": "x"})
    assert (ended.verdict, kept_by(ended), SEEN[0].other) == ("again", "", f"x {before + 1}")
    assert next(NUMBERS) == before + 2
