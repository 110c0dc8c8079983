"""Attacks, each run as a process of its own: `python -m tests.integration.doors.strangers NAME PORT [COUNT]`.

What they say on stdout is JSON: how the door answered them.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
import zlib
from collections import Counter

from runtime.doors.descriptors import raise_limit

_EVENTS = b"POST /pbx/generic/events HTTP/1.1\r\nHost: x\r\n"


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def chunked(port: int, count: int) -> object:
    """Bodies of 3.9 MiB without a secret in chunks, none of them ended, held for a second."""
    piece = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    held = []
    for _ in range(count):
        stranger = _connected(port)
        stranger.settimeout(1)
        with contextlib.suppress(OSError):  # cut off before it had sent all
            stranger.sendall(_EVENTS + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 60)
        held.append(stranger)
    time.sleep(1)
    for stranger in held:
        stranger.close()
    return len(held)


def bombs(port: int, count: int, path: bytes = b"/pbx/generic/events") -> object:
    """200 MiB of spaces each, in 200 KB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(b" " * 1048576) for _ in range(200)) + packer.flush()
    head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    told: Counter[str] = Counter()

    def throw() -> None:
        try:
            with _connected(port) as stranger:
                stranger.sendall(head % (path, port, len(packed)) + packed)
                told[stranger.recv(9999)[9:12].decode()] += 1
        except OSError:
            told["cut"] += 1

    threads = [threading.Thread(target=throw) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def bombs_nowhere(port: int, count: int) -> object:
    return bombs(port, count, b"/there/is/nothing")


def silent(port: int, count: int) -> object:
    """So many each say nothing, half a head, and a head without its body; told is how many are still open after 15 s."""
    raise_limit()
    signed = b"POST /pbx/mango/events/call HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    held: list[socket.socket] = []
    for said in (b"", b"GET /pbx/generic/lookup HTTP/1.1\r\nHost: ", signed):
        for _ in range(count):
            try:
                stranger = _connected(port)
                stranger.sendall(said)
            except OSError:
                continue
            held.append(stranger)
    print("held", flush=True)
    time.sleep(15)
    return sum(not _is_cut(stranger) for stranger in held)


def _is_cut(stranger: socket.socket) -> bool:
    stranger.setblocking(False)
    try:
        while stranger.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def deaf(port: int, count: int) -> object:
    """Ask 40,000 times in advance and read nothing; told is how much the door took of it."""
    question = b"GET /there/is/nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    taken, held = 0, []
    for _ in range(count):
        stranger = _connected(port)
        stranger.settimeout(0.5)
        held.append(stranger)
        try:
            for _ in range(40):
                stranger.sendall(question)
                taken += len(question)
        except OSError:
            continue
    print("held", flush=True)
    time.sleep(3)
    return taken


if __name__ == "__main__":
    attacks = (chunked, bombs, bombs_nowhere, silent, deaf)
    attack = next(a for a in attacks if a.__name__ == sys.argv[1])
    print(json.dumps(attack(int(sys.argv[2]), int(sys.argv[3]))))
