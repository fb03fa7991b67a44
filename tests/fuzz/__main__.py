"""`python -m fuzz`: feeds intake with replies that a coverage-guided fuzzer makes of the table of replies.

Ends with 0 if nothing was found, 1 if something was (the inputs stay in a folder that is named), 2 if atheris is
missing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "orchestrator" / "intake")]

_TOLD = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+)")
_WAYS = 6
"""Ways to read that the first byte of an input chooses from."""


def main() -> int:
    """Read the command line, fuzz, tell what was found."""
    given = _arguments()
    if find_spec("atheris") is None:
        sys.stderr.write(f"fuzz: needs atheris: {sys.executable} -m pip install atheris\n")
        return 2
    folder = given.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as place:
        seeds = given.corpus or Path(place)
        _seed(seeds)
        (words := Path(place) / "words.dict").write_text("\n".join(_words()), encoding="utf-8")
        runs, covered = _run(given.seconds, folder, seeds, words)
    found = sorted(each.name for each in set(folder.iterdir()) - before if each.suffix != ".input")
    told = [f"{runs:,} replies in {given.seconds} s, {covered:,} places covered, {len(found)} findings"]
    told += [f"  {folder / name}" for name in found]
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="the folder for findings; else a new one is made")
    parser.add_argument("--corpus", type=Path, help="a folder of inputs to begin with and to add to")
    return parser.parse_args()


def _seed(folder: Path) -> None:
    """Write every reply of the table, once for each way to read it."""
    from intake_invariants import corpus

    folder.mkdir(parents=True, exist_ok=True)
    for number, (_, text) in enumerate(corpus()):
        for how in range(_WAYS):
            (folder / f"seed-{number}-{how}").write_bytes(bytes([how, 0]) + text.encode("utf-8", "replace"))


def _words() -> Iterator[str]:
    """The pieces of the replies, in libFuzzer's form of a dictionary."""
    from intake_invariants import fragments

    for each in fragments():
        told = "".join(
            chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
            for byte in each.encode("utf-8", "replace")
        )
        yield f'"{told}"'


def _run(seconds: int, folder: Path, seeds: Path, words: Path) -> tuple[int, int]:
    """Run the process that is fuzzed; how many replies it read, and how much of the code they reached."""
    command = [
        sys.executable, "-m", "fuzz.target", str(folder), str(seeds), f"-dict={words}", f"-artifact_prefix={folder}/",
        f"-max_total_time={seconds}", "-max_len=4096", "-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1",
    ]  # fmt: skip
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")))
    runs = covered = 0
    log: list[str] = []
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                         errors="replace", env=os.environ | {"PYTHONPATH": paths}) as process,
        Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), transient=True,
                 console=Console(stderr=True)) as progress,
    ):  # fmt: skip
        task, started = progress.add_task("starting", total=seconds), time.monotonic()
        for line in process.stderr or ():
            log = [*log[-200:], line]
            if told := _TOLD.match(line):
                runs, covered = int(told[1]), int(told[2])
            at = f"{runs:,} replies, {covered:,} places covered"
            progress.update(task, description=at, completed=time.monotonic() - started)
    if process.returncode:
        (folder / "ended.txt").write_text("".join(log), encoding="utf-8")
    return runs, covered


if __name__ == "__main__":
    sys.exit(main())
