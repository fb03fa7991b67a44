"""FOLLOW, UNFOLLOW, MUTE and UNMUTE: whether the one that the model speaks for takes part in a conversation.

In: no arguments; the conversation, and what it is to the agent now ("" neutral, "followed", "muted"). Out: a
`SetParticipant` directive, after the model was asked in plain words whether it is meant and has said YES.

    FOLLOW     from neutral, when the user's last message speaks of it  -> followed
    UNFOLLOW   from followed                                            -> neutral
    MUTE       from neutral or followed                                 -> muted
    UNMUTE     from muted                                               -> neutral

Any other answer than a clear YES, and any failure, leaves the state as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal, cast

from pydantic import BaseModel

from actions.context import ActionContext, ConversationView
from actions.definition import action
from actions.directives import Result, SetParticipant
from actions.errors import Refuse, TryAgain
from actions.policy import Retry
from actions.spoken import yes_or_no
from actions.transcripts import last_said, text_of

NEUTRAL: Final = ""
FOLLOWED: Final = "followed"
MUTED: Final = "muted"

State = Literal["", "followed", "muted"]

_CATEGORY: Final = "rooms"
_RETRY: Final = Retry(2, initial="500ms", factor=2, cap="5s")
"""How often a model that does not answer is asked again."""
_LOOK: Final = 20
"""So many of the newest messages does the model judge by, each of so many characters at most:"""
_LONGEST: Final = 500
_SPEAKS_OF_FOLLOWING: Final = re.compile(
    r"\b(?:follow|participat|engag|listen|join|tak(?:e|ing) (?:an |part |more )?(?:in|interest))",
    re.IGNORECASE,
)

_QUESTIONS: Final = {
    "FOLLOW": "start to follow this conversation closely, taking part without being addressed",
    "UNFOLLOW": "stop following this conversation closely, and speak again only when it is natural to",
    "MUTE": "keep silent in this conversation, unless it is mentioned by name",
    "UNMUTE": "break its silence in this conversation and take part again",
}


@action(
    "FOLLOW",
    similes=("FOLLOW_ROOM", "FOLLOW_CHAT", "FOLLOW_CHANNEL", "FOLLOW_CONVERSATION", "FOLLOW_THREAD"),
    category=_CATEGORY,
    retry=_RETRY,
)
async def follow(ctx: ActionContext) -> Result:
    """Follow this conversation with great interest, without being addressed. Only when the user asked for it."""
    return await _settled(ctx, FOLLOWED)


@action(
    "UNFOLLOW",
    similes=(
        "UNFOLLOW_ROOM",
        "UNFOLLOW_CHAT",
        "UNFOLLOW_CHANNEL",
        "UNFOLLOW_CONVERSATION",
        "UNFOLLOW_THREAD",
    ),
    category=_CATEGORY,
    retry=_RETRY,
)
async def unfollow(ctx: ActionContext) -> Result:
    """Stop following this conversation, because the user asked for it or it is no longer of interest."""
    return await _settled(ctx, NEUTRAL)


@action(
    "MUTE",
    similes=("MUTE_ROOM", "MUTE_CHAT", "MUTE_CHANNEL", "MUTE_CONVERSATION", "MUTE_THREAD"),
    category=_CATEGORY,
    retry=_RETRY,
)
async def mute(ctx: ActionContext) -> Result:
    """Keep silent in this conversation unless mentioned by name, because it was asked for or silence is better."""
    return await _settled(ctx, MUTED)


@action(
    "UNMUTE",
    similes=("UNMUTE_ROOM", "UNMUTE_CHAT", "UNMUTE_CHANNEL", "UNMUTE_CONVERSATION", "UNMUTE_THREAD"),
    category=_CATEGORY,
    retry=_RETRY,
)
async def unmute(ctx: ActionContext) -> Result:
    """Take part in this conversation again after a silence."""
    return await _settled(ctx, NEUTRAL)


@follow.validate
async def may_follow(_params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Refuse unless it is neutral, and the user's last message speaks of it."""
    refusal = await _refused(ctx, lambda state: state == NEUTRAL)
    if refusal is not None or ctx.conversation is None:
        return refusal
    if _SPEAKS_OF_FOLLOWING.search(last_said(await ctx.conversation.messages(last=_LOOK))):
        return None
    return Refuse("the user's last message says nothing of following, joining or listening")


@unfollow.validate
async def may_unfollow(_params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Refuse unless it is followed."""
    return await _refused(ctx, lambda state: state == FOLLOWED)


@mute.validate
async def may_mute(_params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Refuse if it is muted already."""
    return await _refused(ctx, lambda state: state != MUTED)


@unmute.validate
async def may_unmute(_params: BaseModel, ctx: ActionContext) -> Refuse | None:
    """Refuse unless it is muted."""
    return await _refused(ctx, lambda state: state == MUTED)


async def _refused(ctx: ActionContext, allowed: Callable[[str], bool]) -> Refuse | None:
    if ctx.conversation is None:
        return Refuse(f"{ctx.action} needs a conversation")
    _, state = await _standing(ctx.conversation)
    return None if allowed(state) else Refuse(f"{ctx.action} is not possible: {_told(state)}")


async def _settled(ctx: ActionContext, wanted: State) -> Result:
    """Ask the model whether it is meant, and change the state only on a clear YES."""
    view = cast("ConversationView", ctx.conversation)  # the validator has seen it
    agent, state = await _standing(view)
    if not await _is_meant(ctx, agent):
        return Result({"participant": agent, "state": state, "changed": False})
    return Result({"participant": agent, "state": wanted, "changed": True}, (SetParticipant(agent, wanted),))


async def _standing(view: ConversationView) -> tuple[str, str]:
    """Whom the model speaks for, and what it is to this conversation now."""
    agent = await view.agent()
    return agent, (await view.participants()).get(agent, NEUTRAL)


async def _is_meant(ctx: ActionContext, agent: str) -> bool:
    view = cast("ConversationView", ctx.conversation)
    said = _transcript(await view.messages(last=_LOOK), agent)
    question = f"Should {agent} {_QUESTIONS[ctx.action]}? Answer with YES or NO and nothing else."
    reply = await ctx.model.ask({"messages": [{"role": "user", "content": f"{said}\n\n{question}"}]})
    answer = yes_or_no(_text_of(reply))
    if answer is None:
        raise TryAgain(reason="the model was asked for YES or NO and answered neither")
    return answer


def _transcript(messages: list[dict[str, Any]], agent: str) -> str:
    """What was said, a line for each message; as one text, since calls without results are no request's messages."""
    names = {"user": "user", "assistant": agent}
    spoken = [
        (names[message["role"]], text)
        for message in messages
        if message.get("role") in names and (text := text_of(message).strip())
    ]
    return "\n".join(f"{name}: {' '.join(text.split())[:_LONGEST]}" for name, text in spoken)


def _text_of(reply: dict[str, Any]) -> str:
    """The text of a raw reply, as OpenAI's or as Anthropic's API writes it; "" if it has none."""
    match reply:
        case {"choices": [{"message": {} as message}, *_]}:
            return text_of(message)
        case _:
            return text_of(reply)


def _told(state: str) -> str:
    return f"this conversation is {state}" if state else "this conversation is neither followed nor muted"
