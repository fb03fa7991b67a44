r"""ReAct: `Action: NAME` with `Action Input: ...` on the next line, or `Action 2: NAME[input]`.

An input that is an object is the arguments; any other text is the one argument `input`. What the model wrote after its
own `Observation:` never happened: none of it runs or is shown. `Finish[...]` and `Final Answer:` are the answer.
Thoughts stay visible, `Action: None` asks for nothing, and notes such as "Action: call Bob" are prose.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import Unreadable, decode
from orchestrator.intake.calls import MAX_NAME, broken, call
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.objects import calls_in, text_in
from orchestrator.intake.parts.json_values import read_at
from orchestrator.intake.parts.places import starts_line
from orchestrator.intake.parts.python_calls import calls_at, is_sure
from orchestrator.intake.parts.taken import Opening, Taken
from orchestrator.intake.strict import OPEN, closing

_NUMBER: Final = r"(?:[^\S\n]?\d{1,3})?+"
_COLON: Final = r"(?:\*\*)?:(?:\*\*)?"
_OPENING: Final = rf"(?:\*\*)?(?:Action{_NUMBER}(?:[^\S\n]?Input)?+|Observation){_NUMBER}{_COLON}"
_HEAD: Final = re.compile(
    rf"(?:\*\*)?(?:(Observation)|Action{_NUMBER}([^\S\n]?Input)?+){_NUMBER}{_COLON}\s*+"
)
_NAME: Final = re.compile(
    rf"[`\"'\[*]{{0,2}}([^\n\[\](){{}}:`\"'*]{{1,{MAX_NAME}}}+)[`\"'\]*]{{0,2}}[^\S\n]*+(?=\n|\Z)"
)
_BRACKET: Final = re.compile(r"([A-Za-z_][\w-]{0,80}+)\[([^\n]*)\][^\S\n]*+\.?[^\S\n]*+(?=\n|\Z)")
_OPEN_BRACKET: Final = re.compile(r"([A-Za-z_][\w-]{0,80}+)\[[^\n]*+")
_INPUT: Final = re.compile(rf"\s*+(?:\*\*)?Action{_NUMBER}[^\S\n]?Input{_NUMBER}{_COLON}[^\S\n]*+")
_STOP: Final = re.compile(
    rf"\n\s*+(?:\*\*)?(?:Observation{_NUMBER}|Action{_NUMBER}|Thought{_NUMBER}|Final Answer|Question){_COLON}"
    r"|<\|im_end\|>|</s>"
)
_OBSERVED: Final = re.compile(rf"\s*+(?:\*\*)?Observation{_NUMBER}{_COLON}")
_ANSWERED: Final = re.compile(rf"\s*+(?:Thought:[^\n]*+\s*+)?(?:\*\*)?Final Answer{_COLON}")
_OBJECT: Final = re.compile(r"\s*+(```\w{0,20}+\s*+)?(?=[{\[]\s*+[{\"'}])")
_FENCE_END: Final = re.compile(r"\s*+```")
_UNCLOSED: Final = re.compile(r"\Z|\"[^\"]*+\Z|`{1,2}\Z|```(?:(?!```)[\s\S])*+\Z")
_LINE_END: Final = re.compile(r"[^\S\n]*+(?:\n|\Z)")
_NONE: Final = ("none", "n/a", "null", "no action", "no action needed")
_FINISH: Final = ("finish", "final answer")
_LOOK: Final = 4_096
"""Characters before a place in which other steps are looked for."""


def take(opening: Opening) -> Taken | None:
    """Read the step that begins here."""
    text, at = opening.text, opening.at
    head = _HEAD.match(text, at)
    if head is None or not starts_line(text, at) or _before(text, at, "inal Answer:"):
        return None
    if head[1]:
        acted = _before(text, at, "Action") and (
            _before(text, at, "Thought") or _before(text, at, "Action Input")
        )
        return Taken(len(text)) if acted else None
    if head[2]:
        return _nameless(text, at, head.end()) if _before(text, at, "Thought") else None
    return _asked(text, at, head.end())


def _asked(text: str, at: int, here: int) -> Taken | None:
    """Read what an action's mark stands before."""
    if (found := _written(text, here)) is not None:
        return _after(text, *found)
    if bracket := _BRACKET.match(text, here):
        return _step(text, bracket[1], bracket[2], bracket.end())
    if cut := _OPEN_BRACKET.match(text, here):
        one = broken(
            cut[1], "its bracket ] is missing", truncated=cut.end() >= len(text), raw=cut[0][:MAX_RAW]
        )
        return _after(text, [one], cut.end())
    return _named(text, at, here)


