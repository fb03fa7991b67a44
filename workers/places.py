"""The places that runs in flight take of a pump: on its loop, in threads, in processes of their own; and who has them.

In: runs that begin and end. Out: how many of each kind are taken, and by whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.store.keys import ISOLATED, THREADS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Places:
    """The places of one pump that are taken."""

    def __init__(self) -> None:
        """None is, at first."""
        self._tenants: dict[str, dict[str, int]] = {"": {}, THREADS: {}, ISOLATED: {}}

    @property
    def tenants(self) -> Mapping[str, Mapping[str, int]]:
        """How many places each tenant takes, for each kind."""
        return self._tenants

    def taken(self, kind: str) -> int:
        """How many places of this kind are taken."""
        return sum(self._tenants[kind].values())

    def take(self, kind: str, tenant: str) -> None:
        """A run begins."""
        tenants = self._tenants[kind]
        tenants[tenant] = tenants.get(tenant, 0) + 1

    def give_back(self, kind: str, tenant: str) -> None:
        """A run has ended."""
        tenants = self._tenants[kind]
        tenants[tenant] -= 1
        if not tenants[tenant]:
            del tenants[tenant]

    def clear(self) -> None:
        """All that were in flight are no longer ours."""
        for tenants in self._tenants.values():
            tenants.clear()
