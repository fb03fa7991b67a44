"""Calls that were not written quite as they should be: may one run, and under which keys do its arguments stand?

In: a call and its action. Out: the call under the action's own keys, or the refusal. The action decides (`repaired`,
`similar_keys`), and what was mended is told: in the call, and in each refusal of its arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.errors import InvalidArguments, RepairedArguments
from actions.params import given
from actions.short import cut
from actions.similar_keys import under_own_keys

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.messages import Call

_SHOWN: Final = 120


def check_repaired(action: Action, call: Call) -> None:
    """Raise RepairedArguments for a call that had to be mended, if its action takes none of these."""
    if call.repaired and action.repaired == "refuse":
        raise RepairedArguments(
            f"{action.name} was not run: its call was not written well ({_mending(call)}). Send it again, whole, with "
            "its arguments as strict JSON"
        )


def with_own_keys(action: Action, call: Call) -> Call:
    """The call with its arguments under the action's own keys, without nulls that only say that there is none."""
    if not call.arguments:
        return call
    arguments, words = under_own_keys(action, call.arguments, call.uses)
    if None in arguments.values():
        arguments = given(action, arguments)
    elif not words:
        return call
    return call.model_copy(update={"arguments": arguments, "repaired": (*call.repaired, *words)})


def with_mending(call: Call, error: InvalidArguments) -> InvalidArguments:
    """The error with what was mended of its call: the model has to know what it was understood to have written."""
    if not call.repaired:
        return error
    return InvalidArguments(f"{error}\nthe call was mended before: {_mending(call)}", flaws=error.flaws)


def _mending(call: Call) -> str:
    return cut("; ".join(call.repaired), _SHOWN)
