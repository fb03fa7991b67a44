"""What has happened so far, as plain values: changes in, questions answered.

Times are seconds since the curtain rose, by Redis's clock. Only the watcher and the play change it; screens
and checks read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from actions.messages import TERMINAL

WORKER_DIED: Final = "worker_died"
"""Why a run is ready again after its worker's lease was over; the store's word."""

_BATCH_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One transition of a run."""

    at: float
    """When, in seconds."""
    status: str
    """The status it came to."""
    attempt: int
    """Attempts begun by then."""
    why: str
    """The store's word for why it waits, or empty."""
    worker: str
    """Where it runs, or empty."""
    note: str = ""
    """waiting: what the attempt before said."""


@dataclass(slots=True)
class Watched:
    """One run as it is watched: a call of a reply, or what asks the model for the next one."""

    run: str
    """Its id."""
    conversation: str
    """The conversation's name in the demo."""
    leads: bool
    """Whether it asks the model; else it is a call, or undoes one."""
    undoes: str = ""
    """The run that it takes back; empty for all but an undo."""
    called: str = ""
    """The name as the model wrote it."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """The arguments as intake read them; empty when they could not be read."""
    written: str = ""
    """The arguments as the model wrote them, when they could not be read."""
    action: str = ""
    """The registered name; empty for a call that names none."""
    key: str = ""
    """The idempotency key that its handler passes on."""
    note: str = ""
    """Why it was refused or failed."""
    result: Any = None
    """What the model is told, once it has ended; of a step whose chain failed what is true then."""
    undo: str = ""
    """Of a step whose chain failed: pending, undone or failed; else empty."""
    steps: list[Step] = field(default_factory=list)
    """Every transition, in order."""

    @property
    def status(self) -> str:
        """Where it stands."""
        return self.steps[-1].status if self.steps else "blocked"

    @property
    def attempt(self) -> int:
        """Attempts begun."""
        return max((step.attempt for step in self.steps), default=0)

    @property
    def worker(self) -> str:
        """Where it ran last, or runs."""
        return next((step.worker for step in reversed(self.steps) if step.worker), "")

    @property
    def workers(self) -> list[str]:
        """Everywhere it ran, each attempt."""
        return [step.worker for step in self.steps if step.worker]

    @property
    def is_over(self) -> bool:
        """Whether its status never changes again."""
        return self.status in TERMINAL

    @property
    def outcome(self) -> str:
        """Status and error code as scripts write them: "refused unknown_action", "succeeded undone"."""
        code = self.result.get("code") if isinstance(self.result, dict) and "error" in self.result else None
        return f"{self.status} {code}" if code and (self.undo or self.status != "succeeded") else self.status

    @property
    def is_undone(self) -> bool:
        """Whether it took effect and its chain has taken that back."""
        return self.status == "succeeded" and self.undo == "undone"

    @property
    def task(self) -> str:
        """The name under which Flower lists it."""
        return f"{self.action}.undo" if self.undoes else self.action

    def seconds(self, now: float) -> float:
        """From its first to its last transition, or until now."""
        if not self.steps:
            return 0.0
        return max(0.0, (self.steps[-1].at if self.is_over else now) - self.steps[0].at)


@dataclass(slots=True)
class Talk:
    """One conversation as it is watched."""

    name: str
    """Its name in the demo."""
    turns: int
    """How many messages the user has for it."""
    mode: str | None = None
    """How the calls of its replies are run; None: each for itself."""
    state: str | None = None
    """The state of its machine."""
    turn: int = 0
    """The turn that lives or lived last, from 1."""
    ended: str = ""
    """How the conversation stands once the user has said everything and every turn has ended."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the runs of the worker that was killed."""

    worker: str
    """Which one."""
    runs: tuple[str, ...]
    """The runs that it had, by id."""
    seconds: float | None
    """From the kill until the last of them ran on another worker; None while one has not."""


@dataclass(slots=True)
class Board:
    """Everything there is to see."""

    talks: dict[str, Talk] = field(default_factory=dict)
    """The conversations by name."""
    runs: dict[str, Watched] = field(default_factory=dict)
    """All runs by id, in the order in which they appeared."""
    workers: dict[str, float | None] = field(default_factory=dict)
    """The workers by Celery's names; when one was killed, in seconds."""
    log: list[tuple[Watched, Step]] = field(default_factory=list)
    """Every transition of every run, in order."""
    problems: list[str] = field(default_factory=list)
    """What went wrong with the play itself, for people."""

    def add(self, watched: Watched, step: Step) -> None:
        """Note a transition."""
        self.runs.setdefault(watched.run, watched).steps.append(step)
        self.log.append((watched, step))

    def work(self, conversation: str | None = None) -> list[Watched]:
        """The calls and their undos (not what asks the model), of one conversation or of all, in order."""
        return [
            run
            for run in list(self.runs.values())
            if not run.leads and conversation in {None, run.conversation}
        ]

    def calls(self, conversation: str | None = None) -> list[Watched]:
        """The calls alone, of one conversation or of all, in order."""
        return [run for run in self.work(conversation) if not run.undoes]

    def undos(self, conversation: str | None = None) -> list[Watched]:
        """The undos alone, in the order in which they became ready."""
        return [run for run in self.work(conversation) if run.undoes]

    def running_on(self, worker: str) -> list[Watched]:
        """What runs there now."""
        return [run for run in self.runs.values() if run.status == "running" and run.worker == worker]

    def leading(self, conversation: str) -> Watched | None:
        """What asks the model for this conversation at the moment."""
        found = (run for run in list(self.runs.values()) if run.leads and run.conversation == conversation)
        return next((run for run in found if not run.is_over), None)

    def started(self) -> list[Watched]:
        """The calls and undos that Flower has to know: those that ran, but for what a killed worker could not tell.

        Workers send their events in batches, a few each second; SIGKILL takes the last batch with it.
        """
        return [run for run in self.work() if run.workers and not self._untold(run)]

    def _untold(self, run: Watched) -> bool:
        killed = self.workers.get(run.worker)
        return killed is not None and run.is_over and killed - run.steps[-1].at < _BATCH_S

    @property
    def recovery(self) -> Recovery | None:
        """None as long as no worker was killed."""
        killed = next(((name, at) for name, at in self.workers.items() if at is not None), None)
        if killed is None:
            return None
        worker, at = killed
        lost = [run for run in self.runs.values() if _ran_there(run, worker, at)]
        back = [_back(run, worker, at) for run in lost]
        ended = max((when - at for when in back if when is not None), default=None)
        return Recovery(worker, tuple(run.run for run in lost), None if None in back else ended)


def _ran_there(run: Watched, worker: str, at: float) -> bool:
    """Whether it was running on the worker at that moment."""
    before = [step for step in run.steps if step.at <= at]
    return bool(before) and before[-1].status == "running" and before[-1].worker == worker


def _back(run: Watched, worker: str, at: float) -> float | None:
    """When it ran again elsewhere (or ended: the worker's last word had reached the store)."""
    after = [step for step in run.steps if step.at > at]
    again = (step.at for step in after if step.worker not in {"", worker} or step.status in TERMINAL)
    return next(again, None)
