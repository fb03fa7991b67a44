"""The Lua files: small, with a header, and true to the legend of keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestrator.store
from orchestrator.store import keys, scripts
from orchestrator.store.scripts import BadScript, join, load

FOLDER = Path(orchestrator.store.__file__).parent / "lua"
OWN = sorted(FOLDER.glob("*.lua"))
SHARED = sorted(FOLDER.glob("shared/*.lua"))
HEADER = "-- x: what it does.\n-- NEEDS: base\n-- KEYS: [1] prefix\n-- ARGV: frame(3)\n-- RETURNS: 'ok'\n"


def kinds_in(text: str) -> set[str]:
    """Which kinds of keys a text of Lua touches: what stands between the prefix and the first colon."""
    found = re.findall(r"P \.\. '([a-z]+)[:']", text)
    found += re.findall(r"'(rdy|rot|sus|alone):'", text)  # names put together before the prefix
    for row in re.findall(r"ipairs\(\{ ('[a-z]+:'(?:, '[a-z]+:')*) \}\)", text):  # kinds of one conversation
        found += re.findall(r"[a-z]+", row)
    return set(found) | ({"r"} if "run_key(" in text else set())


def kinds_asked_in(text: str) -> set[str]:
    """Which kinds of keys a text of Python asks for without a script."""
    return set(re.findall(r"prefix\}([a-z]+)[:\"]", text))


def legend() -> set[str]:
    """The kinds of keys that the legend explains."""
    rows = [line.split("|")[1] for line in (keys.__doc__ or "").splitlines() if line.startswith("| `")]
    return {name.split(":")[0] for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_script_has_at_most_60_lines(path):
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_script_opens_with_its_name_and_what_it_does(path):
    assert re.match(rf"-- {path.stem}: \w", path.read_text())


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_a_shared_part_opens_with_its_name_and_what_it_is_for(path):
    assert re.match(rf"-- {path.stem}: \w", path.read_text())


def test_every_script_loads_and_every_shared_part_is_needed():
    loaded = load()
    assert set(loaded) == {path.stem for path in OWN}
    for part in SHARED:
        assert any(part.read_text() in script.source for script in loaded.values()), part


def test_a_script_is_joined_behind_what_it_needs_in_that_order():
    text = HEADER.replace("base", "b a") + "return 'ok'"
    script = join("x", text, {"a": "local a", "b": "local b"})
    assert script.source == f"local b\nlocal a\n{text}"
    assert re.fullmatch("[0-9a-f]{40}", script.sha)


@pytest.mark.parametrize("line", ["NEEDS", "KEYS", "ARGV", "RETURNS"])
def test_a_header_that_lacks_a_line_is_refused(line):
    with pytest.raises(BadScript, match=rf"x\.lua has no header line {line}"):
        join("x", HEADER.replace(f"{line}:", "…"), {"base": ""})


def test_a_need_that_is_not_there_is_refused():
    with pytest.raises(BadScript, match="base"):
        join("x", HEADER, {"other": ""})


def test_scripts_are_read_once_in_a_process():
    assert load() is load()
    assert scripts.load.cache_info().hits > 0


def test_a_script_that_may_settle_something_tells_of_it_at_its_end():
    for entry in (Path(orchestrator.store.__file__).parent / "lua").glob("*.lua"):
        text = entry.read_text()
        if " settle" in text.partition("-- KEYS")[0]:
            assert "close_rounds(" in text or "conclude(" in text, entry.name


def test_the_legend_names_every_key_that_is_used_and_no_other():
    used = set().union(*(kinds_in(path.read_text()) for path in OWN + SHARED))
    asked = set().union(*(kinds_asked_in(path.read_text()) for path in FOLDER.parent.glob("*.py")))
    assert {"cache", "hub"} <= asked - used  # these are no script's
    assert used | asked == legend()


def test_a_key_that_is_not_in_the_legend_would_be_found():
    assert kinds_asked_in('["GET", f"{self._connection.prefix}secret:{id}"], [f"{prefix}open"]') == {
        "secret",
        "open",
    }
    assert kinds_in("call('SET', P .. 'secret:' .. id, 1)") == {"secret"}
    assert kinds_in("call('GET', P .. 'fence')") == {"fence"}


async def test_every_key_that_a_busy_store_holds_is_in_the_legend(world):
    await world.offer()
    await world.open()
    await world.say("turn_x")
    await world.say("turn_y")
    await world.take("p1", lane="turns")
    await world.submit("run_a", "run_b", "run_c", reply_to="mail")
    await world.runs.cancel("run_c")
    (first, second) = await world.take("p2")
    await world.runs.cancel(first.id)
    await world.end(second, "again", "1", delay_ms=9_000, why="backoff", pump="p2")
    await world.claim("p3")
    await world.submit("run_d")
    await world.runs.tick(["actions"], gate_ms=1_000)
    kinds = {key.split(":")[0] for key in await world.keys()} - {"celery"}
    assert kinds <= legend()
    assert len(kinds) >= 18


def test_lanes_and_prefixes_are_put_together_as_the_legend_says():
    assert keys.prefix("umbel", "a") == "umbel{a}:"
    assert keys.lane("actions", threaded=False) == "actions"
    assert keys.lane("actions", threaded=True) == "actions/t"
