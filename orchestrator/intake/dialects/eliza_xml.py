"""Eliza's XML: `<response><thought>…</thought><actions>A,B</actions><params>…</params><text>…</text></response>`.

The names are calls in their order, REPLY and IGNORE too: what they mean is for the actions. `<params>` holds the
arguments as JSON or as elements, by the action's name where there are several; an `<action>` may hold its own `<name>`
and `<params>`. The text is what people see, the thought is not shown. Anything else between the elements, or one of
them twice, makes the calls malformed; without the end tag of the response they are truncated.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import Repeated, Unreadable, decode, is_object, marked
from orchestrator.intake.calls import MAX_NAME, broken, call
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.parts.places import starts_line
from orchestrator.intake.parts.taken import Opening, Taken
from orchestrator.intake.parts.xml_elements import decoded, untyped
from orchestrator.intake.parts.xml_sections import TAG, Element, Sections, sections, within

_OPENING: Final = r"<response>|<actions>|<action>\s*+<name>"
_CDATA: Final = re.compile(r"\s*+<!\[CDATA\[(.*)\]\]>\s*+", re.DOTALL)
_SECTION: Final = re.compile(
    r"\s*+(?=<(?:thought|actions?|params|parameters|providers|text|message|evaluators|name|reasoning)\b)"
)
_CLOSE: Final = re.compile(r"\s*+<(/)response>")
_AROUND: Final = re.compile(r"<(/?)response>")
_NESTED: Final = re.compile(r"<response>\s*+<")
_ASKS: Final = re.compile(r"<actions?\b")
_SPLIT: Final = re.compile(r"[,\n]")
_NAME: Final = re.compile(rf"[^\s<>{{}}\[\]\"](?:[^<>{{}}\[\]\"\n,]{{0,{MAX_NAME - 1}}}+)")
_ACTIONS: Final = ("actions", "action")
_PARAMS: Final = ("params", "parameters", "arguments", "args", "input")
_SHOWN: Final = ("text", "message")
_ELSE: Final = "something else stands between its elements"


def take(opening: Opening) -> Taken | None:
    """Read the response that begins here, or the actions that stand there without one."""
    text, at = opening.text, opening.at
    if text.startswith("<response>", at):
        return _response(text, at + len("<response>"))
    return _loose(text, at) if starts_line(text, at) else None


def _response(text: str, at: int) -> Taken | None:
    if _SECTION.match(text, at) is None:
        return None
    body = sections(text, at, around="response")
    if not body.cut and (close := _CLOSE.match(text, body.end)):
        nested = any(_NESTED.search(one.inner) for one in body.all(*_SHOWN, "thought"))
        return _refused(body, "", close.end(), _ELSE) if nested else _taken(body, close.end())
    # Behind an element that is not closed another response may be part of it.
    end = (_CLOSE if body.cut else _AROUND).search(text, body.end)
    if end is not None and end[1]:
        why = f"the end tag of <{body.cut}> is missing" if body.cut else _ELSE
        return _refused(body, text[body.end : end.start()], end.end(), why)
    stop = end.start() if end else len(text)
    why = f"its end tag </{body.cut or 'response'}> is missing"
    return _refused(body, text[body.end : stop], stop, why, truncated=True)


def _loose(text: str, at: int) -> Taken | None:
    """Elements that stand there without the beginning of the one around them, each on a line of its own.

    Where its end is missing too, only what holds all of its own is certain: arguments might still follow `<actions>`.
    """
    body = sections(text, at, known=_SECTION)
    if body.cut and body.get("actions") is None and body.cut != "actions":
        return _refused(body, "", len(text), f"the end tag of <{body.cut}> is missing", truncated=True)
    if body.cut:
        return Taken(at + 1, shown=True, last=True)  # nowhere in the rest is there an end of such an element
    if close := _CLOSE.match(text, body.end):
        return _taken(body, close.end())
    if body.get("action") is not None and body.get("actions", *_PARAMS) is None:
        return _taken(body, body.end)
    return Taken(max(body.end, at + 1), shown=True)


def _taken(body: Sections, end: int) -> Taken:
    shown = body.get(*_SHOWN)
    return Taken(end, _calls(body), _plain(shown.inner) if shown else "")


def _refused(body: Sections, rest: str, end: int, why: str, *, truncated: bool = False) -> Taken:
    """A response that is not whole, or in which there is something else: none of its calls runs."""
    calls = [
        broken(one.name, why, truncated=truncated, raw=one.raw) if one.error is None or truncated else one
        for one in _calls(body)
    ]
    if not calls and (_ASKS.search(rest) or body.cut in _PARAMS):
        calls = [broken("", why, truncated=truncated)]
    shown = body.get(*_SHOWN)
    told = (
        _plain(shown.inner)
        if shown
        else ""
        if truncated or body.cut not in _SHOWN
        else _plain(rest.partition(">")[2])
    )
    return Taken(end, calls, told)


def _calls(body: Sections) -> list[Call]:
    """The calls of the names in a response, with the arguments that stand beside them."""
    asked, given = body.all(*_ACTIONS), body.all(*_PARAMS)
    if len(asked) > 1 and not given and all(one.name.lower() == "action" for one in asked):
        return [_own(one, None) for one in asked]
    if not asked:
        return []
    if len(asked) > 1 or len(given) > 1:
        why = "its actions stand twice" if len(asked) > 1 else "its arguments stand twice"
        return [broken(name, why) for each in asked for name in _shown(each)]
    return _asked(asked[0], given[0] if given else None)


def _shown(asked: Element) -> list[str]:
    """The names in an element for the errors of what cannot be read: at least one."""
    inner = within(asked.inner)
    own = inner.get("name", "action")
    return [one[:MAX_NAME] for one in _names(own.inner if own else asked.inner)] or [""]


def _asked(asked: Element, given: Element | None) -> list[Call]:
    entries = within(asked.inner)
    if entries.get("name"):
        return [_own(asked, given)]
    if entries.cut or (
        entries.elements and (entries.rest or len(entries.all("action")) < len(entries.elements))
    ):
        return [broken("", "beside the actions in it stands something else")]
    if len(entries.elements) > 1 and given is not None:
        return _named([_plain(one.inner) for one in entries.elements], given.inner)
    if entries.elements:
        return [_own(one, given) for one in entries.elements]
    return _named(_names(asked.inner), given.inner if given else "")


def _own(entry: Element, beside: Element | None) -> Call:
    """The call of an element of its own: `<action>NAME</action>`, or with `<name>` and `<params>` in it."""
    inner = within(entry.inner)
    if not inner.elements and not inner.cut:
        return _with(_plain(entry.inner), beside.inner if beside else "")
    names, given = inner.all("name", "action"), inner.all(*_PARAMS)
    told = _plain(names[0].inner) if names else ""
    if beside is not None:
        given.append(beside)
    if not inner.pure or len(names) != 1 or len(given) > 1:
        why = "it has no single name, its arguments stand twice, or something else stands in it"
        return broken(told[:MAX_NAME], why, raw=entry.inner[:MAX_RAW])
    return _with(told, given[0].inner if given else "")


def _names(written: str) -> list[str]:
    plain = _plain(written)
    if plain.startswith("[") and plain.endswith("]"):
        plain = plain[1:-1]
    names = [name.strip().strip("\"'`-").strip() for name in _SPLIT.split(plain)]
    return [name for name in names if name][: MAX_LISTED + 1]


def _named(names: list[str], given: str) -> list[Call]:
    """The calls of a list of names; arguments of several are found by the name."""
    if len(names) == 1:
        return [_with(names[0], given)]
    try:
        table = _arguments(given)
    except Unreadable as error:
        return [
            broken(name, f"its arguments cannot be read ({error})", raw=given[:MAX_RAW]) for name in names
        ]
    why = "" if table.keys() <= set(names) else "the params beside several actions do not say whose they are"
    if isinstance(table, Repeated) or any(names.count(name) > 1 for name in table):
        why = "its arguments or the name that they are for stand twice"
    if why:
        return [broken(name, why, raw=given[:MAX_RAW]) for name in names]
    return [_with(name, "", table.get(name, {})) for name in names]


def _with(name: str, given: str, known: Any = None) -> Call:
    """The call of a name with its arguments as written, or as they are known."""
    if not _NAME.fullmatch(name):
        return broken(name[:MAX_NAME], "it has no readable name")
    if known is not None:
        return call(name, known)
    try:
        table = _arguments(given)
    except Unreadable as error:
        if given.lstrip().startswith("{"):
            return call(name, decoded(given))  # it is mended there, or refused
        return broken(
            name, f"its arguments cannot be read ({error})", truncated=error.truncated, raw=given[:MAX_RAW]
        )
    own = table.get(name)
    inside = len(table) == 1 and is_object(own) and not isinstance(table, Repeated)
    return call(name, own if inside else table, raw=given[:MAX_RAW])


def _arguments(given: str, room: int = 2) -> dict[str, Any]:
    """Arguments as JSON or as elements; elements in elements are those of one action."""
    plain = given.strip()
    if plain.startswith("{"):
        value = decode(decoded(plain))
        return value if is_object(value) else {}
    body = within(given)
    if not body.pure:
        raise Unreadable("between the tags of its params stands something else")
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for one in body.elements:
        twice.update({one.name} & found.keys())
        if TAG.match(one.inner) and room > 1:
            found[one.name] = _arguments(one.inner, room - 1)
        elif one.inner.strip().startswith("{") and room > 1:
            found[one.name] = untyped(decoded(one.inner))
        else:
            found[one.name] = untyped(_plain(one.inner))
    return marked(found, twice) if twice else found


def _plain(written: str) -> str:
    """A text without the marks of a CDATA section or with its entities decoded."""
    data = _CDATA.fullmatch(written)
    return data[1] if data else decoded(written).strip()


DIALECT: Final = Dialect(name="eliza.xml", continues=False, opening=_OPENING, first="<", take=take)
