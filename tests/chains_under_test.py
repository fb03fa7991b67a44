"""Actions that are undone, made good, approved and followed up, for tests of workers (`UMBEL_ACTIONS`).

Each leaves its trace in a file, as a program outside of ours would see it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actions.approvals import Approval
from actions.definition import action
from actions.directives import FollowUp, Remember, Result, SetContext
from actions.errors import Fail, Stop, TryAgain
from actions.limits import Dedupe
from actions.policy import Retry
from guarded_under_test import note
from workers.points import Point

if TYPE_CHECKING:
    from actions.definition import Action

MODULE: Final = "chains_under_test"
"""The name under which workers import this file."""
QUICK: Final = Retry(2, initial="10ms", cap="20ms")


async def take_step(file: str, name: str, how: str = "", *, ctx) -> Any:
    """Leave a trace, then end in some way."""
    note(file, name)
    if how == "fail":
        raise Fail("sold out")
    if how == "surprise":
        raise OSError("secret")
    if how == "sleep":
        await asyncio.sleep(30)
    return Result({"receipt": name, "key": ctx.key}, (SetContext(f"did.{name}", value=True),))


async def undo_step(params, receipt, ctx) -> Result:
    """Leave a trace of what it was given."""
    own = ctx.original_key == receipt["key"] and ctx.key not in {"", ctx.original_key}
    note(params.file, f"undo-{receipt['receipt']}{'' if own else '-with-a-wrong-key'}")
    return Result(None, (SetContext(f"did.{params.name}", value=False),))


def steps(name: str, **declared: Any) -> Action:
    """An action that leaves a trace, and takes it back."""
    made = action(name, **declared)(take_step)
    made.undo(undo_step)
    return made


STEP = steps("STEP", retry=QUICK)
NEXT_STEP = steps("NEXT_STEP", uses={"name": "STEP.receipt"})


@action("STEP_IN_A_PROCESS", isolated=True)
def step_in_a_process(file: str, name: str) -> dict[str, str]:
    """Leave a trace, in a process of its own."""
    note(file, name)
    return {"receipt": name, "pid": str(os.getpid())}


@step_in_a_process.undo
def undo_in_a_process(params, receipt, ctx):
    """Leave a trace, in another one."""
    other = receipt["pid"] != str(os.getpid())
    note(params.file, f"undo-{receipt['receipt']}-in-{'another' if other else 'the-same'}")


@action("UNCERTAIN", timeout="200ms")
async def uncertain(file: str, name: str, how: str = "", *, ctx) -> Any:
    """Leave a trace, and perhaps not tell."""
    return await take_step(file, name, how, ctx=ctx)


@uncertain.undo
async def undo_uncertain(params, receipt: dict[str, str] | None, ctx):
    """Leave a trace of what it was given."""
    note(params.file, f"undo-{params.name}-{'with' if receipt else 'without'}-receipt")


@action("UNCERTAIN_FOR_LONG")
async def uncertain_for_long(file: str, name: str) -> None:
    """Leave a trace, and be stopped."""
    note(file, name)
    await asyncio.sleep(30)


uncertain_for_long.undo(undo_uncertain)


@action("CHECKED_STEP", timeout="200ms", on_unknown="check")
async def checked_step(file: str, name: str) -> str:
    """Leave a trace, and not tell in time."""
    note(file, name)
    await asyncio.sleep(30)
    return name


@checked_step.check
async def took_effect(params, ctx) -> str:
    """It did."""
    note(params.file, f"check-{params.name}")
    return f"checked-{params.name}"


@checked_step.undo
async def undo_checked(params, receipt, ctx):
    """Leave a trace of what it was given."""
    note(params.file, f"undo-{receipt}")


@action("HOOKED_STEP")
async def hooked_step(file: str, name: str) -> str:
    """Leave a trace."""
    note(file, name)
    return name


@hooked_step.before_validate
async def rename(arguments, ctx):
    """Change the name, once."""
    note(arguments["file"], "before_validate")
    return {**arguments, "name": f"hooked-{arguments['name']}"}


@hooked_step.undo
async def undo_hooked(params, receipt, ctx):
    """Leave a trace of the params."""
    note(params.file, f"undo-{params.name}")


@action("PREPARED_STEP")
async def prepared_step(file: str, name: str) -> str:
    """Leave a trace."""
    note(file, name)
    return name


@prepared_step.preprocess
async def change(params, ctx):
    """Change the name, each time that it is called."""
    return {**params, "name": f"prepared-{params['name']}"}


prepared_step.undo(undo_hooked)


@action("LONG_STEP")
async def long_step(file: str, name: str) -> str:
    """Return more than is kept."""
    note(file, name)
    return "x" * 20_000


@long_step.undo(retry=Retry(0))
async def undo_long(params, receipt, ctx):
    """Leave a trace."""
    note(params.file, f"undo-{params.name}")


@action("UNDONE_LATE")
async def undone_late(file: str, name: str) -> str:
    """Leave a trace."""
    note(file, name)
    return name


@undone_late.undo(retry=Retry(1, initial="10ms", cap="10ms"))
def undo_late(params, receipt, ctx):
    """Fail as long as a file is there."""
    note(params.file, f"undo-{params.name}-{ctx.attempt}")
    if Path(f"{params.file}.stuck").exists():
        raise OSError


@action("CHOOSE")
async def choose() -> dict[str, Any]:
    """Return what a step has parameters for, and more."""
    return {"name": "chosen", "price": 3}


# One action alone


async def fail_after_all(file: str, how: str, *, ctx) -> None:
    """Fail at each attempt."""
    note(file, f"run-{ctx.attempt}")
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    raise (Fail if how == "fail" else OSError)("no")


async def make_good(params, error, ctx) -> Result:
    """Make it good, or fail too."""
    note(params.file, f"on_error-{error['code']}")
    if params.how == "twice":
        raise Fail("that too")
    return Result(None, (SetContext("made_good", value=True),))


made_good = action("MADE_GOOD", retry=QUICK)(fail_after_all)
made_good.on_error(make_good)
made_good_apart = action("MADE_GOOD_APART", retry=Retry(1, initial="10ms"), isolated=True)(fail_after_all)
made_good_apart.on_error(make_good)


async def third_time(file: str, word: str, *, ctx) -> str:
    """Succeed at the third attempt."""
    note(file, f"run-{word}")
    if ctx.attempt < 3:
        raise TryAgain(reason="not yet")
    return word


async def prefix(arguments, ctx) -> dict[str, Any]:
    """Change the arguments, once."""
    note(arguments["file"], "before_validate")
    return {**arguments, "word": f"hooked-{arguments['word']}"}


async def suffix(value, ctx) -> str:
    """Change the value, with each attempt that has one."""
    return f"{value}-seen"


hooked = action("HOOKED", retry=QUICK)(third_time)
hooked.before_validate(prefix)
hooked.after_run(suffix)
hooked_apart = action("HOOKED_APART", retry=QUICK, isolated=True)(third_time)
hooked_apart.before_validate(prefix)
hooked_apart.after_run(suffix)


@action("MADE_GOOD_IN_THE_MIDDLE")
async def stopped_in_the_middle(file: str) -> None:
    """Be cancelled."""
    note(file, "began")
    await asyncio.sleep(30)


@stopped_in_the_middle.on_error
async def good_in_the_middle(params, error, ctx):
    """Leave a trace."""
    note(params.file, f"on_error-{error['code']}")


@action("PAYS", approval=True)
async def pays(amount: int) -> str:
    """Need an approval of what its preprocessor left."""
    return f"paid {amount}"


@pays.preprocess
async def in_cents_too(params, ctx):
    """Change the amount, each time that it is called."""
    return {"amount": params["amount"] * 100}


@action("DANGEROUS", approval=Approval(when=lambda params: params.amount > 10))
async def dangerous(amount: int) -> str:
    """Need an approval above an amount."""
    return f"spent {amount}"


@dangerous.before_validate
def in_cents(arguments, ctx):
    """Nobody knows before what the amount will be."""
    return {"amount": arguments["amount"] * 100}


@action("ANNOUNCED")
async def announced(file: str) -> Result:
    """Be followed up by two others, of which one cannot be."""
    step = {"file": file, "name": "followed"}
    return Result("announced", (FollowUp("STEP", step), FollowUp("NO_SUCH_ACTION")))


@action("SHARED", dedupe=Dedupe("10m"))
async def shared(file: str) -> Result:
    """Run once for all who ask the same, and be followed up."""
    return Result({"name": "eve"}, (FollowUp("STEP", {"file": file, "name": "followed"}),))


TAKES_SHARED = steps("TAKES_SHARED", uses={"name": "SHARED.name"})


@action("ANNOUNCED_APART", isolated=True, approval=True)
def announced_apart(file: str) -> Result:
    """Be approved, run in a process of its own, and be followed up."""
    return Result("announced", (FollowUp("STEP", {"file": file, "name": "followed"}),))


@announced_apart.before_validate
def with_a_file(arguments, ctx):
    """Take what would not fit, too."""
    return {"file": arguments.get("path") or arguments["file"]}


@announced.undo
async def renounced(params, receipt, ctx):
    """Leave a trace of what it was given."""
    note(params.file, f"undo-{receipt}")


@action("COUNTED")
async def counted(ctx) -> Result:
    """Remember how often it ran in this conversation."""
    count = (await ctx.conversation.memory() or 0) + 1
    return Result(count, (Remember(count),))


@action("CRITICAL")
async def critical() -> None:
    """Stop the turn."""
    raise Stop("the account is closed", (SetContext("closed", value=True),))


# Chains for the fault points: each has actions of its own, so that each can be armed by itself

FORWARD: Final[tuple[Point, ...]] = (
    "after_claim", "before_handle", "after_handle", "before_finish", "after_finish",
)  # fmt: skip
ARMED: Final[dict[str, str]] = {}
"""Names of chains, and the file that arms the point at which each meets its fault."""


for _point in FORWARD:
    for _step in "123":
        ARMED[f"GOOD_{_point}_{_step}".upper()] = f"{_point}@GOOD_{_point.upper()}_{_step}_{_step}"
        if (_point, _step) != ("after_handle", "3"):  # it raises: nothing has returned
            ARMED[f"BAD_{_point}_{_step}".upper()] = f"{_point}@BAD_{_point.upper()}_{_step}_{_step}"
        if _step != "3":
            name = f"BAD_{_point}_UNDO_{_step}".upper()
            ARMED[name] = f"{_point}@undo.{name}_{_step}"
    ARMED[f"RESCUED_{_point}".upper()] = f"{_point}@on_error.RESCUED_{_point.upper()}_3"
    ARMED[f"FOLLOWED_{_point}".upper()] = f"{_point}@FOLLOWED_{_point.upper()}_F"


async def rescue_step(params, error, ctx) -> None:
    """Leave a trace."""
    note(params.file, f"on_error-{params.name}")


async def take_followed_step(file: str, name: str, *, ctx) -> Any:
    """Leave a trace, and be followed up."""
    done = await take_step(file, name, ctx=ctx)
    following = FollowUp(f"{ctx.action.removesuffix('_2')}_F", {"file": file, "name": "F"})
    return Result(done.value, (*done.directives, following))


for _chain in ARMED:
    for _step in "123F" if _chain.startswith("FOLLOWED") else "123":
        _made = steps(f"{_chain}_{_step}")
        if _chain.startswith("RESCUED") and _step == "3":
            _made.on_error(rescue_step)
        if _chain.startswith("FOLLOWED") and _step == "2":
            _made = action(f"{_chain}_2")(take_followed_step)
            _made.undo(undo_step)
        globals()[f"{_chain}_{_step}"] = _made
