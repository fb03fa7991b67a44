"""Who descends from whom among this machine's processes."""

from __future__ import annotations

import subprocess
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The processes that this one forked and that still run."""
    try:
        lists = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        lists = []
    if not lists:  # no such file on macOS
        lists = [
            subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
        ]
    return [int(word) for text in lists for word in text.split()]
