"""Runs other programs so that none outlives the one that started it, not even when that one is killed.

In reading order: `ports`, `guard` (the tiny process between us and a child), `process` (one child, with its
log), `family` (several children, started again when they end), `wire` (one question to a Redis over a bare
socket), `embedded` (the Valkey that a home folder brings along).
"""

from umbel.supervisor.embedded import EmbeddedRedis
from umbel.supervisor.family import Family
from umbel.supervisor.process import Process

__all__ = ["EmbeddedRedis", "Family", "Process"]
