"""The texts that a docstring gives to an action and its parameters.

In: a docstring in Google style or reST (numpydoc is read too). Out: a description and one text for each
parameter that it explains. A docstring that cannot be parsed is a description as it stands: it never stops
a declaration.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import docstring_parser


class Texts(NamedTuple):
    """What a docstring says."""

    description: str
    """The summary and what follows it, without the sections on parameters, results and errors."""
    parameters: dict[str, str]
    """One text for each parameter that is explained, on one line."""


def texts(function: Any) -> Texts:
    """Return the texts of a callable's own docstring; empty ones when it has none."""
    doc = inspect.getdoc(function) if inspect.isroutine(function) else None
    if not doc:
        return Texts("", {})
    try:
        parsed = docstring_parser.parse(doc)
    except docstring_parser.ParseError:
        return Texts(doc, {})
    parts = (parsed.short_description, parsed.long_description)
    explained = {each.arg_name: " ".join((each.description or "").split()) for each in parsed.params}
    return Texts("\n\n".join(part for part in parts if part), {k: v for k, v in explained.items() if v})
