"""What stands in the home folder is its owner's alone."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from actions.errors import ConfigError
from orchestrator.settings import Settings
from umbel import home
from umbel.private import open_log, write_private
from umbel.supervisor import Process


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_private_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "new" / "file"
    for text in ("first", "second ä"):
        write_private(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="UMBEL_HOME"):
        write_private(tmp_path / "file" / "env", "")


def test_a_log_and_its_folder_are_the_owners_alone(tmp_path):
    log = tmp_path / "logs" / "child.log"
    with Process("a child", [sys.executable, "-c", "print('hello')"], log=log) as process:
        process.wait()
    assert log.read_text() == "hello\n"
    assert (mode(log), mode(log.parent)) == (0o600, 0o700)


def test_a_log_that_others_could_read_becomes_private_and_goes_on(tmp_path):
    log = tmp_path / "child.log"
    log.write_text("before\n")
    log.chmod(0o644)
    with open_log(log) as file:
        file.write(b"after\n")
    assert log.read_text() == "before\nafter\n"
    assert mode(log) == 0o600


def test_the_env_file_of_a_killed_umbel_is_replaced_at_the_next_start_and_gone_after_it(tmp_path):
    settings = Settings.model_validate({"home": tmp_path, "redis_url": "redis://:new@h/0"})
    path = tmp_path / home.ENV_FILE
    path.write_text("export UMBEL_REDIS_URL=redis://:old@h/0\n")
    path.chmod(0o644)
    with home.env_file(settings):
        assert ":new@" in path.read_text()
        assert ":old@" not in path.read_text()
        assert mode(path) == 0o600
    assert not path.exists()
