"""Umbel in a program of your own: one object that hands work in and reads results, straight at the store.

In: settings, or the URL of a Redis (the environment's, if none are given). Out: the conductor's methods, on connections
that are closed at the end. It needs a Redis: that URL's, the one of `UMBEL_REDIS_URL`, or the one that `umbel up` runs
for this home folder; and Redis's client, which comes with the extras `worker` and `server`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, Unpack

from pydantic import SecretStr

from actions.errors import ConfigError
from orchestrator.instructions import plain_arguments
from orchestrator.operations.act import act
from orchestrator.operations.chain import Chains
from orchestrator.operations.options import UNSET, ActOptions, Strategy
from orchestrator.operations.parse import ParseOptions, parse_output
from orchestrator.operations.workflow import Behalf, run_workflow
from orchestrator.settings import PREFIX, Settings, load_settings
from orchestrator.submission import Length
from umbel import extras
from umbel.supervisor import EmbeddedRedis

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.assembly import House
    from orchestrator.operations.calls import Asked
    from orchestrator.operations.outcome import Acted
    from orchestrator.operations.workflow import WorkflowResult
    from orchestrator.outputs.parsing import Target
    from orchestrator.workflows import Workflow


class Umbel(Chains):
    """`async with Umbel() as umbel:` - open conversations, post replies, submit runs, wait for results."""

    def __init__(self, settings: Settings | str | None = None, registry: Registry | None = None) -> None:
        """Put the parts together; nothing is opened before the first call.

        Args:
            settings: how to reach Redis and which actions there are; or the URL of a Redis, all else as in the
                environment; or None: the environment's.
            registry: the actions themselves, instead of the modules that the settings name.

        Raises:
            ConfigError: a setting is wrong, there is no Redis, or its client is not installed.
        """
        if isinstance(settings, str):
            if not settings.strip():  # it would silently mean the environment's
                raise ConfigError("an empty text is no URL of a Redis", fix="Give one, or None")
            settings = load_settings({**os.environ, f"{PREFIX}REDIS_URL": settings})
        self._house = _built(with_server(settings or load_settings()), registry)
        super().__init__(self._house.settings, self._house.registry, self._house.store)

    async def act(
        self,
        calls: Asked | Sequence[Asked],
        *,
        strategy: Strategy = "concurrent",
        batch_size: int | None = None,
        max_concurrent: int | None = None,
        throttle: Length | None = None,
        retries: int | None = None,
        initial_delay: Length = 0,
        retry_delay: Length = 0,
        backoff_factor: float = 1,
        attempt_timeout: Length | None = None,
        timeout: Length | None = None,
        default: Any = UNSET,
        drop_failed: bool = False,
        drop_none: bool = False,
        unique_input: bool = False,
        unique_output: bool = False,
        sanitize_input: bool = False,
        flatten: bool = False,
        timing: bool = False,
        suppress_errors: bool = True,
        conversation: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        key: str | None = None,
    ) -> list[Acted]:
        """Run one call or many, and return what became of each, in the order in which they were given.

        Every call is a durable run: bounds, order and clocks hold over all workers, and go on when this process ends
        (ask again with the same `key` to hear the results). A failure is a result with an `error`, in its place.

        Args:
            calls: one call or a list: `{"function": name, "arguments": {...}}` (`name` and `action` serve as well), a
                `Call` as intake reads it, or a pydantic model with these fields.
            strategy: `concurrent`: all at once; `sequential`: one after the other; `batch`: `batch_size` at once.
            batch_size: how many run together, for the strategy `batch` only; 1 if left out.
            max_concurrent: how many run at the same time; None: no bound of its own.
            throttle: the least time between the starts of two attempts.
            retries: how many attempts may follow a failed one; None: what each action declares.
            initial_delay: how long the whole batch waits before its first start.
            retry_delay: bound of the first wait before a further attempt (full jitter: drawn between 0 and it).
            backoff_factor: how much longer each bound is than the one before.
            attempt_timeout: how long each attempt may take, if that is less than its action allows.
            timeout: how long everything may take, waits and retries included; the rest is `expired`.
            default: value of each call that failed; its `error` still says why.
            drop_failed: leave out what failed.
            drop_none: leave out what succeeded with null.
            unique_input: of calls of one action with equal arguments only the first is made.
            unique_output: of equal values only the first is kept; failures are kept.
            sanitize_input: take control characters and outer spaces off the texts in arguments.
            flatten: a list becomes one result for each of its elements, however deep they lie.
            timing: say of each call how long it waited and ran.
            suppress_errors: off: the first failure stops the others, and `CallFailed` is raised.
            conversation: where the calls and their results become messages.
            principal: on whose behalf they run; a conversation has its own.
            permissions: what that principal may do; a conversation has its own.
            tenant: whose share of the workers they use; a conversation has its own.
            key: an idempotency key: the same key and calls are the same runs.

        Raises:
            DeclarationError: an option has no such value, or two do not fit together.
            CallFailed: a call failed and `suppress_errors` is off; its `results` tell of all.
            UnknownConversation, ConversationBusy, IdempotencyConflict, InvalidId: as for `post_reply`.
        """
        options = ActOptions(
            strategy=strategy,
            batch_size=batch_size,
            max_concurrent=max_concurrent,
            throttle=throttle,
            retries=retries,
            initial_delay=initial_delay,
            retry_delay=retry_delay,
            backoff_factor=backoff_factor,
            attempt_timeout=attempt_timeout,
            timeout=timeout,
            default=default,
            drop_failed=drop_failed,
            drop_none=drop_none,
            unique_input=unique_input,
            unique_output=unique_output,
            sanitize_input=sanitize_input,
            flatten=flatten,
            timing=timing,
            suppress_errors=suppress_errors,
            conversation=conversation,
            principal=principal,
            permissions=permissions,
            tenant=tenant,
            key=key,
        )
        return await act(self._house, calls, options)

    async def run_workflow(
        self,
        workflow: Workflow,
        params: Mapping[str, Any] | None = None,
        *,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        key: str | None = None,
    ) -> WorkflowResult:
        """Walk through a workflow, node by node, and return its values and what became of each action.

        Its runs are durable, but this process leads from one to the next: a chain or a plan goes on without it. Nothing
        is undone when a node fails.

        Args:
            workflow: the nodes.
            params: the first values; each action gets those that it has parameters for.
            principal: on whose behalf it runs.
            permissions: what that principal may do.
            tenant: whose share of the workers it uses.
            key: an idempotency key: run again with it, the workflow finds what it did and goes on where it stopped.

        Raises:
            DeclarationError: `params` have no JSON form.
            InvalidId, IdempotencyConflict, StoreUnavailable: as for `act`.
        """
        behalf = Behalf(principal=principal, permissions=permissions, tenant=tenant, key=key)
        return await run_workflow(self._house, workflow, plain_arguments(params, "params"), behalf)

    async def parse_output(self, text: str, target: Target, **options: Unpack[ParseOptions]) -> Any:
        """Return what a model's text holds, in the wanted form; the model of `UMBEL_MODEL_URL` helps where it has to.

        Args:
            text: what the model wrote.
            target: a pydantic model, of which an instance is returned, or the keys of the object that is returned.
            options: as of the function `umbel.parse_output`.

        Raises:
            DeclarationError: an option has no such value, or the target is none.
            UnfitOutput: it cannot be parsed, and `on_failure` is `raise`.
        """
        return await parse_output(text, target, ask=self._house.services.model, **options)

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._house.close()


def _built(settings: Settings, registry: Registry | None) -> House:
    """Everything put together; Redis's client is first needed here."""
    try:
        from orchestrator.assembly import build
    except ImportError as error:
        raise extras.missing(error) or error from None
    return build(settings, registry)


def with_server(settings: Settings) -> Settings:
    """The settings with the URL of the embedded server filled in, if they name none.

    Raises:
        ConfigError: no server runs for this home folder.
    """
    if not settings.is_embedded:
        return settings
    url = EmbeddedRedis(settings.home).find()
    if url is None:
        raise ConfigError(
            "no Redis is running here",
            where=f"home folder {settings.home}",
            fix="Start `umbel up` in another terminal, or set UMBEL_REDIS_URL to a Redis of yours",
        )
    return settings.model_copy(update={"redis_url": SecretStr(url)})
