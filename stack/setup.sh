#!/usr/bin/env bash
# Makes .venv from the hashed lock file, and in it what third parties' files generate. Does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements/dev.txt
stamp=.venv/.ready
origin=.venv/.origin

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# A person's settings for pip must not lead its files out of the environment; their index and their proxy stay.
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_PYTHON VIRTUAL_ENV
export PIP_USER=0 PIP_REQUIRE_HASHES=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and none was found. Install one, or name it: make setup PYTHON=/path/to/python3"
}

# A moved checkout and another Python need a new environment; everything else is installed over the old one.
where_from() { pwd; .venv/bin/python -VV; }

is_usable() {
    [ -f "$origin" ] && fits .venv/bin/python && [ "$(where_from)" = "$(cat "$origin")" ]
}

digest() {
    cat "$lock" pyproject.toml stack/setup.sh stack/contract.py stack/generate.py | cksum
}

is_ready() {
    is_usable && [ -f "$stamp" ] && [ -d gen/buf ] && [ "$(digest)" = "$(cat "$stamp")" ]
}

# Debian and Ubuntu split venv's installer of pip off; then virtualenv does, or a pip outside puts itself in.
make_environment() {
    local python=$1
    rm -rf .venv
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet .venv
    elif command -v virtualenv >/dev/null; then
        virtualenv --quiet --python "$(command -v "$python")" .venv
    elif "$python" -m venv --without-pip .venv && "$python" -m pip --python .venv/bin/python install --quiet pip; then
        :
    else
        rm -rf .venv
        fail "$python cannot make environments. Install its venv package (python3-venv on Debian and Ubuntu) or virtualenv."
    fi
}

install() {
    say "Installing what $lock lists into .venv; the first time takes a minute"
    .venv/bin/python -m pip install --quiet --no-deps --require-hashes --requirement "$lock"
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
    .venv/bin/python -m stack.generate --third-party-only
    # Processes are started by the dozen here, also where Python is told to write no bytecode of its own accord. A file
    # that cannot be compiled is named, and is no fault of the set-up.
    .venv/bin/python -m compileall -q core server workers simulator cli stack gen client/chappe_client || true
}

if is_ready; then
    exit 0
fi
if ! is_usable; then
    python=$(choose_python)
    say "Making .venv with $("$python" -V)"
    make_environment "$python"
    where_from >"$origin"
fi
install
digest >"$stamp"
