"""What the tests of tools share: a rich registry, values that fit a schema, and what each provider takes."""

from __future__ import annotations

import datetime as dt
import enum
import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired

from hypothesis import strategies as some
from pydantic import BaseModel, Field, JsonValue, NonNegativeInt, PositiveInt, SecretStr
from typing_extensions import TypedDict

from actions.approvals import Approval
from actions.definition import action
from actions.registry import Registry
from actions.states import StateMachine


class Side(enum.Enum):
    BUY = "buy"
    SELL = "sell"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Leg(BaseModel):
    """A leg of an order."""

    ticker: str
    side: Side = Side.BUY
    level: Level | None = None


class Tree(BaseModel):
    """A tree."""

    value: int
    below: list[Tree] = []


class Cash(BaseModel):
    way: Literal["cash"]


class Card(BaseModel):
    way: Literal["card"]
    number: SecretStr
    until: dt.date | None = None


class Note(TypedDict):
    text: str
    author: NotRequired[str]


@action("TAKE_ORDER", similes=("BUY",), permissions={"trade"}, queue="trading", approval=Approval())
async def take_order(
    ticker: str,
    quantity: PositiveInt = 1,
    limit: Annotated[float | None, Field(gt=0)] = None,
    side: Side = Side.BUY,
    leg: Leg | None = None,
    legs: list[Leg] = [],  # noqa: B006 - declared, never changed
) -> dict[str, Any]:
    """Buy or sell shares.

    Args:
        ticker: The symbol of the company.
        quantity: how many
        leg: one more leg
    """
    return {}


@action("KINDS", similes=("EVERY_KIND",))
def kinds(
    level: Level,
    code: Annotated[str, Field(min_length=2, max_length=4, pattern="^[A-Z]{2,4}$")],
    day: dt.date,
    share: Annotated[float, Field(ge=0, lt=1, multiple_of=0.25)],
    count: NonNegativeInt,
    yes: bool,  # noqa: FBT001 - the shape that is tested
    one: Literal[1, "a", None],  # noqa: PYI061 - the shape that is tested
    many: int | str,
    tags: Annotated[set[str], Field(min_length=1)],
    spot: tuple[float, float],
    note: Note,
    size: Annotated[int, Field(description="Its size", json_schema_extra={"x-unit": "kg"})] = 3,
    address: str = "",
) -> None:
    """Take one of each kind."""


@action("PAY", uses={"amount": "TAKE_ORDER.total"}, depends_on="TAKE_ORDER", everywhere=True)
async def pay(
    amount: float, by: Annotated[Cash | Card, Field(discriminator="way")], key: uuid.UUID | None = None
) -> None:
    """Pay for an order."""


@action("LABEL")
async def label(
    labels: dict[str, int],
    more: JsonValue = None,
    where: tuple[int, str] = (0, ""),
    rest: list = [],  # type: ignore[type-arg]  # noqa: B006 - declared, never changed
) -> None:
    """Give labels: a map, anything at all, a tuple and a list of anything."""


@action("PLANT")
async def plant(
    tree: Tree, beside: Annotated[Tree | None, Field(description="Its neighbour.")] = None
) -> None:
    """Plant a tree, which holds itself."""


@action("PING")
async def ping() -> None:
    """Take nothing."""


@action("REFUND", user_only=True)
async def refund(amount: int) -> None:
    """For people."""


@action("SUM_UP", evaluates="always")
async def sum_up() -> None:
    """Run after a turn."""


SHOP: Final = StateMachine("shop", "OPEN", {"OPEN": ["TAKE_ORDER", "PING"], "CLOSED": ["LABEL"]})
RICH: Final = Registry([take_order, kinds, pay, label, plant, ping, refund, sum_up], [SHOP])

Schema = Mapping[str, Any]
_FORMATTED: Final = {
    "date": some.dates().map(str),
    "date-time": some.datetimes().map(dt.datetime.isoformat),
    "uuid": some.uuids().map(str),
}


