"""NONE, CONTINUE and IGNORE: how a model says nothing, goes on, and stops.

In: no arguments. Out: directives for the turn. None of them touches anything outside, and every state
allows them.
"""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic import BaseModel

from actions.context import ActionContext, ConversationView
from actions.definition import action
from actions.directives import Complete, Continue, Result
from actions.errors import Refuse
from actions.names import normalise

LIMIT: Final = 3
"""So many messages in a row may go on; the next one has to wait for the user."""

_CATEGORY: Final = "conversation"
_FIRST_LOOK: Final = 20

Message = dict[str, Any]


@action(
    "NONE",
    similes=("NO_ACTION", "NO_RESPONSE", "NO_REACTION", "RESPONSE", "REPLY", "DEFAULT"),
    category=_CATEGORY,
    everywhere=True,
)
def none() -> str:
    """Answer without doing anything else. Takes no parameters and changes nothing."""
    return "nothing to do"


@action("CONTINUE", similes=("ELABORATE", "KEEP_TALKING"), category=_CATEGORY, everywhere=True)
def go_on() -> Result:
    """Send another message right after this one. Not after a question, and at most three times in a row."""
    return Result("go on", (Continue(),))


@go_on.validate
async def may_go_on(_params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Refuse to go on after a question or an exclamation, and when the last messages all went on already."""
    if ctx.reply_text.rstrip().endswith(("?", "!")):
        return Refuse("the message ends with a question or an exclamation: wait for the answer")
    if ctx.conversation is None:
        return None
    newest = await _newest_replies(ctx.conversation)
    if len(newest) == LIMIT and all(map(_went_on, newest)):
        return Refuse(f"the last {LIMIT} messages all went on already: wait for the user")
    return None


async def _newest_replies(conversation: ConversationView) -> list[Message]:
    """Return the newest assistant messages before this reply; looks further back when it has to."""
    look = _FIRST_LOOK
    while True:
        messages = await conversation.messages(last=look)
        replies = [each for each in _settled(messages) if each.get("role") == "assistant"]
        if len(replies) >= LIMIT or len(messages) < look:
            return replies[-LIMIT:]
        look *= 4


def _settled(messages: list[Message]) -> list[Message]:
    """Leave out this reply itself: when it is stored already, it is the last message and its calls are open.

    Results are appended all at once when a round is complete, so no other message with calls can stand last.
    """
    if messages and messages[-1].get("role") == "assistant" and messages[-1].get("tool_calls"):
        return messages[:-1]
    return messages


def _went_on(message: Message) -> bool:
    calls = cast("list[dict[str, Any]]", message.get("tool_calls") or [])
    return any(normalise(str((call.get("function") or {}).get("name", ""))) in _GOING_ON for call in calls)


_GOING_ON: Final = frozenset(map(normalise, (go_on.name, *go_on.similes)))


@action(
    "IGNORE",
    similes=("STOP_TALKING", "STOP_CHATTING", "STOP_CONVERSATION"),
    category=_CATEGORY,
    everywhere=True,
)
def ignore() -> Result:
    """End the conversation without a reply, when it is over or the user does not want to go on."""
    return Result("the conversation is over", (Complete(),))
