#!/bin/sh
# Writes the locked requirements anew out of pyproject.toml: `make lock` runs it. Needs uv and the network.
#
# The lists hold for every platform and Python from 3.11 on, with the hashes of all files that were published; no host
# of a package registry stands in them. Versions already locked stay; `make lock UPGRADE=1` takes the newest.
set -eu
cd "$(dirname "$0")/.."

UPGRADE=${UPGRADE:+--upgrade}
export UV_NO_CONFIG=1

compile() {
    output=requirements/$1.txt
    shift
    # shellcheck disable=SC2086 # UPGRADE is one word or none
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links $UPGRADE --output-file "$output" "$@"
    printf 'umbel: %s: %s packages\n' "$output" "$(grep -c '==' "$output")"
}

extra() {
    python3 -c "import tomllib
with open('pyproject.toml', 'rb') as file:
    print(*tomllib.load(file)['project']['optional-dependencies']['$1'], sep='\n')"
}

compile dev pyproject.toml --extra worker --extra server --group dev
compile runtime pyproject.toml --extra worker --extra server --constraint requirements/dev.txt
compile build --group build --constraint requirements/dev.txt
extra embedded | compile embedded - --constraint requirements/dev.txt
