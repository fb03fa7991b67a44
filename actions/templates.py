"""The templates that keys of limits and locks are made of: `orders:{principal}:{ticker}`.

In: a declared text; later whose run it is and the run's params. Out: a key without spaces. Two runs get the same key
only if they agree in every placeholder: a value is quoted so that it cannot hold a colon or imitate another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import quote

from actions.canonical import canonical, plain
from actions.errors import DeclarationError

SERVER_OWNED: Final = ("action", "principal", "tenant", "conversation")
"""Placeholders that no argument can set; they win over parameters of the same name."""
MISSING: Final = "-"
"""Stands for a principal, a tenant or a parameter's value that is not there."""

PARAMETER: Final = 0
PRINCIPAL: Final = 1
TENANT: Final = 2
EVERYTHING: Final = 3
"""The scopes, narrow to wide. A conversation is as narrow as a parameter."""

_SCOPES: Final = {
    "conversation": PARAMETER, "principal": PRINCIPAL, "tenant": TENANT, "action": EVERYTHING,
}  # fmt: skip
_LONGEST: Final = 64
_LITERAL: Final = re.compile(r"[A-Za-z0-9._~@:-]*")
_NAME: Final = re.compile(r"(?:params\.)?[A-Za-z_][A-Za-z0-9_]*")
_HOLE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, read and checked."""

    text: str
    """As it was written."""
    parts: tuple[tuple[str, str], ...]
    """A piece of text and the placeholder behind it, "" for none; a parameter's is `params.NAME`."""

    @classmethod
    def read(cls, text: Any) -> Template:
        """Read a template.

        Raises:
            DeclarationError: it is no text, or holds what no key can.
        """
        if not isinstance(text, str):
            raise DeclarationError(f"a key has to be a text, not {text!r}")
        pieces = _HOLE.split(text)
        literals, holes = pieces[::2], [*pieces[1::2], ""]
        for literal in literals:
            if not _LITERAL.fullmatch(literal):
                raise DeclarationError(
                    f"the key {text!r} may hold letters, digits, . _ ~ @ : - and placeholders such as {{principal}}"
                )
        for hole in holes[:-1]:
            if not _NAME.fullmatch(hole):
                raise DeclarationError(f"the key {text!r} has the placeholder {{{hole}}}, which is no name")
        named = [hole if hole in SERVER_OWNED or not hole else _parameter(hole) for hole in holes]
        return cls(text, tuple(zip(literals, named, strict=True)))

    @property
    def scope(self) -> int:
        """The narrowest scope that it names, from 0 (a parameter or the conversation) to 3 (none)."""
        return min((_SCOPES.get(hole, PARAMETER) for _, hole in self.parts if hole), default=EVERYTHING)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it names."""
        return tuple(hole.partition(".")[2] for _, hole in self.parts if "." in hole)

    @property
    def needs_conversation(self) -> bool:
        """Whether it has no key for a run without conversation."""
        return any(hole == "conversation" for _, hole in self.parts)

    def check(self, action: str, parameters: Iterable[str]) -> None:
        """Raise DeclarationError for a placeholder that is no parameter of the action, or one without its braces."""
        known = set(parameters)
        if bare := self._bare({*SERVER_OWNED, *known}):
            raise DeclarationError(
                f"{action}: {bare!r} in the key {self.text!r} is the same for everybody: "
                f"write '{{{bare}}}' for one each, or another word"
            )
        if unknown := [name for name in self.parameters if name not in known]:
            wishes = ", ".join((*SERVER_OWNED, *sorted(known)))
            raise DeclarationError(
                f"{action}: the key {self.text!r} names {', '.join(unknown)}; a placeholder is one of {wishes}"
            )

    def expand(
        self, owned: Mapping[str, str | None], params: Mapping[str, Any], *, apart: bool = False
    ) -> str:
        """Return the key for these values; `params` are the fields of the run's params by name.

        A principal is somebody within a tenant: where the key names one, runs of a named tenant have a key of their own
        (`:~tenant` behind it). `apart`: they have, whatever it names.
        """
        told: list[str] = []
        for literal, hole in self.parts:
            told.append(literal)
            if hole:
                _, dot, name = hole.partition(".")
                told.append(word(params[name] if dot else owned[hole]))
        holes = {hole for _, hole in self.parts}
        tenant = owned.get("tenant")
        if tenant and "tenant" not in holes and (apart or "principal" in holes):
            told.append(f":~{word(tenant)}")
        return "".join(told)

    def may_equal(self, other: Template) -> bool:
        """Whether some values could give both the same key."""
        mine, theirs = self._levels(), other._levels()
        return len(mine) == len(theirs) and all(
            one is None or another is None or one == another
            for one, another in zip(mine, theirs, strict=True)
        )

    def _bare(self, names: Iterable[str]) -> str:
        """A name that stands between colons as a plain word, "" for none; before more it may well be a label."""
        levels = self._levels()
        held = {hole.rpartition(".")[2] for _, hole in self.parts}
        bare = (level for level in (levels[1:] or levels) if level in set(names) - held)
        return next((level for level in bare if level), "")

    def _levels(self) -> list[str | None]:
        """The texts between its colons, None for one that holds a placeholder (no value holds a colon)."""
        marked = "".join(literal + ("\0" if hole else "") for literal, hole in self.parts)
        return [None if "\0" in level else level for level in marked.split(":")]


def word(value: Any) -> str:
    """Return a value as letters, digits and `. _ ~ @ - %`, at most 65 of them; different values, different words."""
    found = plain(value)
    if found is None:
        return MISSING
    text = found if isinstance(found, str) else canonical(found)
    if len(text) > _LONGEST or len(quoted := quote(text, safe="@", errors="surrogatepass")) > _LONGEST:
        return "~" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    if quoted[:1] == "~":  # only digests begin so
        return "%7E" + quoted[1:]
    return "%2D" if quoted == MISSING else quoted


def _parameter(hole: str) -> str:
    return hole if hole.startswith("params.") else f"params.{hole}"
