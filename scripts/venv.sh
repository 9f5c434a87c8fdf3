#!/bin/sh
# Make the virtual environment .venv with a Python >= 3.11, or say plainly what is missing.
# Usage: scripts/venv.sh FOLDER        PYTHON=/path/to/python chooses the interpreter.
set -eu

folder="$1"

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

if ! python="$(choose)"; then
    found="$(python3 --version 2>&1 || echo 'no python3')"
    cat >&2 <<MESSAGE
Patron needs Python 3.11 or newer; found: $found.
Install one, then run make again:
  Debian 12+, Ubuntu 24.04+   sudo apt-get install python3 python3-venv
  macOS                       brew install python@3.13
or name the interpreter:      make demo PYTHON=/path/to/python3.12
MESSAGE
    exit 1
fi

if [ -x "$folder/bin/python" ] && new_enough "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

rm -rf "$folder"
if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    "$python" -m venv "$folder"
    exit 0
fi

# Debian and Ubuntu ship python3 without ensurepip. Ways out, best first: the pip that is already there, then apt.
if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip "$folder"
    "$python" -m pip --python "$folder/bin/python" install --quiet --disable-pip-version-check pip
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq python3-venv
    "$python" -m venv "$folder"
    exit 0
fi
version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
cat >&2 <<MESSAGE
$python cannot make a virtual environment: its ensurepip module is a package of its own here. Install it once:
  sudo apt-get install python$version-venv
then run make again. (pip, if you have it for this Python, is enough too.)
MESSAGE
exit 1