def values(node: Schema, root: Schema) -> some.SearchStrategy[Any]:
    """Values that fit a part of a JSON schema, of the keywords that actions have."""
    if "$ref" in node:
        inner = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return some.deferred(lambda: values(inner, root))
    if "enum" in node:
        return some.sampled_from(node["enum"])
    if "anyOf" in node:
        return some.one_of(*(values(each, root) for each in node["anyOf"]))
    kind = node.get("type")
    if isinstance(kind, list):
        return some.one_of(*(values({**node, "type": each}, root) for each in kind))
    return _OF_TYPE[kind](node, root)


def _string(node: Schema, _: Schema) -> some.SearchStrategy[Any]:
    if "format" in node and node["format"] in _FORMATTED:
        return _FORMATTED[node["format"]]
    if "pattern" in node:
        least, most = node.get("minLength", 0), node.get("maxLength", 99)
        drawn = some.from_regex(re.compile(node["pattern"], re.ASCII), fullmatch=True)
        return drawn.filter(lambda text: least <= len(text) <= most and not text.endswith("\n"))
    return some.text(min_size=node.get("minLength", 0), max_size=node.get("maxLength", 8))


def _number(node: Schema, _: Schema) -> some.SearchStrategy[Any]:
    if step := node.get("multipleOf"):
        drawn = some.integers(-9, 9).map(lambda times: times * step)
        return drawn.filter(
            lambda value: value >= node.get("minimum", -9) and value < node.get("exclusiveMaximum", 9)
        )
    least = node.get("minimum", node.get("exclusiveMinimum"))
    most = node.get("maximum", node.get("exclusiveMaximum"))
    return some.floats(
        least,
        most,
        allow_nan=False,
        allow_infinity=False,
        exclude_min="exclusiveMinimum" in node,
        exclude_max="exclusiveMaximum" in node,
    )


def _array(node: Schema, root: Schema) -> some.SearchStrategy[Any]:
    if "prefixItems" in node:
        return some.tuples(*(values(each, root) for each in node["prefixItems"])).map(list)
    unique = {"unique_by": repr} if node.get("uniqueItems") else {}
    least = node.get("minItems", 0)
    inner = values(node.get("items", {}), root)
    return some.lists(inner, min_size=least, max_size=node.get("maxItems", least + 2), **unique)


def _object(node: Schema, root: Schema) -> some.SearchStrategy[Any]:
    if "properties" not in node:
        return some.dictionaries(
            some.text(max_size=3), values(node["additionalProperties"], root), max_size=2
        )
    each = {name: values(part, root) for name, part in node["properties"].items()}
    needed = {name: part for name, part in each.items() if name in node.get("required", ())}
    return some.fixed_dictionaries(
        needed, optional={name: part for name, part in each.items() if name not in needed}
    )


_OF_TYPE: Final = {
    None: lambda *_: some.one_of(some.none(), some.integers(), some.text(max_size=4)),
    "array": _array,
    "boolean": lambda *_: some.booleans(),
    "integer": lambda node, _: some.integers(node.get("minimum"), node.get("maximum")),
    "null": lambda *_: some.none(),
    "number": _number,
    "object": _object,
    "string": _string,
}


def from_gemini(node: Schema) -> dict[str, Any]:
    """A schema of Gemini as JSON schema."""
    plain = {key: each for key, each in node.items() if key not in {"nullable", "type"}}
    if "anyOf" in node:
        plain["anyOf"] = [from_gemini(each) for each in node["anyOf"]]
    if "items" in node:
        plain["items"] = from_gemini(node["items"])
    if "properties" in node:
        plain["properties"] = {name: from_gemini(each) for name, each in node["properties"].items()}
        plain["additionalProperties"] = False
    if "type" in node:
        plain["type"] = node["type"].lower()
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") else plain
