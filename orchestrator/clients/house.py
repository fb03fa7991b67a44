"""What a client asks for about the house: its actions, limits and queues. Each function makes one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from orchestrator.clients.paths import OfConversation, id_of, path
from orchestrator.clients.requests import Length, Request, body, parsed, query, reads, reads_nothing, span
from orchestrator.wire import ActionCard, Catalogue, ChangedLimit, Limits, Queues, QueueStanding, Tools

if TYPE_CHECKING:
    Tooling = Literal["openai", "openai-strict", "anthropic", "gemini", "mcp"]


def actions() -> Request[tuple[ActionCard, ...]]:
    """The actions that there are, with the JSON schemas of their arguments."""
    return Request("GET", path("actions"), lambda answer: parsed(Catalogue, answer.content, answer).actions)


def action(name: str) -> Request[ActionCard]:
    """One action, by its name or a simile.

    Raises:
        NotFound: there is no such action.
    """
    return Request("GET", path("actions", name), reads(ActionCard))


def tools(format: Tooling, *, conversation: str | OfConversation | None = None) -> Request[Tools]:  # noqa: A002 - the field's word
    """The actions as tools for a model.

    Args:
        format: the provider's shape: `openai`, `openai-strict`, `anthropic`, `gemini` or `mcp`.
        conversation: only those that this conversation allows now.
    """
    params = query(tools=format, conversation=id_of(conversation, "conv"))
    return Request("GET", path("actions"), reads(Tools), params)


def limits() -> Request[Limits]:
    """What rate limits and locks there are, and how they stand."""
    return Request("GET", path("limits"), reads(Limits))


def set_limit(
    name: str,
    n: int,
    per: Length,
    *,
    burst: int | None = None,
    cost: int | None = None,
    key: str | None = None,
) -> Request[ChangedLimit]:
    """Give a limit other numbers, for all workers at once and for as long as nobody takes them back.

    Args:
        name: the limit.
        n: starts (or units) in each window; 0 lets nobody start.
        per: length of the window.
        burst: units at once, for a limit that is declared with a burst.
        cost: units that each run takes, in place of its own.
        key: one key of the limit alone.
    """
    content = body(n=n, per=span(per), burst=burst, cost=cost, key=key)
    return Request("PUT", path("limits", name), reads(ChangedLimit), content=content)


def unset_limit(name: str, *, key: str | None = None) -> Request[None]:
    """Let a limit, or one key of it, be as it is declared."""
    return Request("DELETE", path("limits", name), reads_nothing, query(key=key))


def queues() -> Request[tuple[QueueStanding, ...]]:
    """The queues: what is ready, runs and waits on each, and when a worker last served it."""
    return Request("GET", path("queues"), lambda answer: parsed(Queues, answer.content, answer).queues)
