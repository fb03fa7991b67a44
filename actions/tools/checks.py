"""Names, keys and lengths: a tool before it is anybody's and a provider's limits in, what does not fit out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from actions.tools.form import Form
from actions.tools.plain import Plain, Problem

_TOP: Final = ("$ref", "allOf", "anyOf", "enum", "not", "oneOf")


def problems_of(plain: Plain, form: Form) -> Iterator[Problem]:
    """What of one tool the provider would refuse, whatever its schema is written in."""
    name = plain.name
    if not form.names.fullmatch(name):
        yield Problem(
            name, "", f"{form.name} takes no such name, only {form.names.pattern}: rename the action"
        )
    if form.described and not plain.description.strip():
        yield Problem(name, "", f"{form.name} takes no tool without a description: write a docstring")
    length = len(plain.description)
    if form.longest is not None and length > form.longest:
        yield Problem(
            name,
            "",
            f"its description has {length:,} characters, and some models of {form.name} refuse more than "
            f"{form.longest:,}: shorten the docstring, or give a description of its own",
        )
    if form.plain_top:
        for keyword in sorted(plain.parameters.keys() & set(_TOP)):
            yield Problem(
                name, "", f"{form.name} takes no {keyword} at the top of a schema: move it into an argument"
            )
    if form.keys is not None:
        for field in dict.fromkeys(_keys(plain.parameters, "")):
            if not form.keys.fullmatch(field.rpartition("\x00")[2]):
                shown = field.replace("\x00", "")
                text = (
                    f"{form.name} takes no such key, only {form.keys.pattern}: rename it, or give it an alias"
                )
                yield Problem(name, shown, text)


def problems_together(names: Sequence[str], form: Form) -> Iterator[Problem]:
    """What is wrong with all tools of one request together."""
    if form.most is not None and len(names) > form.most:
        text = f"{len(names):,} tools are more than the {form.most:,} that {form.name} takes: offer fewer at a time"
        yield Problem("", "", text)
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(
                name, "", f"{count} tools have this name: a model could not tell them apart; rename one"
            )


def _keys(node: Any, field: str) -> Iterator[str]:
    """The ways to all keys of arguments; a zero character stands before the last part of each."""
    if isinstance(node, list):
        for each in node:
            yield from _keys(each, field)
        return
    if not isinstance(node, dict):
        return
    for name, each in node.get("properties", {}).items():
        way = f"{field}." if field else ""
        yield f"{way}\x00{name}"
        yield from _keys(each, f"{way}{name}")
    for name, each in node.get("$defs", {}).items():
        yield from _keys(each, name)
    for key, inner in (("items", "[]"), ("prefixItems", "[]"), ("additionalProperties", ".*"), ("anyOf", "")):
        yield from _keys(node.get(key), f"{field}{inner}")
