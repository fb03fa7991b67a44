"""What a provider would refuse is told: which action, which argument, what to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from actions.definition import Action, action
from actions.errors import UnknownAction
from actions.tools import FORMATS, Problem, export
from actions.tools.openai_strict import FORM as STRICT
from actions.tools.plain import Plain
from tools_under_test import RICH, Leg


def taking(kind: Any, name: str = "X") -> Action:
    def handler(x): ...

    handler.__annotations__["x"] = kind
    handler.__doc__ = "Do it."
    return action(name)(handler)


def told(act: Action, form: str) -> list[tuple[str, str]]:
    return [(problem.field, problem.text) for problem in export([act], form).problems]


@pytest.mark.parametrize("form", FORMATS)
def test_a_description_that_is_too_long_is_told_where_there_is_a_limit(form):
    @action("X", description="x" * 1025)
    def long() -> None: ...

    problems = export([long], form).problems
    if form in {"openai", "openai-strict"}:
        [problem] = problems
        assert problem.action == "X"
        assert "1,025 characters" in problem.text
        assert "shorten the docstring" in problem.text
    else:
        assert problems == ()


def test_gemini_wants_a_description():
    [(field, text)] = told(action("X", description="")(lambda: None), "gemini")
    assert field == ""
    assert "write a docstring" in text


@pytest.mark.parametrize(
    ("form", "key", "refused"),
    [
        ("anthropic", "größe", True), ("anthropic", "a.b-c", False), ("anthropic", "x" * 65, True),
        ("gemini", "größe", True), ("gemini", "a.b-c", True), ("gemini", "_a1", False), ("gemini", "1a", True),
        ("openai", "größe", False), ("mcp", "größe", False),
    ],
)  # fmt: skip
def test_a_key_that_is_refused_is_told_with_the_way_to_it(form, key, refused):
    model = create_model("Inner", inner=(int, Field(alias=key)))
    problems = told(taking(list[model]), form)
    assert [field for field, _ in problems] == ([f"x[].{key}"] if refused else [])
    assert all("rename it" in text for _, text in problems)


@pytest.mark.parametrize(("form", "most"), [("openai", 128), ("openai-strict", 128), ("gemini", 512)])
def test_too_many_tools_are_told(form, most):
    many = [taking(int, f"X{at}") for at in range(most + 1)]
    [problem] = export(many, form).problems
    assert problem.action == ""
    assert f"{most + 1:,} tools are more than the {most:,}" in problem.text
    assert export(many[:-1], form).problems == ()


@pytest.mark.parametrize("form", ["anthropic", "mcp"])
def test_where_no_number_is_known_many_tools_are_no_problem(form):
    assert export([taking(int, f"X{at}") for at in range(600)], form).problems == ()


@pytest.mark.parametrize("form", ["openai", "openai-strict", "anthropic"])
def test_a_schema_that_says_more_at_its_top_is_told(form):
    class Either(BaseModel):
        model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["a"]}, {"required": ["b"]}]})

        a: int = 0
        b: int = 0

    act = action("X", params=Either, description="Do it.")(lambda a, b: None)
    assert any("anyOf at the top" in text for _, text in told(act, form))


@pytest.mark.parametrize(
    ("kind", "field", "what"),
    [
        (dict[str, int], "x", "any keys"), (dict, "x", "any keys"), (list[dict[str, int]], "x[]", "any keys"),
        (Any, "x", "any kind"), (list, "x", "items of any kind"), (int | list[Any], "x", "items of any kind"),
        (tuple[int, str], "x", "another kind at each place"),
        (dict[Annotated[str, Field(pattern="a")], int], "x", "patternProperties"),
        (Annotated[int, Field(json_schema_extra={"not": {"enum": [3]}})], "x", "not has no form"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["openai-strict", "gemini"])
def test_what_has_no_form_is_told_once_with_what_to_do(form, kind, field, what):
    [(where, text)] = told(taking(kind), form)
    assert where == field
    assert what in text
    assert text.rpartition("; ")[2].split()[0] in {"name", "say", "use"}


def nested(depth: int) -> Any:
    node: Any = {"type": "integer"}
    for _ in range(depth):
        node = having({"inner": node})
    return node


def having(properties: dict[str, Any]) -> Any:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def words(count: int, length: int) -> Any:
    return having({"x": {"enum": [f"{at:0{length}}" for at in range(count)], "type": "string"}})


def keys(count: int, length: int) -> Any:
    return having({f"{at:0{length}}": {"type": "integer"} for at in range(count)})


@pytest.mark.parametrize(
    ("fits", "over", "what"),
    [
        (nested(10), nested(11), "11 levels of objects"),
        (words(1000, 4), words(1001, 4), "1,001 values"),
        (words(250, 61), words(251, 60), "15,060 characters in one enum"),
        (keys(5000, 4), keys(5001, 4), "5,001 keys"),
        (keys(2, 60_000), keys(1, 120_001), "120,001 characters"),
    ],
    ids=["deep", "values", "large enum", "keys", "characters"],
)
def test_what_is_too_large_for_strict_mode_is_told_and_given_without(fits, over, what):
    tool, problems = STRICT.shape(Plain("X", "Do it.", fits, {}))
    assert (tool["function"]["strict"], problems) == (True, [])
    tool, [problem] = STRICT.shape(Plain("X", "Do it.", over, {}))
    assert (tool["function"]["strict"], tool["function"]["parameters"]) == (False, over)
    assert what in problem.text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[str, Field(min_length=2, max_length=5)], "at most 5 characters; at least 2 characters"),
        (set[int], "no item twice"),
        (Annotated[int, Field(json_schema_extra={"x-unit": "kg"})], "x-unit: kg"),
        (Annotated[int, Field(examples=[1, 2])], "for example 1, 2"),
        (Annotated[str, Field(description="A name", min_length=2)], "A name (at least 2 characters)"),
        (Annotated[str, Field(description="A name.", min_length=2)], "A name. At least 2 characters."),
    ],
)
def test_what_strict_mode_cannot_say_of_a_value_the_description_says(kind, words):
    made = export([taking(kind)], "openai-strict")
    assert made.problems == ()
    [tool] = made.tools
    assert tool["function"]["parameters"]["properties"]["x"]["description"] == words


def test_what_gemini_cannot_say_of_a_value_the_description_says():
    kinds = {
        Annotated[float, Field(gt=0)]: "more than 0",
        Literal[1, 2]: "one of 1, 2",
        Annotated[int, Field(multiple_of=5)]: "a multiple of 5",
    }
    for kind, words in kinds.items():
        made = export([taking(kind)], "gemini")
        assert made.problems == ()
        assert (
            made.tools[0]["functionDeclarations"][0]["parameters"]["properties"]["x"]["description"] == words
        )


def test_a_value_of_several_kinds_stands_alone_in_gemini():
    act = taking(Annotated[int | Leg | None, Field(description="What it is")])
    shown = export([act], "gemini").tools[0]["functionDeclarations"][0]["parameters"]["properties"]["x"]
    assert set(shown) == {"anyOf"}
    assert [each["type"] for each in shown["anyOf"]] == ["INTEGER", "OBJECT"]
    assert all(each["nullable"] for each in shown["anyOf"])
    assert [each["description"] for each in shown["anyOf"]] == [
        "What it is.",
        "What it is. A leg of an order.",
    ]


READY = {
    "type": "function",
    "function": {"name": "LOOK_UP", "description": "Theirs.", "parameters": {"type": "object"}},
}


def test_a_ready_schema_is_passed_on_as_it_is():
    made = RICH.tools(["PING", READY], format="openai")
    assert [tool["function"]["name"] for tool in made.tools] == ["PING", "LOOK_UP"]
    assert made.tools[1] == READY
    assert made.problems == ()
    made.tools[1]["function"].clear()
    assert READY["function"]


def test_ready_tools_stand_among_geminis_declarations_or_beside_them():
    [declared, other] = RICH.tools(["PING", {"name": "LOOK_UP"}, {"googleSearch": {}}], format="gemini").tools
    assert [each["name"] for each in declared["functionDeclarations"]] == ["PING", "LOOK_UP"]
    assert other == {"googleSearch": {}}


def test_two_tools_of_one_name_are_told():
    ready = {"name": "PING", "input_schema": {"type": "object"}}
    [problem] = RICH.tools(["PING", ready], format="anthropic").problems
    assert problem == Problem(
        "PING", "", "2 tools have this name: a model could not tell them apart; rename one"
    )


def test_a_selection_has_many_forms():
    def names(spec: Any) -> list[str]:
        return [tool["function"]["name"] for tool in RICH.tools(spec).tools]

    ping = RICH.resolve("PING")
    assert names(spec=True) == ["TAKE_ORDER", "KINDS", "PAY", "LABEL", "PLANT", "PING"]
    assert names(spec=False) == []
    assert names("BUY") == ["TAKE_ORDER"]
    assert names(ping) == names(ping.handler) == ["PING"]
    assert names(["PING", ping, "LABEL", READY, ping.handler]) == ["PING", "LABEL", "LOOK_UP"]
    assert names(READY) == ["LOOK_UP"]
    with pytest.raises(UnknownAction, match="SELL"):
        names("SELL")


@pytest.mark.parametrize("wrong", [5, None, object(), [5], lambda: None, "REFUND", ["SUM_UP"]])
def test_what_is_no_selection_is_a_type_error_and_nothing_is_registered_on_the_way(wrong):
    before = len(RICH)
    with pytest.raises(TypeError):
        RICH.tools(wrong)
    assert len(RICH) == before


def test_a_problem_says_where_it_is():
    assert str(Problem("BUY", "legs[].side", "is wrong")) == "BUY.legs[].side: is wrong"
    assert str(Problem("BUY", "", "is wrong")) == "BUY: is wrong"
    assert str(Problem("", "", "is wrong")) == "is wrong"
    assert Problem("BUY", "", "is wrong").told() == {"action": "BUY", "field": "", "text": "is wrong"}
