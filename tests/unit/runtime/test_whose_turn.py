"""Who answers first at the processor, and who gives way."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from runtime.supervisor import Child

_SAYS_ITS_SLICES = """
import ctypes, os, struct
from runtime.lifecycle import answer_first

def slice_of(pid):
    read = ctypes.create_string_buffer(48)
    assert ctypes.CDLL(None).syscall({"x86_64": 315}.get(os.uname().machine, 275), pid, read, 48, 0) == 0
    return struct.unpack_from("=Q", read, 24)[0]

before = slice_of(0)
answer_first()
child = os.fork()
if not child:
    os._exit(slice_of(0) != before)
print(before, slice_of(0), os.waitpid(child, 0)[1], os.getpriority(os.PRIO_PROCESS, 0))
"""


def _has_slices() -> bool:
    release = platform.release().split(".")
    return platform.system() == "Linux" and (int(release[0]), int(release[1])) >= (6, 12)


@pytest.mark.skipif(not _has_slices(), reason="Linux grants short turns from 6.12 on")
def test_who_answers_first_has_short_turns_the_same_niceness_and_leaves_neither_to_children() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _SAYS_ITS_SLICES], check=True, capture_output=True, text=True
    )
    before, slice_now, of_child, niceness = (int(word) for word in said.stdout.split())
    assert slice_now == 100_000 < before
    assert of_child == 0
    assert niceness == os.getpriority(os.PRIO_PROCESS, 0)


_RUNS_WILD = """
import os, threading, time
from runtime.lifecycle import answer_among_others, answer_at_once, answers_at_once

assert not answers_at_once()
if not answer_at_once():
    print("refused")
    raise SystemExit
of_thread = []
thread = threading.Thread(target=lambda: of_thread.append(answers_at_once()))
thread.start()
thread.join()
child = os.fork()
if not child:
    os._exit(answers_at_once())
print(answers_at_once(), of_thread[0], os.waitpid(child, 0)[1])
for _ in range(2):
    for _ in range(3):
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        time.sleep(0.001)
    print(answers_at_once())
    end = time.process_time() + 2
    while time.process_time() < end:
        pass
    print(answers_at_once())
    answer_at_once()
answer_among_others()
print(answers_at_once())
end = time.process_time() + 2
while time.process_time() < end:
    pass
"""


def test_who_answers_at_once_is_alone_in_that_and_goes_back_among_others_when_it_runs_wild() -> None:
    said = subprocess.run([sys.executable, "-c", _RUNS_WILD], check=True, capture_output=True, text=True)
    if said.stdout.split() == ["refused"]:
        pytest.skip("the system grants no turns at once")
    assert said.stdout.splitlines() == ["True False 0", "True", "False", "True", "False", "False"]


async def test_a_child_that_gives_way_shares_our_session_and_is_no_part_of_what_ctrl_c_reaches() -> None:
    children = [Child("own", ["--help"]), Child("beside", ["--help"], gives_way=True)]
    sessions, groups = [], []
    for child in children:
        await child.start()
        assert child.process is not None
        sessions.append(os.getsid(child.process.pid))
        groups.append(os.getpgid(child.process.pid))
        await child.stop()
    assert sessions[0] != os.getsid(0)
    assert sessions[1] == os.getsid(0)
    assert os.getpgrp() not in groups
