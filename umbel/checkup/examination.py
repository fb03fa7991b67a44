"""Everything that `umbel doctor` looks at, one after the other: an environment in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.errors import ConfigError
from orchestrator.settings import load_settings
from umbel.checkup import house, machine, server, service
from umbel.checkup.findings import Finding


def examine(env: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that can be looked at from here, in the order in which things can go wrong."""
    yield from machine.versions()
    yield from machine.variables(env)
    try:
        settings = load_settings(env)
    except ConfigError as error:
        yield Finding("settings", "problem", str(error), ConfigError.exit_code)
        return
    yield machine.settings_in_force(settings)
    registry, finding = machine.actions(settings)
    yield finding
    yield machine.home(settings.home)
    reached = None
    for finding, found in server.examine(settings):
        reached = found or reached
        yield finding
    if reached is not None:
        yield from house.examine(reached, registry)
    yield from service.examine(env)
