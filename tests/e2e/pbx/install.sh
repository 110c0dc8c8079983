#!/bin/sh
# Obtains a real Asterisk, Kamailio and SIPp for `make test-pbx`. Needs root and Debian's packages; at once done when all is there.
#
# SIPp and Kamailio come from the system's own suite. Asterisk is in none of the current ones, so it is unpacked from
# another suite of the same mirror into a folder of its own, which the tests enter with chroot: nothing of it is installed.
#
# Exit codes: 0 all there; 75 packages cannot be obtained here and now (the PBX tests cannot run); others: an error of this script.
# CALLMATRIX_PBX_CACHE: where Asterisk is kept, else $XDG_CACHE_HOME/callmatrix-pbx, else ~/.cache/callmatrix-pbx.
set -eu

CACHE="${CALLMATRIX_PBX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/callmatrix-pbx}"
ROOT="$CACHE/asterisk"
SUITES="sid bullseye"
TRIES=3
PACKAGES="kamailio kamailio-utils-modules kamailio-json-modules kamailio-extra-modules sip-tester"

say() { echo "pbx: $*"; }

cannot() {
    say "$*" >&2
    exit 75
}

# again TRIES COMMAND…: until it succeeds; pauses grow.
again() {
    left=$1
    shift
    pause=2
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        say "failed, tried again in $pause s: $*" >&2
        sleep "$pause"
        pause=$((pause * 3))
    done
}

has_asterisk() { [ -f "$CACHE/asterisk.ready" ] && [ -x "$ROOT/usr/sbin/asterisk" ]; }

has_packages() {
    command -v sipp >/dev/null && command -v kamailio >/dev/null &&
        ls /usr/lib/*/kamailio/modules/http_client.so /usr/lib/*/kamailio/modules/jansson.so \
            /usr/lib/*/kamailio/modules/rtjson.so >/dev/null 2>&1
}

apt() {
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -q -o Acquire::Retries=3 -o Acquire::http::Timeout=30 \
        -o DPkg::Lock::Timeout=120 "$@"
}

update() { apt update >"$CACHE/apt.log" 2>&1; }

install_packages() {
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $PACKAGES >>"$CACHE/apt.log" 2>&1
}

# The mirror that the machine takes its own Debian from.
mirror() {
    apt-get indextargets --format '$(SITE)|$(REPO_URI)|$(LABEL)|$(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk -F'|' '$3 == "Debian" && $4 == "main" { print $2; exit }'
}

fetch_debootstrap() {
    rm -rf "$CACHE/debootstrap"
    mkdir -p "$CACHE/debootstrap"
    (
        cd "$CACHE/debootstrap"
        apt download debootstrap >>"$CACHE/apt.log" 2>&1 || exit 1
        for package in debootstrap*.deb; do dpkg -x "$package" . || exit 1; done
    )
}

# Whatever a broken-off attempt left mounted below a folder, and then the folder.
discard() {
    awk -v under="$1/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | while read -r point; do
        umount "$point" || exit 1
    done && rm -rf --one-file-system "$1"
}

unpack() {
    partial="$CACHE/unpacking"
    discard "$partial"
    DEBOOTSTRAP_DIR="$CACHE/debootstrap/usr/share/debootstrap" timeout 900 \
        "$CACHE/debootstrap/usr/sbin/debootstrap" --variant=minbase --include=asterisk,ca-certificates \
        "$1" "$partial" "$(mirror)" >"$CACHE/debootstrap.log" 2>&1 || return 1
    chroot "$partial" /usr/sbin/asterisk -V >/dev/null || return 1
    for point in "$partial/proc" "$partial/sys"; do
        while mountpoint -q "$point"; do umount "$point" || return 1; done
    done
    rm -rf "$partial/var/cache/apt/archives" "$partial/var/lib/apt/lists"
    mkdir -p "$partial/var/cache/apt/archives/partial"
    discard "$ROOT"
    mv "$partial" "$ROOT"
    echo "$1" >"$CACHE/asterisk.ready"
}

obtain_asterisk() {
    again $TRIES fetch_debootstrap || cannot "debootstrap cannot be obtained: see $CACHE/apt.log"
    [ -n "$(mirror)" ] || cannot "no Debian mirror in this machine's list of sources: Asterisk cannot be obtained"
    for suite in $SUITES; do
        say "unpacking Asterisk from $suite into $ROOT (some minutes)"
        if again $TRIES unpack "$suite"; then return; fi
        say "not from $suite: $(tail -n 1 "$CACHE/debootstrap.log")" >&2
    done
    cannot "Asterisk cannot be obtained: see $CACHE/debootstrap.log"
}

main() {
    if has_asterisk && has_packages; then exit 0; fi
    command -v apt-get >/dev/null || cannot "needs Debian's package tools"
    [ "$(id -u)" = 0 ] || cannot "needs root, to install packages and to enter Asterisk's folder"
    mkdir -p "$CACHE"
    exec 9>"$CACHE/lock"
    flock 9
    again $TRIES update || cannot "lists of packages cannot be read: see $CACHE/apt.log"
    if ! has_packages; then
        say "installing $PACKAGES"
        again $TRIES install_packages || cannot "packages cannot be installed: see $CACHE/apt.log"
    fi
    has_asterisk || obtain_asterisk
    say "$(chroot "$ROOT" /usr/sbin/asterisk -V), Kamailio and SIPp are there"
}

main
