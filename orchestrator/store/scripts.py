"""Lua files in, callable scripts out: headers checked, shared parts joined in, sent by hash.

A script is `lua/<name>.lua`. Its header says what it needs (`-- NEEDS:`, files of `lua/shared/`, joined in that
order), its KEYS, ARGV and RETURNS; a file without one is refused when loaded, so that the legend stays true. Parts in
[brackets] become the body of one function, `ladder()`, which hands out the table `G` that parts put their functions
into: defining all of them costs 15 µs a call, and most calls never need them. Parts in {braces} become another one,
`rarely()`, for what only few runs of few conversations have: chains, approvals, follow-ups.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

_HEADER: Final = ("NEEDS", "KEYS", "ARGV", "RETURNS")
_LATE: Final = {
    "[": "ladder = function()\nladder = function() return G end",
    "]": "return G\nend",
    "{": "rarely = function()\nladder()\nrarely = function() return G end",
    "}": "return G\nend",
}
"""What brackets and braces in NEEDS stand for."""


@dataclass(frozen=True, slots=True)
class Script:
    """One transition as it is sent to Redis."""

    name: str
    """The file's name without its ending."""
    source: str
    """The whole text: the shared parts it needs, then its own."""
    sha: str
    """SHA-1 of the source, by which Redis knows it once it was loaded."""


class BadScript(Exception):
    """A Lua file lacks a part of its header or names a shared part that does not exist."""


def join(name: str, text: str, shared: dict[str, str]) -> Script:
    """Check the header of a script's text and put the shared parts in front of it.

    Raises:
        BadScript: the header lacks a line, or names an unknown part.
    """
    head = dict(re.findall(r"^-- ([A-Z]+):(.*)$", text, flags=re.MULTILINE))
    missing = [line for line in _HEADER if line not in head]
    if missing:
        raise BadScript(f"{name}.lua has no header line {', '.join(missing)}")
    needs = re.sub(r"([\[\]{}])", r" \1 ", head["NEEDS"]).split()
    unknown = [part for part in needs if part not in shared and part not in _LATE]
    if unknown:
        raise BadScript(f"{name}.lua needs {', '.join(unknown)}, which lua/shared does not have")
    source = "\n".join([*(_LATE.get(part) or shared[part] for part in needs), text])
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@cache
def load() -> dict[str, Script]:
    """All scripts of this package by name; read once for each process."""
    folder = files(__package__) / "lua"
    shared = {entry.name.removesuffix(".lua"): entry.read_text() for entry in (folder / "shared").iterdir()}
    return {
        name: join(name, entry.read_text(), shared)
        for entry in folder.iterdir()
        if (name := entry.name.removesuffix(".lua")) != entry.name
    }
