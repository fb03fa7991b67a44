"""The legend: every key in Redis, what it holds, who writes it and when it ends. The scripts use the same names.

All keys begin with `<namespace>{<cell>}:`; the braces keep a cell's keys together on one node.

| key | type | what | ends |
|---|---|---|---|
| `r:<run>` | hash | the record of a run (fields below) | EXPIRE `run_ttl` once terminal; of a round, once that is complete |
| `t:<turn>` | hash | a turn: c conversation, s status, d digest of the request, round, left (calls without a result), ids (runs in call order), go / stop (whether it goes on), q a p u (what leads it on), n<round> (calls of each round), prev (the turn before), max rounds, msg (a user message that waits), fu (follow-ups so far), inj (some turns wait to go into it), ij / into (1: it is to go into the live one, first: it has interrupted that; into which it went), ans (it was answered), ev (what is run after it, JSON), e (why it failed, JSON), began and ended (µs) | EXPIRE `run_ttl` once ended |
| `ch:<turn>.<round>` | hash | a chain: n steps, cl (steps without an end), t turn, cf why it has failed (the step's place, or a word), un (steps still to be undone, the first is being), settled | EXPIRE `run_ttl` once settled |
| `c:<conversation>` | hash | s status (idle, live, completed until the next message), live turn, last turn, was (the last that lived), del (it is to be removed), rev revision, st state, sr the state's revision, mach state machine, u tenant, who principal, perm what the principal may do (permissions parted by spaces), created (µs), mode (of its replies), agent, dial (dialects of its replies), no (notes wait), dg (digest of what was asked for under its key), `x:<key>` context as JSON, `k:<action>` what an action remembers, `d:<action>` the run by which it succeeded, `p:<name>` a participant | EXPIRE `conversation_ttl` while no turn lives |
| `m:<conversation>` | list | its messages, OpenAI chat shape, JSON | with `c:` |
| `in:<conversation>` | list | turns that wait until the live one has ended | gone when empty |
| `no:<conversation>` | list | notes that wait until the live turn has ended | then |
| `ev:<conversation>` | stream | what happened, for watchers; capped near 1,000 entries; also `ev:<run>` of a run without conversation, from when somebody watches it | with `c:`; EXPIRE `run_ttl` |
| `lk:<lock>` | list | who holds a lock (the first `places`) and who waits for it, in turn; a run, or a ghost | gone when empty |
| `lw:<limit>` | list | who waits at a rate limit in its place; the first has the turn | gone when empty |
| `lp:<limit>` | zset | who waits for long at a limit, without any place, by the time it came | gone when empty |
| `lim:<limit>` | list | an exact limit's last starts (µs), the newest first | PEXPIRE window + 10 s |
| `tat:<limit>` | string | a GCRA limit's theoretical arrival time (µs); of requests, too (`~api:<key>`) | PX until then + window + 10 s |
| `cool:<limit>` | string | until when (µs) a limit lets nobody through | PX until then + 10 s |
| `limits` | hash | what operators changed: a limit's name, or one key of it, to `n per_us burst cost` | kept; 1,000 fields at most |
| `gh:<run>~<fence>` | string | the locks of a ghost: a handler that goes on after its run has ended | when it ends, or its pump's lease |
| `jn:<run>` | list | runs that joined this one (dedupe), 2,000 at most: more are refused | when it ends |
| `dd:<digest>` | string | the run that later ones are the same as (dedupe) | PX the window |
| `br:<barrier>` | string | how many runs, on whose ends others wait together, have not ended | when they have |
| `bw:<barrier>` | list | the runs that wait for these ends | gone when empty |
| `rdy:<lane>:<priority>:<tenant>` | list | runs that may start now | gone when empty |
| `rot:<lane>:<priority>` | list | the tenants whose ready list is not empty, next one first | gone when empty |
| `sus:<lane>`, `alone:<lane>` | lists | suspects that run among few, or alone | gone when empty |
| `alonetok:<lane>` | string | the pump that empties itself to run one alone | PX 5 s |
| `asks` | zset | runs that wait for a person, by time (µs) | gone when empty |
| `ask:<key>` | string | the newest run that asks for an approval under this key | PX until that expires |
| `dead` | zset | runs that ended dead, failed or timed out, by time (µs); 10,000 at most | EXPIRE `run_ttl` |
| `stuck` | zset | steps whose undo failed, by time (µs); 10,000 at most | EXPIRE `run_ttl` |
| `audit` | stream | who asked for what, what was decided, how it ended; near `audit_cap` entries | one key, capped |
| `runs:<tenant>` | stream | its newest runs, an entry for all that a script recorded; near 20,000 entries | EXPIRE `run_ttl` |
| `watched` | zset | runs without conversation that somebody watches, until (µs); `ev:<run>` tells of them | EXPIRE `run_ttl`; each when it ends |
| `hub:<process>` | stream | tokens that interrupt a process's blocking read over event streams; one entry | EXPIRE 60 s |
| `cache:<tenant>:<key>` | string | a value that a handler keeps, JSON; the key quoted or digested | PX what it asks for, 30 days at most |
| `due` | zset | by time (µs): a run whose wait is over then, `G<limit>` or `K<places> <lock>` (who has the turn there looks again), `D<run>` (a deadline), `A<run>` (nobody has approved it), `X<conversation>` (more of it is to be removed), `B<barrier>` (more of what waited there may go on) | gone when empty |
| `live` | zset | pumps by the end (µs) of their lease | `release`, `tick` |
| `held:<pump>` | set | the runs that a pump holds, and its ghosts | gone when empty |
| `cx:<pump>`, `ctl:<pump>` | set, list | runs that it is to cancel; a token for each, which it waits for | EXPIRE 60 s |
| `slp:<lane>`, `hot:<lane>` | zsets | pumps with room in the lane, asleep on their wake key, or awake with another claim promised, until (µs) | `claim`, `tick` |
| `wake:<pump>` | list | tokens that wake it from its sleep | its next `claim`, PEXPIRE 60 s |
| `nudged:<queue>` | string | a nudge was sent just now | PX 200 ms |
| `env:<queue>` | hash | key: the Celery queue's list; message: a nudge as Celery writes it | EXPIRE 30 days, renewed by workers |
| `queues` | zset | queues that workers serve, until (µs) | `tick`; one member a queue |
| `keys` | hash | API keys: an id to its record, JSON, with the digest of its secret; 10,000 at most | kept until revoked |
| `health` | string | that the server could be written just now | PX 10 s |
| `ticked` | string | one tick a second is enough for all hosts | PX |
| `z:<reply>` | list | `<run> <status> <result>` for a submitter that waits | PEXPIRE 60 s |
| `fence` | string | the last fence: grows for ever, never below the clock in µs | one key, kept |

Fields of `r:<run>`; times are µs since the epoch, absent means the default:

    field         written by      what it says
    s             every step      status
    q, p, u       submit          lane; priority (0 high, 1 normal, 2 low); tenant
    a             submit          payload (`actions.payload.Payload`), opaque here
    c, t, i, h    round           conversation, turn, place in the round (`next`: it leads the turn on; `chain`, `undo`, `f`:
                                  it holds a chain's locks, undoes, follows up), head of its message
    z, x, nx      submit          list that its end is told to; open dependencies; runs that depend on it
    at, since     submit, all     when it was recorded; when its status began
    n, b          claim           attempts begun (not those handed back); when it was first claimed
    f, m          claim           fence and pump of the last claim
    y, until      waiting         why it waits, and until when if that is known
    e, r          finish          what the last attempt said, if it comes again; the result, as JSON
    sus, k, d     release         suspicion (1 among few, 2 alone), strikes, deaths of workers that it saw
    cr, late      cancel, finish  why it is being cancelled; what a handler did after the run's end, as JSON
    ex            submit          it has one of the following; 2: one of the second table
    g             submit          its guards, a line each (see `incoming`)
    w, la         claim           the rung of the ladder up to which it has places, and when it came there
    pk, pks       claim           the limit it is parked at, or was until it climbs; since when
    tau           claim           how its limits stood after its charges, and the units, for refunds
    dl, qd        submit          total deadline; deadline of its first claim
    ou, chk       submit, finish  what follows an unknown outcome; what the next attempt has to check
    br            submit          the barrier that its end lowers
    dg            submit          digest of the request under its idempotency key
    dd, ddms, ddmode  submit      by what it is the same as others, for how long (ms), and what follows

    ch, uf        round           step or lead of a chain; whether it can be undone (1 with its result, 2 without, too)
    uk, jd        finish, submit  an attempt's effect is unknown; its result is that of an earlier run (dedupe)
    undo, ue, un  finish          pending, undone or failed; what its undo failed with; how many undos were begun
    of            finish          the run that it undoes
    tm, tn        finish          what the model is told in place of the result; what is true since an undo was tried again
    oe, ph        submit, finish  its action has an `on_error`; the status that it ends with after that (`e`: the error)
    ap, apd, aps, apx  submit     approval wanted or given; digest of what for; since when; until when
    av, apw, dy   submit, decide  the arguments that a person sees, JSON; who approved; not before this time even then
    ha            finish          the arguments as their hooks left them, JSON
    par, kids, fl finish          the run that it follows up; those that follow it up, and how many of them have not ended
    fu            finish          follow-ups so far, of a run without turn
    did           round           the name under which the conversation remembers its success
    nt            submit          what stands before its end in a note to the conversation
    ed, rp, ro    people          arguments put in the place of its own for a replay, JSON; the run that took it up again;
                                  the run that it took up again

A lane is a queue and what its runs need of a pump: `actions` (a place on the loop), `actions/t` (a thread),
`actions/i` (a process of their own).
"""  # noqa: E501 - rows of a table

from __future__ import annotations

from typing import Final

THREADS: Final = "/t"
"""Suffix of the lane for sync handlers."""
ISOLATED: Final = "/i"
"""Suffix of the lane for isolated runs."""


def prefix(namespace: str, cell: str) -> str:
    """What every key begins with."""
    return f"{namespace}{{{cell}}}:"


def lane(queue: str, *, threaded: bool = False, isolated: bool = False) -> str:
    """The lane of a queue for async (a place on the loop), sync (a thread) or isolated (a process) handlers."""
    return queue + (ISOLATED if isolated else THREADS if threaded else "")


def base_queue(lane: str) -> str:
    """The queue that a lane belongs to."""
    return lane.removesuffix(THREADS).removesuffix(ISOLATED)


def ghost(run: str, fence: str) -> str:
    """The name under which a pump holds a handler that goes on after its run's end."""
    return f"{run}~{fence}"
