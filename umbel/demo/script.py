"""A conversation written down: a JSON file in `replies/` in, a `Script` out.

The replies are what providers send, whole, so that they go the way of real ones. Beside each stands how its
calls should end: a status, and the code of the error if the model is told one: a call that is refused or fails, and
a step that succeeded and was undone ("succeeded undone").
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestrator.modes import Mode

NAMES = ("coach", "trader", "broker")
"""The conversations of the demo, in the order in which they are shown."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScriptedReply(_Frozen):
    """One answer of the model."""

    body: dict[str, Any]
    """The provider's response, whole."""
    expect: tuple[str, ...]
    """For each call in it, in call order: "status" or "status code"."""


class Scene(_Frozen):
    """One message of the user and the replies that it leads to."""

    user: str
    """What the user says."""
    pause_s: float
    """How long the user then takes to write the next message, in seconds."""
    replies: tuple[ScriptedReply, ...]
    """The model's answers, one for each round."""


class Ending(_Frozen):
    """How the conversation should stand at the end."""

    status: str
    """"idle", or "completed" when an action ended it."""
    state: str | None
    """The state of its machine; None without one."""
    context: dict[str, Any]
    """Its whole context, by key."""


class Script(_Frozen):
    """One conversation."""

    about: str
    """One sentence for people: what there is to see."""
    machine: str | None
    """The state machine it follows; None for none."""
    principal: str
    """On whose behalf its calls run."""
    permissions: tuple[str, ...]
    """What the principal may do."""
    mode: Mode | None = None
    """How the calls of a reply are run; None: each for itself."""
    turns: tuple[Scene, ...]
    """The user's messages in order."""
    ends: Ending
    """How it should stand at the end."""

    @property
    def replies(self) -> tuple[ScriptedReply, ...]:
        """All replies in order: the n-th follows n assistant messages."""
        return tuple(reply for scene in self.turns for reply in scene.replies)


def load(name: str) -> Script:
    """The script of this name, out of `replies/`."""
    return Script.model_validate_json((files("umbel.demo") / "replies" / f"{name}.json").read_text("utf-8"))


def load_all() -> dict[str, Script]:
    """Every conversation of the demo by its name."""
    return {name: load(name) for name in NAMES}
