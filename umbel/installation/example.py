"""A call to try at once: the actions in; one that ends well as command lines out, and how one's own is submitted.

No value is invented: an action that needs one which its schema does not name may refuse it, or do something with it.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actions.schema import parameters_schema

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry

_HARMLESS: Final = "NONE"
"""The action that every registry has, takes nothing and always succeeds."""


@dataclass(frozen=True, slots=True)
class Example:
    """A call of one action."""

    action: str
    """Its name."""
    arguments: dict[str, Any]
    """Those that it cannot do without."""
    permissions: tuple[str, ...]
    """What its caller has to be allowed; the first key of the API is, whoever submits past that has to say so."""

    @classmethod
    def of(cls, registry: Registry, *, own: bool) -> Example:
        """The first action of the user's `own` that can run alone, if its schema names its values; else NONE."""
        action = _first(registry) if own else None
        arguments = None if action is None or action.approval is not None else _named(action)
        if action is None or arguments is None:
            action, arguments = registry.resolve(_HARMLESS), {}
        return cls(action.name, arguments, tuple(sorted(action.permissions)))

    def curl(self, url: str, header: Path) -> str:
        """Submitted over HTTP; the key comes out of a file, since a command line can be read by everybody."""
        body = json.dumps({"action": self.action, "arguments": self.arguments})
        return (
            f"curl -s -H {shlex.quote(f'@{header}')} -H 'Content-Type: application/json' "
            f"-d {shlex.quote(body)} '{url}/v1/runs?wait=10s'"
        )

    def submit(self) -> str:
        """Submitted by our own command."""
        pairs = [f"{name}={json.dumps(value)}" for name, value in self.arguments.items()]
        allowed = [word for permission in self.permissions for word in ("--permission", permission)]
        return shlex.join(["umbel", "submit", self.action, *pairs, *allowed, "--wait"])

    def celery(self) -> str:
        """Submitted by Celery's."""
        kwargs = f" --kwargs {shlex.quote(json.dumps(self.arguments))}" if self.arguments else ""
        return f"celery -A workers.main call {self.action}{kwargs}"


def template(registry: Registry) -> str | None:
    """How the first action is submitted, with a word where each value belongs; None: none can run alone."""
    action = _first(registry)
    if action is None:
        return None
    pairs = [f"{name}={name.upper()}" for name in parameters_schema(action).get("required", ())]
    allowed = [word for permission in sorted(action.permissions) for word in ("--permission", permission)]
    return shlex.join(["umbel", "submit", action.name, *pairs, *allowed, "--wait"])


def _first(registry: Registry) -> Action | None:
    """The first action that can run alone; the user's own stand before those that every registry has."""
    alone = (each for each in registry.actions if each.chain is None and not each.depends_on)
    return next(alone, None)


def _named(action: Action) -> dict[str, Any] | None:
    """A value for each parameter that has to be given, out of the schema; None: one of them has none there."""
    schema = parameters_schema(action)
    found = {name: _values(schema["properties"][name]) for name in schema.get("required", ())}
    return {name: values[0] for name, values in found.items()} if all(found.values()) else None


def _values(node: dict[str, Any]) -> list[Any]:
    """What a part of a schema says would do."""
    return [
        *node.get("examples", ()),
        *node.get("enum", ()),
        *([node["default"]] if "default" in node else []),
    ]
