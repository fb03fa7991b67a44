"""A pump needs a process of its own: a worker with another pool of Celery's does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.settings import Settings
from workers.app import _refuse_other_pools

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("pool", ["prefork", "processes"])
def test_prefork_is_taken_under_each_of_its_names(pool):
    assert _refuse_other_pools(pool) is None


@pytest.mark.processes
@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_a_worker_with_another_pool_ends_with_one_line(valkey, pool, tmp_path):
    settings = Settings.model_validate({"redis_url": valkey, "home": tmp_path})
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers.main", "worker", "-P", pool],
        cwd=tmp_path, env=os.environ | settings.environ() | {"PYTHONPATH": str(ROOT), "C_FORCE_ROOT": "1"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    told = done.stderr.splitlines()  # as root, Celery's own warning comes first
    assert told[-1] == "umbel: only Celery's prefork pool runs actions; leave -P (--pool) out"
    assert "Traceback" not in done.stderr
