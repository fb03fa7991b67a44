"""Scripts with a fault put in, to show that a play would notice it."""

from __future__ import annotations

from importlib.resources import files

from orchestrator.store.scripts import Script, join


def mutated(part: str, right: str, wrong: str) -> dict[str, Script]:
    """All scripts, with one passage of a Lua file (`claim`, `shared/ladder`) replaced."""
    folder = files("orchestrator.store") / "lua"
    texts = {
        f"{prefix}{entry.name.removesuffix('.lua')}": entry.read_text()
        for prefix, place in (("", folder), ("shared/", folder / "shared"))
        for entry in place.iterdir()
        if entry.name.endswith(".lua")
    }
    assert right in texts[part], f"{part}.lua has changed: choose another passage than {right!r}"
    texts[part] = texts[part].replace(right, wrong)
    shared = {
        name.removeprefix("shared/"): text for name, text in texts.items() if name.startswith("shared/")
    }
    return {name: join(name, text, shared) for name, text in texts.items() if "/" not in name}
