from __future__ import annotations

import inspect
import pickle
import re

import pytest

from actions import errors
from actions.directives import Complete, SetContext
from actions.errors import (
    ConfigError,
    Fail,
    InvalidArguments,
    ModelError,
    RateLimited,
    Refuse,
    Stop,
    TryAgain,
    UmbelError,
)

CLASSES = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, UmbelError)]


def test_every_error_has_a_code_of_its_own():
    codes = [each.code for each in CLASSES]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_the_codes_that_are_stored_never_change():
    assert {each.__name__: each.code for each in CLASSES if issubclass(each, ModelError)} == {
        "ModelError": "model",
        "MalformedCall": "malformed_call",
        "TruncatedCall": "truncated_call",
        "TooManyCalls": "too_many_calls",
        "UnknownAction": "unknown_action",
        "ForbiddenAction": "forbidden_action",
        "InvalidArguments": "invalid_arguments",
        "RepairedArguments": "repaired_arguments",
        "RefusedByValidator": "refused",
        "ValidatorFailed": "validator_failed",
        "StateConflict": "state_conflict",
        "Locked": "locked",
        "RateLimited": "rate_limited",
        "CostTooHigh": "cost_too_high",
        "Duplicate": "duplicate",
        "Superseded": "superseded",
        "HandlerFailed": "handler_failed",
        "HandlerKilled": "handler_killed",
        "HookFailed": "hook_failed",
        "TimedOut": "timed_out",
        "OutcomeUnknown": "outcome_unknown",
        "ResultNotSerialisable": "result_not_serialisable",
        "InvalidResult": "invalid_result",
        "ResultTooLarge": "result_too_large",
        "CancelledRun": "cancelled",
        "Expired": "expired",
        "ApprovalDenied": "denied",
        "ApprovalExpired": "approval_expired",
        "BadReference": "bad_reference",
        "ChainOnly": "chain_only",
        "ChainRefused": "chain_refused",
        "CycleRefused": "follow_up_cycle",
        "DependencyCycle": "dependency_cycle",
        "DependencyFailed": "dependency_failed",
        "Interrupted": "interrupted",
        "MissingDependency": "missing_dependency",
        "NotRun": "not_run",
        "NotUndone": "not_undone",
        "TooDeep": "follow_up_depth",
        "TooManyFollowUps": "follow_up_count",
        "UndoFailed": "undo_failed",
        "Undone": "undone",
        "UserOnly": "user_only",
        "Dead": "dead",
    }


def test_the_tree_in_the_docstring_names_every_error():
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"\w+", errors.__doc__))

    assert {each.__name__ for each in CLASSES} <= drawn


def test_the_exported_names_are_complete():
    assert {each.__name__ for each in CLASSES} <= set(errors.__all__)


def test_every_error_ends_a_command_with_a_number_of_its_kind():
    assert all(64 <= each.exit_code <= 78 for each in CLASSES)


def test_a_model_hears_the_text_and_the_code():
    assert InvalidArguments("x: is missing").for_model() == {
        "error": "x: is missing",
        "code": "invalid_arguments",
    }


def test_over_a_limit_the_model_hears_when_to_try_again():
    assert RateLimited("5 in a minute", 12.5).for_model() == {
        "error": "5 in a minute",
        "code": "rate_limited",
        "retry_after_s": 12.5,
    }


def test_cooling_is_asked_for_never_assumed():
    assert TryAgain("5s").cool is False
    assert TryAgain("5s", cool=True).cool is True


def test_a_stop_is_a_failure_that_ends_the_turn_too():
    assert isinstance(Stop("closed"), Fail)
    assert not isinstance(Fail("no"), Stop)
    assert (str(Stop("closed")), Stop("closed").reason, Fail("no").directives) == ("closed", "closed", ())


def test_a_refusal_has_the_same_form_as_an_error():
    assert Refuse("closed").for_model() == {"error": "closed", "code": "refused"}


def test_an_operator_hears_what_where_and_what_to_do():
    error = ConfigError("no server", where="port 1", fix="start one")

    assert str(error) == "no server (port 1). start one"
    assert str(ConfigError("no server")) == "no server"


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("a", where="b", fix="c"),
        InvalidArguments("x"),
        RateLimited("x", 2.5),
        TryAgain("5s", "busy"),
        TryAgain("5s", "busy", cool="bank"),
        Fail("no"),
        Fail("no", (SetContext("tries", 3), Complete())),
        Stop("closed", (SetContext("tries", 3),)),
        Stop(),
    ],
)
def test_errors_and_signals_survive_a_process_boundary(error: Exception):
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
