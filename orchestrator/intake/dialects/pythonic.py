"""Pythonic calls: `[f(a=1), g(b="x")]` on a line of its own, or bare calls that are the whole reply.

Llama's `<|python_start|>` tokens and fences are read too; bare calls in a fence count where its language asks for calls
(`tool_code`) or where the fence is the whole reply. What cannot be read is an error only where it is no prose.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import NO_END
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts.places import ends_line, ends_text, starts_line
from orchestrator.intake.parts.python_calls import NAME, Found, calls_at, is_sure
from orchestrator.intake.parts.taken import Opening, Taken

_ASKS: Final = ("tool_code", "tool_call", "tool_calls", "tool_use", "function_call", "function_calls")
_FENCE: Final = rf"```(?:{'|'.join(_ASKS)}|python3?|py|json|JSON|te?xt|plaintext)?(?!\w)"
_COMMENTED: Final = r"(?:\s|#[^\n]*+\n)*+"
_OPENING: Final = rf"{_FENCE}{_COMMENTED}(?=(?:\[\s*+)?{NAME}\()|\[\s*+(?={NAME}\()|<\|python_start\|>"
_HEAD: Final = re.compile(rf"(?:```(\w*)|<\|python_start\|>){_COMMENTED}")
_FENCE_END: Final = re.compile(rf"[;,]?{_COMMENTED}```")
_TOKEN_END: Final = re.compile(r"\s*+<\|python_end\|>")
_CUT: Final = re.compile(r"[\s;,]*+\Z")
_BEGINS: Final = re.compile(rf"{NAME}\(")
_NO_LIST: Final = re.compile(r"[(\[:]")
_NO_WORD: Final = re.compile(r"[_.]|[a-z][A-Z]")
"""What the name of a function has, and a word of prose has not."""
_VALUE: Final = re.compile(r"\s*+[\"'{\[]")
"""How an argument begins that no prose would have."""


def take(opening: Opening) -> Taken | None:
    """Read the list, fence or token that begins here."""
    text, at = opening.text, opening.at
    head = _HEAD.match(text, at)
    if head is None:
        return _listed(text, at, fresh=opening.fresh)
    if head[1] is None:
        return _marked(text, head.end())
    return _fenced(text, head, fresh=opening.fresh)


def _listed(text: str, at: int, *, fresh: bool) -> Taken | None:
    """A list in a text: on a line of its own, or at the end of one that announces it with a colon."""
    sure, own = is_sure(text, at), starts_line(text, at)
    if not (fresh or (sure and (own or starts_line(text, at, announced=True)))):
        return None
    found = calls_at(text, at)
    if found is None:
        return None
    if not sure:
        alone = found.whole and fresh and ends_text(text, found.end)
        return Taken(found.end, found.calls) if alone else None
    if found.whole and _NO_LIST.match(text, found.end):
        return Taken(found.end, shown=True)
    if not (own or fresh or ends_line(text, found.end) is not None):
        return Taken(found.end, shown=True)
    return Taken(found.end, found.calls)


def _marked(text: str, at: int) -> Taken | None:
    found = calls_at(text, at)
    if found is None:
        return None
    end = _TOKEN_END.match(text, found.end)
    return Taken(end.end() if end else found.end, found.calls)


def _fenced(text: str, head: re.Match[str], *, fresh: bool) -> Taken | None:
    asks = head[1].lower() in _ASKS
    sure, listed = is_sure(text, head.end()), text.startswith("[", head.end())
    if not (asks or (sure and listed) or (fresh and (sure or listed))):
        return None  # a sample, which need not be read
    found = calls_at(text, head.end(), prints=asks)
    if found is None:
        return None
    close = _FENCE_END.match(text, found.end)
    cut = close is None and bool(_CUT.match(text, found.end))
    end = close.end() if close else found.end
    alone = fresh and (cut or ends_text(text, end))
    if not (close or cut):  # there is something else in it: a sample, or calls that cannot be read
        if found.whole or not (found.sure and (asks or found.listed)):
            return None
        mark = text.find("```", found.end)
        end = mark + 3 if mark >= 0 else found.end
    elif not (asks or (found.listed and found.sure) or (alone and (found.listed or found.sure))):
        return None
    return Taken(end, _unended(found) if cut and found.whole else found.calls)


def _unended(found: Found) -> list[Call]:
    """The calls of a fence whose end is missing; the last one says so."""
    last = found.calls[-1]
    return [*found.calls[:-1], last.model_copy(update={"repaired": (*last.repaired, NO_END)})]


def whole(text: str, at: int) -> Taken | None:
    """Read bare calls that are all that there is from `at` on."""
    found = calls_at(text, at)
    if found is None:
        return None
    if not ends_text(text, found.end):
        return Taken(found.end, found.calls) if found.sure and not found.whole else None
    if not found.sure and (not found.whole or _is_prose(found)):
        return None
    return Taken(len(text), found.calls)


def _is_prose(found: Found) -> bool:
    """Whether unsure calls are formulas, citations or Python rather: O(n), Smith(2020), print("x")."""
    return all(
        one.error is not None
        and (one.name == "print" or not (_NO_WORD.search(one.name) or _VALUE.match(one.raw)))
        for one in found.calls
    )


DIALECT: Final = Dialect(
    name="pythonic",
    also=("fence.pythonic",),
    opening=_OPENING,
    first="`[<",
    take=take,
    begins=_BEGINS,
    whole=whole,
)
