"""Chains and plans of a trusted caller: steps in, runs of one turn, and what became of each step out.

The steps are the calls of one round, so everything that holds for a model's reply holds for them: they are durable,
refused together, undone in reverse, and go on when the one who asked is gone. Who starts them need not wait: what is
started has a name by which it can be interrupted, and its result asked for, from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actions.errors import DeclarationError
from actions.messages import Call, Reply, Status, run_id_of
from orchestrator.chaining import callers_locks
from orchestrator.conductor import Conductor
from orchestrator.digests import digest, owner_of
from orchestrator.drafting import check_recordable
from orchestrator.instructions import instruction, plain_arguments
from orchestrator.modes import Manner, Mode, check_mode
from orchestrator.operations.chain_results import ChainResult, Started, result_of
from orchestrator.plans import Plan, Step

if TYPE_CHECKING:
    from actions.limits import Lock


class Chains(Conductor):
    """Starts chains and plans, and tells what became of them."""

    async def chain(
        self,
        steps: Sequence[Any],
        params: Mapping[str, Any] | None = None,
        *,
        merge: bool = True,
        locks: Lock | str | Sequence[Lock | str] | None = None,
        conversation: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        key: str | None = None,
        timeout_s: float = 30.0,
    ) -> ChainResult:
        """Run steps one after the other; when one fails for good, what the others did is undone, the last one first.

        Args:
            steps: each a `Step`, or what `instruction` reads: a name, an Action, or these with arguments.
            params: what it begins with: each step gets those that it has parameters for.
            merge: whether each step also gets the results of those before it; its own arguments win over all.
            locks: what the chain holds from before its first step until it has settled.
            conversation: where it runs; None: in a conversation of its own.
            principal: on whose behalf it runs; a conversation has its own.
            permissions: what that principal may do; a conversation has its own.
            tenant: whose share of the workers it uses; a conversation has its own.
            key: an idempotency key: the same key and request (steps, what is said of them, on whose behalf) are one.
            timeout_s: seconds to wait for its end; it goes on when they are over.

        Raises:
            DeclarationError: a step is none, or `params` were given although nothing is merged.
            UnknownConversation, ConversationBusy, IdempotencyConflict, InvalidId: as for `post_reply`.
            TimeoutError: it had not ended in time.
        """
        started = await self.start_chain(
            steps, params, merge=merge, locks=locks, conversation=conversation, principal=principal,
            permissions=permissions, tenant=tenant, key=key,
        )  # fmt: skip
        return await self.chain_result(started, timeout_s=timeout_s)

    async def start_chain(
        self,
        steps: Sequence[Any],
        params: Mapping[str, Any] | None = None,
        *,
        merge: bool = True,
        locks: Lock | str | Sequence[Lock | str] | None = None,
        **where: Any,
    ) -> Started:
        """Start a chain as `chain` does, and do not wait; `where` takes the rest of what `chain` takes."""
        calls = [_call(each) for each in steps]
        base = plain_arguments(params, "params")
        check_recordable(base)
        if base and not merge:
            raise DeclarationError("params: they are merged into the steps, so merge has to be on")
        if base and calls:
            calls[0] = self._with_params(calls[0], base)
        manner = Manner("chain", merge, base, locks=callers_locks(locks), audit=self.audit)
        return await self._start(calls, manner, **where)

    async def run_plan(
        self,
        plan: Plan,
        *,
        mode: Mode | None = "all",
        conversation: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        key: str | None = None,
        timeout_s: float = 30.0,
    ) -> ChainResult:
        """Run the steps of a plan, each when those that it depends on have succeeded, and tell what became of them.

        Args:
            plan: the steps.
            mode: `all`: what does not depend on each other runs together, and a failure holds up only what depends on
                it; `sequence`: one after the other; `chain`: as `chain` does, with undo. None: the conversation's.
            conversation: where it runs; None: in a conversation of its own.
            principal: on whose behalf it runs; a conversation has its own.
            permissions: what that principal may do; a conversation has its own.
            tenant: whose share of the workers it uses; a conversation has its own.
            key: an idempotency key: the same key and request (plan, mode, on whose behalf) are one.
            timeout_s: seconds to wait for its end; it goes on when they are over.

        Raises:
            PlanError: it cannot be run as it stands.
            UnknownConversation, ConversationBusy, IdempotencyConflict, InvalidId: as for `post_reply`.
            TimeoutError: it had not ended in time.
        """
        manner = Manner(check_mode(mode), audit=self.audit)
        started = await self._start(
            plan.calls(), manner, conversation=conversation, principal=principal, permissions=permissions,
            tenant=tenant, key=key,
        )  # fmt: skip
        return await self.chain_result(started, timeout_s=timeout_s)

    async def chain_result(self, started: Started, *, timeout_s: float = 30.0) -> ChainResult:
        """What became of what was started, when its turn has ended.

        Raises:
            TimeoutError: it has not, in time.
            UnknownRecord: a record of it is not kept any more.
        """
        if not started.turn:
            return ChainResult(Status.SUCCEEDED.value, base=started.base)
        await self.wait_for_turn(started.turn, timeout_s=timeout_s)
        return result_of(started, await self._store.runs.read_all(started.runs))

    async def _start(
        self,
        calls: Sequence[Call],
        manner: Manner,
        *,
        conversation: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        key: str | None = None,
    ) -> Started:
        """Open a turn with these calls."""
        if not calls:
            return Started(conversation or "", "", (), base=manner.base)
        owner = ""
        if conversation is None:
            owner = owner_of(principal, permissions)
            own = None if key is None else f"conv_{self._cell}{digest('steps', tenant, key)}"
            conversation = await self.open_conversation(
                own, principal=principal, permissions=permissions, tenant=tenant
            )
        reply = Reply(format="steps", calls=tuple(calls))
        posted = await self._post(conversation, reply, manner, key=key, owner=owner)
        runs = tuple(run_id_of(posted.turn, 0, at) for at in range(len(calls)))
        names = tuple(call.step or self._name(call) for call in calls)
        return Started(conversation, posted.turn, tuple(map(str, runs)), names, manner.base)

    def _name(self, call: Call) -> str:
        return self._registry.resolve(call.name).name if call.name in self._registry else call.name

    def _with_params(self, call: Call, base: Mapping[str, Any]) -> Call:
        """The first step with what the chain begins with: nothing can come between."""
        if call.name not in self._registry:
            return call
        keys = self._registry.resolve(call.name).keys
        own = {name: value for name, value in base.items() if name in keys}
        return call.model_copy(update={"arguments": {**own, **(call.arguments or {})}})


def _call(given: Any) -> Call:
    if isinstance(given, Step):
        return given.call()
    if isinstance(given, Call):
        return given
    read = instruction(given)
    if read.context or read.options:
        raise DeclarationError(
            f"{read.action}: a step has no context and no options of its own: give them to the chain"
        )
    return Call(name=read.action, arguments=read.arguments)
