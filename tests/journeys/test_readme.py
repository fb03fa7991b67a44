"""What the README shows is what stands in examples/, and it prints what the README says."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actions.definition import Action
from actions.registry import Registry
from actions.states import StateMachine
from workers_under_test import start_worker

if TYPE_CHECKING:
    from orchestrator.settings import Settings

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_code_of_the_readme_stands_in_the_examples() -> None:
    assert [(ROOT / "examples" / name).read_text() for name in ("shop.py", "ask.py")] == PYTHON[:2]
    assert len(PYTHON) == 3, "the client's is run by test_client.py"


@pytest.mark.processes
def test_the_examples_print_what_the_readme_says(settings: Settings) -> None:
    name = f"t{secrets.token_hex(6)}"
    own = settings.model_copy(
        update={"namespace": name, "celery_prefix": f"{name}:", "actions": ("shop",), "linger_ms": 300}
    )
    examples = ROOT / "examples"
    paths = os.pathsep.join([str(examples), str(ROOT)])
    with start_worker(own, extra_path=examples):
        told = subprocess.run(
            [sys.executable, "ask.py"],
            cwd=examples,
            env=dict(os.environ) | own.environ() | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert told.returncode == 0, told.stderr
    assert f"```\n{told.stdout}```" in README


def test_the_line_for_parse_prints_what_the_readme_says() -> None:
    command = re.search(r"echo '(\{\"id\": 1.*?)' \| \.venv/bin/umbel parse", README)
    assert command is not None
    told = subprocess.run(
        [sys.executable, "-m", "umbel", "parse"],
        cwd=ROOT,
        input=command[1] + "\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert f"```json\n{told.stdout}```" in README
    assert json.loads(told.stdout)["errors"] == []


def test_the_code_of_the_guide_can_be_declared() -> None:
    """Each block is a module of its own; a declaration that is wrong raises here."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "actions.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 4
    found: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/actions.md", "exec"), found)
    actions = [each for each in found.values() if isinstance(each, Action)]
    machines = [each for each in found.values() if isinstance(each, StateMachine)]
    registry = Registry(actions, machines)
    assert registry.resolve("SEND_MONEY").name == "TRANSFER"
    assert registry.machine("notes").next("OPEN", {"notes": list(range(10))}) == "FULL"


def test_what_the_readme_declares_can_be_declared() -> None:
    """Each row of the table of guarantees is what `@action` takes; so is the code of the guide to `act` good Python."""
    import umbel

    given = re.findall(r"^\| `([a-z_]+=.+?)` \| ", README, flags=re.MULTILINE)
    assert len(given) == 7
    found: dict[str, object] = {name: getattr(umbel, name) for name in umbel.__all__}
    text = "from typing import Any\n@action('X')\nasync def x(principal: str = '') -> None:\n    'Do.'\n"
    for each in given:
        declared = text.replace("'X'", f"'X', {each}")
        if each.startswith("on_unknown"):
            declared += "@x.check\nasync def known(params, ctx): ...\n"
        exec(compile(declared, "README.md", "exec"), dict(found))
    [block] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "act.md").read_text(), flags=re.DOTALL)
    exec(compile(block, "docs/act.md", "exec"), found)
