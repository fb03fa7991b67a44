"""The command: quick to ask, one line for an error, an exit code that scripts can use."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from actions.errors import ConfigError, StoreUnavailable
from umbel import __version__, cli

ROOT = Path(__file__).parents[2]


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def failing(monkeypatch):
    """A sub-command that raises what it is given."""

    def make(error: BaseException) -> CliRunner:
        @click.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(sys.modules[__name__], "fail", fail, raising=False)
        monkeypatch.setitem(cli.COMMANDS, "fail", cli.Entry(__name__, "fail", "Fails."))
        return CliRunner()

    return make


def test_help_lists_every_command_and_imports_none():
    code = """
import sys
from click.testing import CliRunner
from umbel.cli import COMMANDS, main
result = CliRunner().invoke(main, ["--help"])
assert result.exit_code == 0, result.output
assert all(f"  {name} " in result.output for name in COMMANDS), result.output
heavy = {"asyncio", "celery", "fastapi", "httpx", "kombu", "orchestrator", "pydantic", "redis", "rich", "uvicorn"}
imported = {name.partition(".")[0] for name in sys.modules}
assert not heavy & imported, heavy & imported
assert not {name for name in sys.modules if name.startswith("umbel.cli.")}
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_help_of_a_command_imports_no_more_than_click():
    code = """
import sys
from click.testing import CliRunner
from umbel.cli import COMMANDS, main
for name in COMMANDS:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
heavy = {"celery", "fastapi", "httpx", "kombu", "prometheus_client", "pydantic", "redis", "rich", "tornado", "uvicorn"}
imported = {name.partition(".")[0] for name in sys.modules}
assert not heavy & imported, heavy & imported
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def commands():
    """All commands by the words that call them, those of groups too."""
    for name, entry in cli.COMMANDS.items():
        command = getattr(import_module(entry.module), entry.attribute)
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", found) for each, found in command.commands.items())
        else:
            yield name, command


def test_every_command_speaks_json_but_those_that_become_a_server():
    silent = {
        name for name, command in commands() if "--json" not in {o for p in command.params for o in p.opts}
    }
    assert silent == {"api", "worker", "flower"}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_in_the_table_can_be_asked_for_help(name):
    result = CliRunner().invoke(cli.main, [name, "--help"])
    assert result.exit_code == 0, result.output


def test_the_version_is_told():
    assert __version__ in CliRunner().invoke(cli.main, ["--version"]).output


def test_an_unknown_command_is_a_usage_error():
    result = CliRunner().invoke(cli.main, ["fly"])
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_a_command_that_is_spelt_wrongly_is_answered_with_the_nearest():
    result = CliRunner().invoke(cli.main, ["limts"])
    assert result.exit_code == 2
    assert "No such command 'limts'. Did you mean 'limits'?" in result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("the port is a fish", where="UMBEL_X", fix="Name\na number"), 78),
        (StoreUnavailable("gone"), 69),
    ],
)
def test_an_expected_error_is_one_line_and_its_own_exit_code(failing, error, code):
    result = failing(error).invoke(cli.main, ["fail"])
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("umbel: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_an_unexpected_error_is_one_line_and_debug_shows_where(failing):
    runner = failing(ZeroDivisionError("oh"))
    quiet = runner.invoke(cli.main, ["fail"])
    assert quiet.exit_code == 70
    assert quiet.stderr == "umbel: unexpected ZeroDivisionError: oh (--debug shows where)\n"
    assert "Traceback" in runner.invoke(cli.main, ["--debug", "fail"]).stderr


@pytest.mark.parametrize("name", ["actions", "orchestrator"])
def test_a_file_of_the_user_that_hides_a_package_is_named(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("print('mine')")
    start = f"import sys; sys.path.append({str(ROOT)!r}); from umbel.cli import main; main(['doctor'])"
    done = python("-c", start, cwd=tmp_path)
    assert done.returncode == 78
    assert str(tmp_path / f"{name}.py") in done.stderr
    assert "rename it" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_module_is_the_command():
    assert python("-m", "umbel", "--version").stdout.strip().endswith(__version__)
