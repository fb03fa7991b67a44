"""`umbel doctor`: this machine, the settings and the server in; one line for each finding out.

Changes nothing and starts nothing. Ends with 0 when work can start, 78 when a setting is in the way, 69
when the server is. A warning (no append-only file, an unknown variable) does not change the exit code.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click

from actions.errors import ConfigError, DeclarationError
from orchestrator.settings import PREFIX, Settings, load_settings, unknown_variables
from umbel import __version__
from umbel.supervisor import EmbeddedRedis
from umbel.supervisor.binary import find_server
from umbel.supervisor.wire import Address, RefusedAnswer, ask

EX_UNAVAILABLE = 69
_OLDEST_SERVER = 7
_LIBRARIES = ("celery", "kombu", "redis", "flower", "pydantic")
_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """What was looked at; stable, for scripts."""
    state: Literal["ok", "warning", "problem"]
    """`problem`: nothing can run like this. `warning`: it runs, and something may be lost or misread."""
    text: str
    """What was found, and for anything but `ok` what to do."""
    exit_code: int = 0
    """What the command ends with when this is the worst that was found."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Check this machine, the settings and the server."""
    findings = list(examine(os.environ))
    code = max(finding.exit_code for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": not code, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            sign, colour = _SIGNS[finding.state]
            click.echo(f"{click.style(sign, fg=colour)} {finding.name:<10} {finding.text}")
    ctx.exit(code)


def examine(env: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that can be looked at from here, in the order in which things can go wrong."""
    yield Finding("umbel", "ok", f"{__version__}, {_libraries()}")
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    if names := unknown_variables(env):
        yield Finding("settings", "warning", "; ".join(map(_no_such_setting, names)))
    try:
        settings = load_settings(env)
    except ConfigError as error:
        yield Finding("settings", "problem", str(error), ConfigError.exit_code)
        return
    yield Finding(
        "settings", "ok", f"namespace {settings.namespace}, cell {settings.cell}, {_modules(settings)}"
    )
    yield _actions(settings)
    yield _home(settings.home)
    yield from _embedded(settings) if settings.is_embedded else _server(settings)


def _libraries() -> str:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} missing")
    return ", ".join(found)


def _modules(settings: Settings) -> str:
    return f"actions from {', '.join(settings.actions)}" if settings.actions else "no actions of your own"


def _home(home: Path) -> Finding:
    """Whether the home folder, or the folder it will be made in, can be written."""
    place = home
    while not place.exists() and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Finding("home", "ok", str(home))
    return Finding("home", "problem", f"{home} cannot be written: set UMBEL_HOME", ConfigError.exit_code)


def _actions(settings: Settings) -> Finding:
    """Whether the actions can be loaded here: nothing hides our packages, and every module can be imported."""
    from umbel import preflight

    try:
        preflight.refuse_hidden(Path.cwd())
        registry = preflight.load_registry(settings, Path.cwd())
    except (ConfigError, DeclarationError) as error:
        return Finding("actions", "problem", str(error), error.exit_code)
    return Finding("actions", "ok", ", ".join(action.name for action in registry.actions))


def _embedded(settings: Settings) -> Iterator[Finding]:
    if EmbeddedRedis(settings.home).find() is not None:
        yield Finding("server", "ok", f"embedded, and running for {settings.home}")
        return
    try:
        yield Finding("server", "ok", f"embedded: {find_server()}; `umbel up` starts it")
    except ConfigError as error:
        yield Finding("server", "problem", str(error), error.exit_code)


def _server(settings: Settings) -> Iterator[Finding]:
    """What the server behind UMBEL_REDIS_URL says of itself."""
    place = settings.redacted_url
    try:
        facts = _facts(ask(Address.of(settings.store_url), "INFO", timeout=5.0))
    except RefusedAnswer as error:
        text = (
            f"{place} answers, and refuses: {error.word}. Check the user and the password in UMBEL_REDIS_URL"
        )
        yield Finding("server", "problem", text, EX_UNAVAILABLE)
        return
    except OSError as error:
        text = f"{place} does not answer ({error.strerror or error}): start it, or correct UMBEL_REDIS_URL"
        yield Finding("server", "problem", text, EX_UNAVAILABLE)
        return
    yield _version(place, facts)
    if facts.get("cluster_enabled") == "1":
        text = (
            f"{place} is in cluster mode, which is not supported: name a server without it in UMBEL_REDIS_URL"
        )
        yield Finding("cluster", "problem", text, EX_UNAVAILABLE)
    yield _append_only(facts)
    yield _eviction(facts)


def _no_such_setting(name: str) -> str:
    near = get_close_matches(name, [PREFIX + field.upper() for field in Settings.model_fields], 1)
    return f"{name}: no such setting" + (
        f" (did you mean {near[0]}?)" if near else "; look for a slip of the pen"
    )


def _facts(answer: object) -> dict[str, str]:
    pairs = (line.partition(":") for line in str(answer).splitlines())
    return {name: value for name, colon, value in pairs if colon}


def _version(place: str, facts: Mapping[str, str]) -> Finding:
    compatible = facts.get("redis_version", "0")
    name = f"Valkey {facts['valkey_version']}" if "valkey_version" in facts else f"Redis {compatible}"
    if int(compatible.partition(".")[0]) < _OLDEST_SERVER:
        return Finding(
            "server", "problem", f"{place} is {name}: version 7 or newer is needed", EX_UNAVAILABLE
        )
    return Finding("server", "ok", f"{place} is {name}")


def _append_only(facts: Mapping[str, str]) -> Finding:
    if facts.get("aof_enabled") == "1":
        return Finding("aof", "ok", "accepted runs are on disk within a second")
    return Finding(
        "aof", "warning", "no append-only file: a restart loses accepted runs. CONFIG SET appendonly yes"
    )


def _eviction(facts: Mapping[str, str]) -> Finding:
    policy = facts.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        return Finding("eviction", "ok", "noeviction")
    advice = "it may throw records away when memory is full. CONFIG SET maxmemory-policy noeviction"
    return Finding("eviction", "warning", f"maxmemory-policy is {policy}: {advice}")
