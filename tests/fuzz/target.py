"""The process that is fuzzed: bytes in, read in every way there is; what breaks an invariant is written to a folder.

The first byte says how the rest is read, the second as which format. It goes on after a finding: each place in the
code that failed is written down once. A hang or too much memory ends it (libFuzzer's own limits) and leaves the bytes
behind.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "orchestrator" / "intake")]

import atheris  # noqa: E402

with atheris.instrument_imports(include=["orchestrator.intake"]):
    from actions.messages import Call
    from orchestrator.intake import KNOWN, read, read_text
    from orchestrator.intake.incoming import StreamReader
    from orchestrator.intake.lines import parse_line
    from orchestrator.intake.prose import THOUGHT_TAG

from intake_invariants import bounded, running, sound, written  # noqa: E402
from intake_replies import chat, tool_call  # noqa: E402

FORMATS = (None, *KNOWN)
WAYS = 6
"""How the rest can be read."""
MAX_IN_PIECES = 1_000
"""Characters of a text that is read in pieces: each piece is looked at several times."""


def check(data: bytes) -> None:
    """Read bytes in the way that the first two of them say, and look at what comes of it."""
    how, wanted, rest = data[0] % WAYS, FORMATS[data[1] % len(FORMATS)], data[2:]
    if how == 0:
        sound(read(rest, wanted))
        parse_line(rest)
        return
    text = rest.decode("utf-8", "replace")
    if how == 1:
        bounded(written(sound(read(text, wanted)), text), text)
    elif how == 2:
        bounded(written(sound(read_text(text)), text), text)
    elif how == 3:
        _in_pieces(text[:MAX_IN_PIECES], 1 + data[1] % 32)
    else:
        body: Any = chat(content=text) if how == 4 else chat(tool_call("go", text))
        written(sound(read(body)), body)


def _in_pieces(text: str, size: int) -> None:
    """What is let out of a text that comes in pieces is what runs of the whole."""
    first = THOUGHT_TAG.search(text)
    reader = StreamReader(thinking=first is not None and first[0].startswith("</"))
    told = [piece for at in range(0, len(text), size) for piece in reader.feed(text[at : at + size])]
    left, reply = reader.close()
    ran = [(one.name, one.arguments) for one in (*told, *left) if isinstance(one, Call) and not one.malformed]
    assert repr(ran) == repr(running(sound(reply)))
    let_out, whole = [repr(one) for one in ran], [repr(one) for one in running(read(text))]
    if let_out != whole:
        # What was let out stays, also when it is the first of too many, or a later event contradicts it: that is told,
        # and what runs of the whole came out too, in its order.
        assert any(one.code == "too_many_calls" or "was told, but" in one.message for one in reply.errors)
        rest = iter(let_out)
        assert all(one in rest for one in whole)


class Finder:
    """Runs the checks and keeps one input for each place that failed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        """One input."""
        if len(data) < 3:
            return
        try:
            check(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._keep(data, error)

    def _keep(self, data: bytes, error: Exception) -> None:
        frames = [each for each in traceback.extract_tb(error.__traceback__) if str(ROOT) in each.filename]
        place = f"{Path(frames[-1].filename).stem}_{frames[-1].lineno}_{type(error).__name__}"
        if place in self.known:
            return
        self.known.add(place)
        told = "".join(traceback.format_exception(error))[-3_000:]
        (self.folder / f"{place}.input").write_bytes(data)
        (self.folder / f"{place}.txt").write_text(f"{data!r}\n\n{told}", encoding="utf-8", errors="replace")


def main() -> None:
    """Fuzz; the first argument is the folder for findings, the rest is libFuzzer's."""
    finder = Finder(Path(sys.argv[1]))
    atheris.Setup([sys.argv[0], *sys.argv[2:]], finder)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
