"""All that goes over the wire of the HTTP API, for the server and for its clients.

In reading order: `wire_forms` (names, lengths, moments), `wire_requests` (bodies that come in), `wire_answers` (what is
made, done and listed), `wire_house` (actions, limits, queues), and the standings that `umbel show --json` tells, too.
One import from here serves all. It needs pydantic and `actions`, nothing of a server.
"""

from __future__ import annotations

from orchestrator.guard_standings import Holder, Ladder, LimitStanding, LockStanding, Rung
from orchestrator.resting import DeadCall, StuckCall, Wanted
from orchestrator.standings import ConversationStanding, RunStanding, TurnStanding
from orchestrator.wire_answers import (
    Accepted,
    Approvals,
    ConversationContext,
    ConversationState,
    Dead,
    DoneDead,
    DoneDeads,
    FailedDead,
    Messages,
    Opened,
    Problem,
    ProblemPart,
    Round,
    Rounds,
    Runs,
    Submitted,
    SubmittedAll,
    Turns,
    Undos,
    Verdict,
)
from orchestrator.wire_forms import MOST_RUNS, Busy, Length, Mode
from orchestrator.wire_house import (
    ActionCard,
    Catalogue,
    ChangedLimit,
    DeclaredLimit,
    Limits,
    Queues,
    QueueStanding,
    ToolProblem,
    Tools,
)
from orchestrator.wire_requests import (
    Approve,
    ChooseDead,
    Deny,
    EditDead,
    OpenConversation,
    Replay,
    ReplayDead,
    RetryPlan,
    Say,
    SetLimit,
    SubmitRun,
    SubmitRuns,
)

__all__ = [
    "MOST_RUNS", "Accepted", "ActionCard", "Approvals", "Approve", "Busy", "Catalogue", "ChangedLimit",
    "ChooseDead", "ConversationContext", "ConversationStanding", "ConversationState", "Dead", "DeadCall",
    "DeclaredLimit", "Deny", "DoneDead", "DoneDeads", "EditDead", "FailedDead", "Holder", "Ladder", "Length",
    "LimitStanding", "Limits", "LockStanding", "Messages", "Mode", "OpenConversation", "Opened", "Problem",
    "ProblemPart", "QueueStanding", "Queues", "Replay", "ReplayDead", "RetryPlan", "Round", "Rounds",
    "RunStanding", "Rung", "Runs", "Say", "SetLimit", "StuckCall", "SubmitRun", "SubmitRuns", "Submitted",
    "SubmittedAll", "ToolProblem", "Tools", "TurnStanding", "Turns", "Undos", "Verdict", "Wanted",
]  # fmt: skip
