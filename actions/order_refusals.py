"""What the model hears of a call because of the others it stands with: dependencies, chains, follow-ups, people.

Each becomes the result of its call, as those of `actions.refusals` do. Some are raised where a reply is planned, others
are written by the store where a run or a chain ends; then the class stands here for its code.
"""

from __future__ import annotations

from actions.refusals import ModelError


class MissingDependency(ModelError):
    """An action that has to have succeeded before has not; the text says which one to call first."""

    code = "missing_dependency"


class DependencyFailed(ModelError):
    """A call of the same reply that this one depends on did not succeed, so this one was not run."""

    code = "dependency_failed"


class DependencyCycle(ModelError):
    """The calls of a reply wait for each other in a circle; the text shows its path."""

    code = "dependency_cycle"


class BadReference(ModelError):
    """An argument is to be filled from the result of another call that is not there, or holds no such value."""

    code = "bad_reference"


class ChainRefused(ModelError):
    """Nothing is wrong with this call, but another step of its chain was refused, so none was run."""

    code = "chain_refused"


class NotRun(ModelError):
    """An earlier step of its chain failed, or the chain was stopped, so this step was not run."""

    code = "not_run"


class Undone(ModelError):
    """This step succeeded, and was undone because the chain failed; the text says why."""

    code = "undone"


class UndoFailed(ModelError):
    """This step succeeded, the chain failed, and undoing the step failed too: a person has to look at it."""

    code = "undo_failed"


class NotUndone(ModelError):
    """This step is still in effect: the undo of a later step failed, and the rest waits for that one."""

    code = "not_undone"


class Interrupted(ModelError):
    """The chain was interrupted before this step, so it was not run."""

    code = "interrupted"


class ChainOnly(ModelError):
    """The action runs only as a step of a chain."""

    code = "chain_only"


class UserOnly(ModelError):
    """Only people may run the action, no model."""

    code = "user_only"


class CycleRefused(ModelError):
    """A follow-up with the same action and arguments stands above it already."""

    code = "follow_up_cycle"


class TooDeep(ModelError):
    """A follow-up of a follow-up, and so on, beyond the fifth."""

    code = "follow_up_depth"


class TooManyFollowUps(ModelError):
    """The turn has as many follow-ups as a turn may have."""

    code = "follow_up_count"


class ApprovalDenied(ModelError):
    """A person was asked to approve the run and said no; the text holds the reason."""

    code = "denied"


class ApprovalExpired(ModelError):
    """Nobody approved the run in time."""

    code = "approval_expired"
