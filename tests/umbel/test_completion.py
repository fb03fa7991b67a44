"""Shell completion: a script for each shell, commands out of the table, names of actions out of the modules."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from actions.definition import action
from umbel import cli

ROOT = Path(__file__).parents[2]


@action("BREW")
async def brew() -> None:
    """Make tea. With care."""


def completed(words: str, **env: str) -> list[str]:
    """What bash is offered for the last of these words."""
    asked = {"_UMBEL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(cli.main, prog_name="umbel", env=asked | env)
    assert result.stderr == ""
    return [line.removeprefix("plain,") for line in result.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_umbel_and_ends_with_how_to_install_it(shell):
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    result = CliRunner().invoke(cli.main, ["completion", shell])
    assert result.exit_code == 0, result.stderr
    assert f"_UMBEL_COMPLETE={shell}_complete" in result.stdout
    assert result.stdout.splitlines()[-1].startswith(f"# To install it: umbel completion {shell} > ")
    told = json.loads(CliRunner().invoke(cli.main, ["completion", shell, "--json"]).stdout)
    assert told["script"] in result.stdout


def test_the_help_keeps_a_line_for_each_shell():
    text = CliRunner().invoke(cli.main, ["completion", "--help"]).stdout
    assert "\\b" not in text
    assert [line.split()[0] for line in text.splitlines() if " umbel completion " in line] == [
        "bash",
        "zsh",
        "fish",
    ]


def test_bash_can_read_the_script():
    if (bash := shutil.which("bash")) is None:
        pytest.skip("there is no bash")
    script = CliRunner().invoke(cli.main, ["completion", "bash"]).stdout
    subprocess.run([bash, "-n"], input=script, text=True, check=True)


def test_commands_are_offered_without_importing_one():
    code = """
import os, sys
os.environ |= {"_UMBEL_COMPLETE": "bash_complete", "COMP_WORDS": "umbel d", "COMP_CWORD": "1"}
from click.testing import CliRunner
from umbel import cli
result = CliRunner().invoke(cli.main, prog_name="umbel")
assert {f"plain,{name}" for name in ("dead", "demo", "deny", "doctor")} == set(result.stdout.split()), result.stdout
imported = {name for name in sys.modules if name.startswith("umbel.cli.")}
assert not imported, imported
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_of_actions_are_offered_whatever_the_case(monkeypatch):
    monkeypatch.setitem(sys.modules, "completion_under_test", sys.modules[__name__])
    assert completed("umbel submit br", UMBEL_ACTIONS="completion_under_test") == ["BREW"]
    assert completed("umbel list --action B", UMBEL_ACTIONS="completion_under_test") == ["BREW"]
    assert "NONE" in completed("umbel submit ", UMBEL_ACTIONS="completion_under_test")


@pytest.mark.parametrize("module", ["nowhere.actions", "noisy_under_test"])
def test_what_is_wrong_with_the_actions_is_no_completion(tmp_path, monkeypatch, module):
    (tmp_path / "noisy_under_test.py").write_text("print('loading')\nraise SystemExit('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert completed("umbel submit B", UMBEL_ACTIONS=module) == []
