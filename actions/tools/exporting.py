"""Actions in, the tools of one provider out, and what of them it would refuse or not understand.

A ready schema, of a tool that is not ours, is passed on as it is: its author knows whose it is. What no model may call
is left out, whoever asks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.definition import Action
from actions.errors import DeclarationError
from actions.tools import anthropic, gemini, mcp, openai, openai_strict
from actions.tools.checks import problems_of, problems_together
from actions.tools.form import Form
from actions.tools.plain import Plain, Problem, Tool

_FORMS: Final[dict[str, Form]] = {
    form.name: form for form in (openai.FORM, openai_strict.FORM, anthropic.FORM, gemini.FORM, mcp.FORM)
}
FORMATS: Final = tuple(_FORMS)
"""The names of the formats."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Tools for one provider."""

    format: str
    """Whose they are."""
    tools: list[dict[str, Any]]
    """What stands under `tools` in a request (of MCP: in the answer of `tools/list`)."""
    problems: tuple[Problem, ...]
    """What the provider would refuse, and what had to be said in another way than was asked for."""


def export(offered: Iterable[Action | Mapping[str, Any]], format: str = "openai") -> Exported:  # noqa: A002 - the word
    """Return actions and ready schemas as tools, in their order.

    Raises:
        DeclarationError: there is no such format.
    """
    form = _FORMS.get(format)
    if form is None:
        raise DeclarationError(f"there is no format {format!r:.80}; there are {', '.join(FORMATS)}")
    tools: list[Tool] = []
    names: list[str] = []
    problems: list[Problem] = []
    for each in offered:
        if not isinstance(each, Action):
            tools.append(copy.deepcopy(dict(each)))
            names += _name_of(each)
        elif each.offered:
            plain = Plain.of(each)
            tool, told = form.shape(plain)
            tools.append(tool)
            names.append(plain.name)
            problems += (*problems_of(plain, form), *told)
    problems += problems_together(names, form)
    return Exported(form.name, form.wrapped(tools), tuple(problems))


def _name_of(ready: Mapping[str, Any]) -> list[str]:
    """The name by which a model would call a ready tool; none for those that have no such name."""
    inner = ready.get("function")
    name = inner.get("name") if isinstance(inner, Mapping) else ready.get("name")
    return [name] if isinstance(name, str) else []
