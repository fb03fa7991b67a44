"""Modules of actions: a name in, the module out, or an error that says in which line of which file something is wrong.

What is declared wrongly is found deep in this package; its author knows the line in which it was written.
"""

from __future__ import annotations

import importlib
import inspect
import re
import traceback
from difflib import get_close_matches
from types import ModuleType
from typing import Final

from actions.errors import ConfigError, DeclarationError
from actions.limits import Dedupe, Lock, RateLimit
from actions.policy import Isolation, Retry, Timeouts

_HOUSE: Final = frozenset({"actions", "orchestrator", "workers", "umbel"})
_POLICIES: Final = {each.__name__: each for each in (Dedupe, Isolation, Lock, RateLimit, Retry, Timeouts)}
_UNEXPECTED: Final = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'(?:\.|$)")


def imported(name: str) -> ModuleType:
    """Import a module of actions.

    Raises:
        DeclarationError: something in it is declared wrongly; the message begins with file and line.
        ConfigError: it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except DeclarationError as error:
        if place := _place(error, name):
            raise type(error)(f"{place}: {error}") from error
        raise
    except Exception as error:
        place = _place(error, name)
        if said := _misspelt(error):
            raise DeclarationError(f"{place or name}: {said}") from error
        absent = isinstance(error, ModuleNotFoundError) and name.startswith(error.name or " ")
        raise ConfigError(
            f"the module {name} cannot be imported: {type(error).__name__}: {error}",
            where=place or "UMBEL_ACTIONS",
            fix="Check its spelling (UMBEL_ACTIONS), and that its folder is on PYTHONPATH"
            if absent
            else "Mend it, or what it imports",
        ) from error


def _place(error: BaseException, name: str) -> str:
    """File and line of the last frame that is code of this module's package, "" if there is none."""
    root = name.partition(".")[0]
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module == name or (root not in _HOUSE and module.partition(".")[0] == root):
            found = f"{frame.f_code.co_filename}, line {line}"
    return found


def _misspelt(error: Exception) -> str:
    """What to write instead of a field that one of our policies does not have, "" if it is another error."""
    match = _UNEXPECTED.search(str(error)) if isinstance(error, TypeError) else None
    policy = _POLICIES.get(match[1]) if match else None
    if match is None or policy is None:
        return ""
    fields = list(inspect.signature(policy).parameters)
    near = get_close_matches(match[2], fields, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{match[1]} has no {match[2]}{hint}; it has {', '.join(fields)}"
