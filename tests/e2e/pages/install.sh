#!/bin/sh
# Obtains Chromium for `make test-pages`: the machine's own (CALLMATRIX_CHROMIUM, else /usr/bin/chromium), else Debian's package.
# Exit codes: 0 it is there; 75 it cannot be obtained here and now (the pages cannot be looked at); others: an error of this script.
set -eu
CHROMIUM="${CALLMATRIX_CHROMIUM:-/usr/bin/chromium}"
LOG="${TMPDIR:-/tmp}/callmatrix-chromium.log"

cannot() { echo "pages: $*" >&2; exit 75; }

apt() {
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -q -o Acquire::Retries=3 -o Acquire::http::Timeout=30 \
        -o DPkg::Lock::Timeout=120 "$@" >>"$LOG" 2>&1
}

[ -x "$CHROMIUM" ] && exit 0
command -v apt-get >/dev/null || cannot "needs Chromium: install it and name it in CALLMATRIX_CHROMIUM"
[ "$(id -u)" = 0 ] || cannot "needs the package chromium"
echo "pages: installing chromium"
{ apt update && apt install -y --no-install-recommends chromium; } || cannot "chromium cannot be installed: see $LOG"
[ -x "$CHROMIUM" ] || cannot "chromium is not at $CHROMIUM"
