from __future__ import annotations

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from actions.definition import action
from actions.errors import ConfigError, DeclarationError, UnknownAction
from actions.registry import Registry
from orchestrator import intake
from orchestrator.response_models import response_model

COACH = Registry.from_modules(["actions.builtin.coach"])


class Node(BaseModel):
    """A tree."""

    value: int
    below: list[Node] = []


@action("PLANT", permissions={"garden"})
async def plant(tree: Node) -> None:
    """Plant a tree."""


@action("COPY")
async def copy(model_dump: str) -> None:
    """An action and a parameter that are called as methods of pydantic are."""


@action("MESSAGE")
async def message(text: str) -> None:
    """Send a text."""


@action("REFUND", user_only=True)
async def refund(amount: int) -> None:
    """Pay back; for people."""


@action("SUM_UP", evaluates="always")
async def sum_up() -> None:
    """Run after a turn."""


OWN = Registry([plant, copy, message, refund, sum_up])


def test_a_message_is_wanted_and_each_allowed_action_has_one_optional_field():
    model = response_model(COACH, machine="coach", state="INTRODUCTION")
    schema = model.model_json_schema()
    assert schema["required"] == ["message"]
    assert set(schema["properties"]) == {
        "message", "save_user_info", "mark_introduction_complete", "transition_state", "none", "continue", "ignore",
    }  # fmt: skip
    assert schema["additionalProperties"] is False
    assert model.model_validate({"message": "Hello"}).as_body() == {
        "choices": [{"message": {"role": "assistant", "content": "Hello"}}]
    }
    with pytest.raises(ValidationError, match="message"):
        model.model_validate({"save_user_info": []})


@pytest.mark.parametrize("forbidden", ["save_identity", "SAVE_USER_INFO", "calls_of_none", "anything"])
def test_what_the_state_does_not_allow_is_forbidden(forbidden):
    model = response_model(COACH, machine="coach")
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({"message": "Hello", forbidden: []})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"message": "Hello", forbidden: []}, model.model_json_schema())


def test_each_state_has_a_model_of_its_own_and_an_unknown_one_offers_what_is_everywhere():
    later = response_model(COACH, machine="coach", state="IDENTITY_BRAINSTORMING").model_json_schema()
    assert "save_identity" in later["properties"]
    nowhere = response_model(COACH, machine="coach", state="NOWHERE").model_json_schema()
    assert "save_user_info" not in nowhere["properties"]


def test_what_is_for_people_alone_is_never_offered():
    offered = response_model(OWN, permissions={"garden"}).model_json_schema()["properties"]
    assert set(offered) == {"message", "plant", "copy", "message_call"}
    assert "plant" not in response_model(OWN).model_json_schema()["properties"]
    assert set(response_model(OWN, offer="COPY").model_json_schema()["properties"]) == {"message", "copy"}


def test_an_answer_may_call_one_action_twice_and_becomes_a_reply():
    model = response_model(COACH, machine="coach", state="IDENTITY_BRAINSTORMING")
    answer = {
        "message": "Two more.",
        "save_identity": [
            {"identity": "Painter", "category": "PASSIONS"},
            {"identity": "Gardener", "category": "PASSIONS"},
        ],
        "save_user_info": [{"key": "mood", "value": 0}],
    }
    jsonschema.validate(answer, model.model_json_schema())
    reply = intake.read(model.model_validate(answer).as_body())
    assert reply.text == "Two more."
    assert [(call.name, call.arguments) for call in reply.calls] == [
        ("SAVE_USER_INFO", {"key": "mood", "value": 0}),
        ("SAVE_IDENTITY", {"identity": "Painter", "category": "PASSIONS"}),
        ("SAVE_IDENTITY", {"identity": "Gardener", "category": "PASSIONS"}),
    ]
    assert len({call.id for call in reply.calls}) == 3


def test_one_call_with_bad_arguments_spoils_no_other():
    model = response_model(COACH, machine="coach", state="IDENTITY_BRAINSTORMING")
    answer = {"message": "", "save_identity": [{"identity": "Painter", "colour": 1}], "none": [{}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, model.model_json_schema())
    calls = intake.read(model.model_validate(answer).as_body()).calls
    assert sorted(call.name for call in calls) == ["NONE", "SAVE_IDENTITY"]
    assert {"identity": "Painter", "colour": 1} in [call.arguments for call in calls]


def test_a_field_is_a_list_of_objects_with_an_end():
    model = response_model(OWN)
    for wrong in ({"copy": [1]}, {"copy": {"a": 1}}, {"copy": None}, {"copy": [{}] * 129}):
        with pytest.raises(ValidationError):
            model.model_validate({"message": "", **wrong})


def test_names_of_pydantics_own_and_of_the_message_do_no_harm():
    model = response_model(OWN)
    answer = model.model_validate(
        {"message": "m", "copy": [{"model_dump": "x"}], "message_call": [{"text": "t"}]}
    )
    calls = intake.read(answer.as_body()).calls
    assert {(call.name, str(call.arguments)) for call in calls} == {
        ("COPY", "{'model_dump': 'x'}"), ("MESSAGE", "{'text': 't'}"),
    }  # fmt: skip


def test_a_schema_that_holds_itself_can_still_be_followed():
    schema = response_model(OWN, permissions={"garden"}).model_json_schema()
    tree = {"value": 1, "below": [{"value": 2, "below": [{"value": 3}]}]}
    jsonschema.validate({"message": "", "plant": [{"tree": tree}]}, schema)
    tree["below"][0]["below"][0]["value"] = "three"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"message": "", "plant": [{"tree": tree}]}, schema)


def test_a_schema_may_be_changed_by_whoever_got_it():
    model = response_model(OWN)
    model.model_json_schema()["properties"].clear()
    assert model.model_json_schema()["properties"]


def test_a_model_that_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="no state machine 'door'"):
        response_model(COACH, machine="door")
    with pytest.raises(UnknownAction):
        response_model(COACH, offer=["NOTHING_LIKE_IT"])
    with pytest.raises(TypeError, match="not for models"):
        response_model(OWN, offer="REFUND")

    @action("MESSAGE_CALL")
    async def message_call() -> None:
        """Collide."""

    with pytest.raises(DeclarationError, match="cannot be offered in one answer"):
        response_model(Registry([message, message_call]))
