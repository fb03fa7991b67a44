"""What is wrong in a module of actions is said with the file and the line in which its author wrote it."""

from __future__ import annotations

import secrets

import pytest

from actions.errors import ConfigError, DeclarationError, UmbelError
from actions.importing import imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of a fresh name; tell its name and its path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(*lines: str, folder: str = "") -> tuple[str, str]:
        name = f"m{secrets.token_hex(6)}"
        home = tmp_path / folder if folder else tmp_path
        home.mkdir(exist_ok=True)
        path = home / f"{name}.py"
        path.write_text("\n".join(["from umbel import Lock, RateLimit, Retry, action", *lines]))
        return name, str(path)

    return write


def said(name: str) -> UmbelError:
    with pytest.raises(UmbelError) as caught:
        imported(name)
    return caught.value


@pytest.mark.parametrize(
    ("lines", "line", "advice"),
    [
        (("", "", "LOCK = Lock('{item}')"), 4, "the lock '{item}' has to begin with a plain word"),
        (("", "RateLimit(5, per='minute')"), 3, "'minute' is no duration"),
        (("@action('X', retry=3)", "async def x() -> None: ..."), 2, "X: retry has to be a Retry"),
    ],
)
def test_a_wrong_declaration_names_file_and_line(module, lines, line, advice):
    name, path = module(*lines)
    error = said(name)
    assert isinstance(error, DeclarationError)
    assert str(error).startswith(f"{path}, line {line}: {advice}")


def test_the_line_is_the_last_one_of_the_authors_own_code(module):
    name, path = module("def limit():", "    return RateLimit(5, per='minute')", "", "limit()")
    assert str(said(name)).startswith(f"{path}, line 3: ")


def test_a_field_that_a_policy_does_not_have_is_answered_with_those_it_has(module):
    name, path = module("Retry(3, intial='1s')")
    error = said(name)
    assert isinstance(error, DeclarationError)
    assert str(error) == (
        f"{path}, line 2: Retry has no intial (did you mean initial?); it has retries, initial, factor, cap, on, never"
    )


def test_a_module_that_breaks_says_in_which_line(module):
    name, path = module("", "1 / 0")
    error = said(name)
    assert isinstance(error, ConfigError)
    assert f"ZeroDivisionError: division by zero ({path}, line 3)" in str(error)


def test_a_module_that_is_not_there_names_the_setting():
    assert "UMBEL_ACTIONS" in str(said("there_is_no_such_module"))