def _before(text: str, at: int, word: str) -> bool:
    return text.rfind(word, max(0, at - _LOOK), at) >= 0


def _named(text: str, at: int, here: int) -> Taken | None:
    """A name on its line; its input stands on the next."""
    name = _NAME.match(text, here)
    if name is None:
        return None
    told = name[1].strip()
    given = _INPUT.match(text, name.end())
    if told.lower() in _NONE:
        return Taken(given.end() if given else name.end(), shown=True)
    if given is not None:
        return _given(text, told, given.end())
    if " " in told or not _before(text, at, "Thought"):
        return None  # a note for people
    one = broken(told, "its Action Input is missing", truncated=not text[name.end() :].strip())
    return _after(text, [one], name.end())


def _nameless(text: str, at: int, here: int) -> Taken:
    stop = _STOP.search(text, here)
    end = stop.start() if stop else len(text)
    return _after(text, [broken("", "its Action is missing", raw=text[at : min(end, at + MAX_RAW)])], end)


def _written(text: str, here: int) -> tuple[list[Call], int, str | None] | None:
    """The calls of a step that is JSON or Python; None if it is neither."""
    if is_sure(text, here) and (found := calls_at(text, here)) is not None:
        return found.calls, found.end, None
    head = _OBJECT.match(text, here)
    if head is None:
        return None
    try:
        value, end, mended = read_at(text, head.end(), tolerant=True)
    except Unreadable:
        return None
    calls = calls_in(value, alone=True, repaired=mended)
    if calls is None:
        return None
    fence = _FENCE_END.match(text, end) if head[1] else None
    return calls, fence.end() if fence else end, text_in(value)


def _given(text: str, name: str, here: int) -> Taken:
    """Read the input at `here`: an object, perhaps fenced, or a text up to the next step."""
    head = _OBJECT.match(text, here)
    if head is not None and text.startswith("{", head.end()):
        return _object(text, name, head.end(), fenced=bool(head[1]))
    stop = _STOP.search(text, here)
    end = stop.start() if stop else len(text)
    if _UNCLOSED.match(text, here, end) and end == len(text):
        return Taken(
            end, [broken(name, "its input is cut off", truncated=True, raw=text[here : here + MAX_RAW])]
        )
    return _step(text, name, text[here:end], end)


def _object(text: str, name: str, start: int, *, fenced: bool) -> Taken:
    try:
        value, end, mended = read_at(text, start, tolerant=True)
    except Unreadable as error:
        end = closing(text, start)
        cut = end == OPEN
        end = end if end > 0 else len(text)
        why = f"its input {'is cut off' if cut else 'cannot be read'} ({error})"
        return _after(
            text, [broken(name, why, truncated=cut, raw=text[start : min(end, start + MAX_RAW)])], end
        )
    raw = text[start : min(end, start + MAX_RAW)]
    close = _FENCE_END.match(text, end) if fenced else None
    end = close.end() if close else end
    if not _LINE_END.match(text, end):
        stop = _STOP.search(text, end)
        end = stop.start() if stop else len(text)
        return _after(text, [broken(name, "there is more than one object in its input", raw=raw)], end)
    return _after(text, [call(name, value, raw=raw, repaired=mended)], end)


def _step(text: str, name: str, written: str, end: int) -> Taken:
    """Make the call whose input is a text."""
    told = written.strip()
    if told.startswith("{"):
        return _after(text, [call(name, told)], end)
    if told[:1] == '"' == told[-1:]:
        told = _unquoted(told)
    if name.lower() in _FINISH:
        return Taken(len(text) if _OBSERVED.match(text, end) else end, text=told)
    given = {"input": told} if told and told != "null" else {}
    return _after(text, [call(name, given, raw=written[:MAX_RAW])], end)


def _unquoted(told: str) -> str:
    try:
        value = decode(told)
    except Unreadable:
        return told
    return value if isinstance(value, str) else told


def _after(text: str, calls: list[Call], end: int, shown: str | None = None) -> Taken:
    """What was read, and the rest of it: what follows an observation that the model made up is dropped."""
    if _OBSERVED.match(text, end):
        return Taken(len(text), calls, shown)
    if _ANSWERED.match(text, end):
        why = "a Final Answer follows it: either an action is wanted or the answer"
        return Taken(end, [broken(one.name, why, raw=one.raw) for one in calls], shown)
    return Taken(end, calls, shown)


DIALECT: Final = Dialect(name="react", opening=_OPENING, first="A*O", take=take)
