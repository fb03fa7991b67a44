"""`parse_output`: the text alone if it will do, else a model, a few times at most."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pydantic import BaseModel

import umbel as roof
from actions.errors import ConfigError, DeclarationError, Fail, TryAgain
from orchestrator.operations import parse
from orchestrator.operations.parse import ParseOptions, parse_output
from orchestrator.outputs import UnfitOutput


class Person(BaseModel):
    name: str
    age: int


class Scripted:
    """A model that answers one thing after another."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[list[dict[str, Any]]] = []

    async def ask(self, request: dict[str, Any]) -> Any:
        self.asked.append(request["messages"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"choices": [{"message": {"role": "assistant", "content": answer}}]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(parse, "_WAIT_S", 0)


GOOD = '{"name": "Ada", "age": 36}'
ADA = Person(name="Ada", age=36)


async def test_a_good_text_needs_no_model():
    nobody = Scripted()

    assert await parse_output(f"Here you are: {GOOD}", Person, ask=nobody) == ADA
    assert await parse_output('{"nmae": "Ada", "AGE": "36", "x": 1}', Person) == ADA
    assert nobody.asked == []


async def test_a_good_text_is_parsed_although_the_model_is_away():
    assert await parse_output(GOOD, Person, ask=Scripted(ConnectionError())) == ADA


async def test_else_the_model_is_asked_with_the_form_and_the_reason():
    model = Scripted(f"```json\n{GOOD}\n```")

    assert await parse_output("Ada is 36.", Person, ask=model) == ADA
    [[system, user]] = model.asked
    assert '"properties"' in system["content"]
    assert "Ada is 36." in user["content"]
    assert "there is no JSON object in the text" in user["content"]


async def test_it_hears_what_is_wrong_with_its_answer():
    model = Scripted('{"name": "Ada", "age": "old"}', "Sorry.", GOOD)

    assert await parse_output("Ada is old.", Person, ask=model) == ADA
    assert model.asked[1][-1]["content"] == 'This does not fit: age: an integer is wanted, got "old"'
    assert [len(messages) for messages in model.asked] == [2, 4, 4]


async def test_an_answer_that_looks_like_a_call_is_an_answer():
    model = Scripted('{"name": "SAVE", "arguments": {"x": 1}}')
    wanted = {"name": "SAVE", "arguments": {"x": 1}}

    assert await parse_output("Save x = 1.", ["name", "arguments"], ask=model) == wanted


async def test_an_async_function_is_a_model_and_may_answer_with_a_text():
    async def ask(request: dict[str, Any]) -> str:
        return GOOD

    assert await parse_output("Ada", Person, ask=ask) == ADA


async def test_keys_are_asked_for_by_name():
    model = Scripted('{"nam": "Ada"}')

    assert await parse_output("Ada", (key for key in ("name", "age")), ask=model) == {
        "name": "Ada",
        "age": None,
    }
    assert '["name", "age"]' in model.asked[0][0]["content"]


@pytest.mark.parametrize(("options", "times"), [({}, 3), ({"max_retries": 5}, 5), ({"max_retries": 0}, 0)])
async def test_each_attempt_is_one_question(options, times):
    model = Scripted(*["no"] * 9)

    assert await parse_output("Ada", Person, ask=model, **options) == "Ada"
    assert len(model.asked) == times


async def test_a_model_that_is_away_for_a_moment_is_asked_again():
    model = Scripted(TryAgain(0), ConnectionError(), GOOD)

    assert await parse_output("Ada", Person, ask=model) == ADA


@pytest.mark.parametrize("error", [Fail("no"), ConfigError("no model is configured")])
async def test_where_asking_again_mends_nothing_it_is_asked_once(error):
    model = Scripted(error, GOOD)

    assert await parse_output("Ada", Person, ask=model) == "Ada"
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("Ada", "Ada"), ('x {"nmae": "Ada", "age": "old"}', {"name": "Ada", "age": "old"})],
)
async def test_what_cannot_be_parsed_is_given_back_as_far_as_it_was_read(text, value):
    assert await parse_output(text, Person) == value
    assert await parse_output(text, Person, on_failure="return_none") is None
    with pytest.raises(UnfitOutput):
        await parse_output(text, Person, on_failure="raise")
    with pytest.raises(ValueError, match=r"JSON|integer"):
        await parse_output(text, Person, on_failure="raise", ask=Scripted("no", "no", "no"))


@pytest.mark.parametrize(
    "options",
    [
        {"on_failure": "ignore"}, {"max_retries": 6}, {"max_retries": -1}, {"max_retries": True}, {"max_retries": 1.0},
        {"similarity": "soundex"}, {"threshold": 2}, {"handle_unmatched": "drop"}, {"fill_mapping": {"agee": 1}},
    ],
)  # fmt: skip
async def test_an_option_that_makes_no_sense_is_refused_although_the_text_is_good(options):
    with pytest.raises(DeclarationError):
        await parse_output(GOOD, Person, **options)


@pytest.mark.parametrize("name", ["guidance", "request_type", "response_format", "similarity_treshold"])
async def test_a_misspelt_option_is_an_error(name):
    with pytest.raises(TypeError, match=name):
        await parse_output(GOOD, Person, **{name: 1})


async def test_a_text_is_wanted():
    with pytest.raises(DeclarationError, match="a text is wanted, not a dict"):
        await parse_output({"name": "Ada"}, Person)  # type: ignore[arg-type]


async def test_a_text_without_end_is_not_sent():
    model = Scripted(GOOD)

    assert await parse_output("x" * 200_000, Person, ask=model, on_failure="return_none") is None
    assert model.asked == []


def test_every_option_has_the_same_name_at_the_roof():
    own = [
        name
        for name, each in inspect.signature(parse_output).parameters.items()
        if each.kind is each.KEYWORD_ONLY
    ]

    assert [*ParseOptions.__annotations__, "ask"] == own
    assert roof.parse_output is parse_output


async def test_the_house_asks_its_own_model(umbel):
    assert await umbel.parse_output(GOOD, Person) == ADA
    assert await umbel.parse_output("Ada", Person, on_failure="return_none") is None
    with pytest.raises(TypeError, match="threshhold"):
        await umbel.parse_output(GOOD, Person, threshhold=1)
