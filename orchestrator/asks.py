"""What a person is asked before a run may start: an action and its validated params in, an `Ask` or nothing out.

It is made when a run is planned, or by the worker that claims one whose arguments were not all known before. Whether
it is needed is the action's word on the arguments alone; nothing that a model writes beside them counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.errors import InvalidArguments
from actions.params import bind
from actions.policy import milliseconds
from orchestrator.digests import arguments_digest, shown_arguments
from orchestrator.store.incoming import Ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from actions.definition import Action


def ask_for(
    action: Action, params: BaseModel, *, principal: str | None, tenant: str | None, conversation: str | None
) -> Ask | None:
    """What has to be approved before the action may run with these params; None: nothing."""
    approval = action.approval
    if approval is None or not approval.needed(params):
        return None
    owned = {
        "action": action.name,
        "principal": principal or None,
        "tenant": tenant or None,
        "conversation": conversation or None,
    }
    key = "" if approval.template is None else approval.template.expand(owned, params.__dict__, apart=True)
    return Ask(
        digest=arguments_digest(action, params),
        expires_ms=milliseconds(approval.expires),
        shown=shown_arguments(params),
        key=f"{action.name}:{key}" if key else "",
    )


def asks_the_same(ask: Ask, action: Action, arguments: Mapping[str, Any]) -> bool:
    """Whether a worker that reads these arguments once more will ask for the same.

    A default may be a new id or a time, another one with each reading: an approval of the plan's would be for nothing.
    """
    try:
        return arguments_digest(action, bind(action, arguments)) == ask.digest
    except (InvalidArguments, ValueError):
        return False
