"""What an attempt is carried out with: the actions, the store, the services and the threads of this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actions.registry import Registry
    from actions.services import Services
    from orchestrator.accepting import Accepting
    from orchestrator.guards import Caps
    from orchestrator.store.store import Store
    from workers.points import Points
    from workers.threads import Threads


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the settings bound, as far as an attempt is concerned."""

    result_cap: int
    """Bytes of a result's JSON."""
    caps: Caps
    """Runs in flight of one turn, one conversation, one tenant."""
    audit: bool = False
    """Whether the runs that an attempt plans are noted in the audit."""
    accepting: Accepting | None = None
    """Which replies of models are accepted; None: the defaults."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every step of an attempt may need."""

    registry: Registry
    """The actions that this process knows."""
    store: Store
    """Where runs and conversations stand."""
    services: Services
    """What handlers may ask for."""
    threads: Threads
    """Where sync functions run."""
    bounds: Bounds
    """What the settings bound."""
    points: Points | None = None
    """Is called at named points of a run; None: nobody is."""
