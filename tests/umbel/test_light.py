"""`pip install umbel` is light: without its extras it declares actions, asks a service, and says what is missing.

Each test runs in a process that finds nothing of what is installed here but what the base requirements bring.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from umbel import extras

ROOT = Path(__file__).parents[2]
PACKAGES = ["actions", "orchestrator", "workers", "umbel"]

HIDING = """
import json, sys
hidden = set(json.loads(sys.argv.pop(1)))

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Hiding(each) for each in sys.meta_path]
"""

PUBLIC = """
import umbel
assert "httpx" not in sys.modules and "pydantic" not in sys.modules
for name in umbel.__all__:
    getattr(umbel, name)
for name in ("Celery", "redis"):
    assert not hasattr(umbel, name)
try:
    umbel.Umbel("redis://127.0.0.1:1/0")
except umbel.ConfigError as error:
    print(error)
with umbel.Client("http://127.0.0.1:1", retries=0) as client:
    try:
        client.run("run_a1")
    except umbel.Unreachable as error:
        print(error.code)
"""

COMMANDS = """
from click.testing import CliRunner
from umbel.cli import main

told = []
for words, given in json.loads(sys.argv.pop(1)):
    done = CliRunner().invoke(main, words, input=given, prog_name="umbel")
    told.append([done.exit_code, done.stdout, done.stderr])
print(json.dumps(told))
"""


def plain(name: str) -> str:
    """A distribution's name, of which there are many spellings."""
    return name.lower().replace("_", "-")


@cache
def hidden() -> tuple[str, ...]:
    """The modules that are installed here and that the base requirements do not bring."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names: set[str] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        name = plain(requirement.name)
        if name in names or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        names.add(name)
        wanted += metadata.requires(name) or []
    return tuple(
        module
        for module, owners in metadata.packages_distributions().items()
        if module not in PACKAGES and not names & set(map(plain, owners))
    )


def run(program: str, *arguments: str, **env: str) -> str:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "examples")])
    done = subprocess.run(
        [sys.executable, "-c", HIDING + program, json.dumps(hidden()), *arguments],
        env={**os.environ, "PYTHONPATH": paths, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_base_brings_nothing_of_the_extras():
    brought = {module for modules in extras.MODULES.values() for module in modules}
    assert brought & metadata.packages_distributions().keys() <= set(hidden())
    assert not {"httpx", "pydantic", "click", "rich", "docstring_parser"} & set(hidden())
    assert {"celery", "kombu", "flower", "redis", "fastapi", "starlette", "uvicorn"} <= set(hidden())


def test_every_public_name_is_there_without_the_extras_and_what_needs_one_says_which():
    told, code = run(PUBLIC).splitlines()
    assert told == (
        'this needs redis, which is not installed. Install it: pip install "umbel[worker]", '
        'or pip install "umbel[server]" for the HTTP API'
    )
    assert code == "unreachable"


@cache
def commands() -> dict[str, tuple[int, str, str]]:
    """What each command does without the extras: its exit code, and what it says."""
    asked: list[tuple[list[str], str | None]] = [
        (["--help"], None),
        (["actions", "--json"], None),
        (["actions", "--tools", "openai"], None),
        (["parse"], '{"id": 1, "text": "[ACTION:SAVE]{}[/ACTION]"}\n'),
        (["worker", "--help"], None),
        *((words.split(), None) for words in NEEDING),
    ]
    env = {"UMBEL_ACTIONS": "shop", "UMBEL_REDIS_URL": "redis://127.0.0.1:1/0"}
    told: list[Any] = json.loads(run(COMMANDS, json.dumps(asked), **env))
    return {" ".join(words): tuple(each) for (words, _), each in zip(asked, told, strict=True)}


NEEDING = {
    "worker": "celery", "up": "celery", "demo": "celery", "bench": "celery", "flower": "celery",
    "api": "fastapi", "keys list": "redis", "show run_a1": "redis", "cancel run_a1": "redis",
    "approvals": "redis", "dead list": "redis", "undo list": "redis", "audit": "redis", "limits": "redis",
    "submit ADD": "redis", "list": "redis", "queues": "redis", "watch run_a1": "redis",
}  # fmt: skip


@pytest.mark.parametrize(
    "words", ["--help", "actions --json", "actions --tools openai", "parse", "worker --help"]
)
def test_what_needs_no_extra_works_without_them(words):
    code, out, err = commands()[words]
    assert (code, err) == (0, "")
    if words.startswith("actions"):
        assert "TAKE_ORDER" in out
    if words == "parse":
        assert json.loads(out)["calls"][0]["name"] == "SAVE"


@pytest.mark.parametrize("words", NEEDING)
def test_a_command_whose_extra_is_missing_says_which_in_one_line(words):
    code, _, err = commands()[words]
    (line,) = err.splitlines()
    assert line.startswith(
        f"umbel: this needs {NEEDING[words]}, which is not installed. Install it: pip install "
    )
    extra = "server" if NEEDING[words] == "fastapi" else "worker"
    assert f'"umbel[{extra}]"' in line
    assert code == 78


def test_what_an_extra_brings_is_what_the_project_says():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    owners = metadata.packages_distributions()
    for extra, requirements in declared.items():
        for each in requirements:
            name = plain(Requirement(each).name)
            mine = {module for module, names in owners.items() if name in map(plain, names)}
            assert mine & set(extras.MODULES[extra]), f"{extra} brings {name}"


def test_another_missing_module_is_not_taken_for_an_extras():
    assert extras.missing(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert extras.missing(ImportError("cannot import name 'x'", name="redis")) is None
    extras.need("worker", "server")
