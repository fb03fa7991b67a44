"""This machine: versions, variables, settings, actions and the home folder in, findings out."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from actions.errors import ConfigError, DeclarationError
from orchestrator.settings import PREFIX, Settings, unknown_variables
from umbel import __version__
from umbel.checkup.findings import Finding, ok, problem, warning

if TYPE_CHECKING:
    from actions.registry import Registry

_Version = tuple[int, ...]
LIBRARIES: Final[dict[str, tuple[_Version, _Version | None]]] = {
    "celery": ((5, 7), (5, 8)),
    "kombu": ((5, 7), (5, 8)),
    "redis": ((6,), (9,)),
    "flower": ((2, 2), (3,)),
    "pydantic": ((2, 13), (3,)),
    "fastapi": ((0, 121), None),
    "uvicorn": ((0, 38), None),
}
"""The least version of each library that we need, and the first that is too new, if we know one."""


def versions() -> Iterator[Finding]:
    """Ours, Python's, and those of the libraries; one that does not fit is a warning with its cure."""
    found = {name: _installed(name) for name in LIBRARIES}
    told = ", ".join(f"{name} {each or 'missing'}" for name, each in found.items())
    yield ok("umbel", f"{__version__}, {told}")
    for name, installed in found.items():
        if installed is not None and (wanted := _misfit(name, installed)):
            yield warning("library", f"{name} {installed} is not what Umbel is tried with: install {wanted}")
    yield ok("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def variables(env: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look like settings of ours and are none."""
    if names := unknown_variables(env):
        yield warning("settings", "; ".join(map(_no_such_setting, names)))


def settings_in_force(settings: Settings) -> Finding:
    """What tells one installation from another."""
    modules = f"actions from {', '.join(settings.actions)}" if settings.actions else "no actions of your own"
    return ok("settings", f"namespace {settings.namespace}, cell {settings.cell}, {modules}")


def actions(settings: Settings) -> tuple[Registry | None, Finding]:
    """Whether the actions can be loaded here: nothing hides our packages, and every module can be imported."""
    from umbel import preflight

    try:
        preflight.refuse_hidden(Path.cwd())
        registry = preflight.load_registry(settings, Path.cwd())
    except (ConfigError, DeclarationError) as error:
        return None, problem("actions", str(error), error.exit_code)
    return registry, ok("actions", ", ".join(action.name for action in registry.actions))


def home(folder: Path) -> Finding:
    """Whether the home folder, or the folder it will be made in, can be written."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return ok("home", str(folder))
    return problem("home", f"{folder} cannot be written: set {PREFIX}HOME", ConfigError.exit_code)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _misfit(name: str, installed: str) -> str:
    """What to install in its place, as pip takes it; "" if it fits."""
    least, too_new = LIBRARIES[name]
    numbers = tuple(map(int, re.findall(r"\d+", installed.partition("+")[0])[:3]))
    if numbers >= least and (too_new is None or numbers < too_new):
        return ""
    bound = f",<{'.'.join(map(str, too_new))}" if too_new else ""
    return f"'{name}>={'.'.join(map(str, least))}{bound}'"


def _no_such_setting(name: str) -> str:
    near = get_close_matches(name, [PREFIX + field.upper() for field in Settings.model_fields], 1)
    return f"{name}: no such setting" + (
        f" (did you mean {near[0]}?)" if near else "; look for a slip of the pen"
    )
