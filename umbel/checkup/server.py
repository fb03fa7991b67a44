"""The server: settings in; findings of what it says of itself out, and the settings with which it can be reached.

It is asked over a bare socket: that works without the client library, and before any of our scripts are of use.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from actions.errors import ConfigError
from orchestrator.settings import Settings
from orchestrator.store.health import facts_of
from umbel.checkup.findings import Finding, ok, problem, warning
from umbel.supervisor import EmbeddedRedis
from umbel.supervisor.binary import find_server
from umbel.supervisor.wire import Address, RefusedAnswer, ask

if TYPE_CHECKING:
    from orchestrator.store.health import Facts

_OLDEST: Final = 7
_TIMEOUT_S: Final = 5.0
_SKEW_S: Final = 2.0
_FULL: Final = 0.8
"""From this share of its memory on it is nearly full."""


def examine(settings: Settings) -> Iterator[tuple[Finding, Settings | None]]:
    """The server of these settings; beside what can be gone on with, how to reach it."""
    if not settings.is_embedded:
        yield from _asked(settings)
        return
    url = EmbeddedRedis(settings.home).find()
    if url is None:
        try:
            yield ok("server", f"embedded: {find_server()}; `umbel up` starts it"), None
        except ConfigError as error:
            yield problem("server", str(error), error.exit_code), None
        return
    yield ok("server", f"embedded, and running for {settings.home}"), None
    yield from _asked(settings.model_copy(update={"redis_url": SecretStr(url)}))


def _asked(settings: Settings) -> Iterator[tuple[Finding, Settings | None]]:
    """What a server that runs says of itself."""
    place, address = settings.redacted_url, Address.of(settings.store_url)
    try:
        facts = facts_of(str(ask(address, "INFO", timeout=_TIMEOUT_S)))
        skew_s = _skew(address)
    except RefusedAnswer as error:
        text = (
            f"{place} answers, and refuses: {error.word}. Check the user and the password in UMBEL_REDIS_URL"
        )
        yield problem("server", text), None
        return
    except OSError as error:
        text = f"{place} does not answer ({error.strerror or error}): start it, or correct UMBEL_REDIS_URL"
        yield problem("server", text), None
        return
    found = [_version(place, facts), *_mode(place, facts)]
    usable = all(each.state != "problem" for each in found)
    for each in (
        *found,
        _append_only(facts),
        *_snapshot(facts),
        _eviction(facts),
        _memory(facts),
        _clock(skew_s),
    ):
        yield each, settings if usable else None


def _skew(address: Address) -> float:
    """Seconds that the server's clock is ahead of ours (behind it: negative), give or take half a round trip."""
    before = time.time()
    answer = ask(address, "TIME", timeout=_TIMEOUT_S)
    after = time.time()
    if not isinstance(answer, list) or len(answer) < 2:  # noqa: PLR2004 - seconds and microseconds
        raise ConnectionError("its answer to TIME is none")
    theirs = int(str(answer[0])) + int(str(answer[1])) / 1e6
    return theirs - (before + after) / 2


def _version(place: str, facts: Facts) -> Finding:
    major = facts.compatible.partition(".")[0]
    name = f"{facts.product} {facts.version}"
    if not major.isdecimal() or int(major) < _OLDEST:
        return problem("server", f"{place} is {name}: version {_OLDEST} or newer is needed")
    return ok("server", f"{place} is {name}")


def _mode(place: str, facts: Facts) -> Iterator[Finding]:
    if facts.cluster:
        yield problem(
            "cluster",
            f"{place} is in cluster mode, which is not supported: name a server without it in UMBEL_REDIS_URL",
        )
    if facts.replica:
        yield problem(
            "replica", f"{place} is a replica, which nobody can write to: name its primary in UMBEL_REDIS_URL"
        )


def _append_only(facts: Facts) -> Finding:
    if facts.append_only is False:
        return warning("aof", "no append-only file: a restart loses accepted runs. CONFIG SET appendonly yes")
    if facts.append_only_works is False:
        return warning(
            "aof",
            "its last write to the append-only file failed: it refuses work until that succeeds. "
            "Look at its log, and for room on its disk",
        )
    return ok("aof", "accepted runs are on disk within a second")


def _snapshot(facts: Facts) -> Iterator[Finding]:
    if facts.snapshot_works is False:
        yield warning(
            "snapshot",
            "its last snapshot failed, and it may refuse all writes for that. Look at its log, and for room on its "
            "disk; who keeps an append-only file needs no snapshots: CONFIG SET save ''",
        )


def _eviction(facts: Facts) -> Finding:
    if facts.policy == "noeviction":
        return ok("eviction", "noeviction")
    advice = "it may throw records away when memory is full. CONFIG SET maxmemory-policy noeviction"
    return warning("eviction", f"maxmemory-policy is {facts.policy or 'unknown'}: {advice}")


def _memory(facts: Facts) -> Finding:
    """How full it is; with noeviction a full one refuses what is new, and loses nothing."""
    used = f"{facts.used_bytes / 2**20:,.0f} MiB"
    if not facts.most_bytes:
        return ok("memory", f"{used} used, without a bound (maxmemory)")
    share = facts.used_bytes / facts.most_bytes
    text = f"{used} used, {share:.0%} of maxmemory"
    if share < _FULL:
        return ok("memory", text)
    return warning(
        "memory", f"{text}: when it is full, nothing new is accepted. Raise maxmemory, or lower UMBEL_RUN_TTL"
    )


def _clock(skew_s: float) -> Finding:
    """Redis's clock is the house's; ours only dates what is given as a point in time."""
    if abs(skew_s) <= _SKEW_S:
        return ok("clock", f"{abs(skew_s) * 1_000:.0f} ms from Redis's")
    side = "behind" if skew_s > 0 else "ahead of"
    return warning(
        "clock",
        f"this machine's is {abs(skew_s):,.1f} s {side} Redis's: points in time that are given here (deadlines, "
        "--since) are off by that. Let both follow NTP",
    )
