"""What becomes of a process whose files are used up is seen in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import json, os, resource
from structlog.testing import capture_logs
from runtime.doors.descriptors import Descriptors, most_connections, raise_limit

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 600))
raised = raise_limit()
with capture_logs() as lines:
    descriptors = Descriptors()
    answers = [descriptors.are_left()]
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    answers += [descriptors.are_left() for _ in range(3)]
    for file in held:
        os.close(file)
    answers += [descriptors.are_left() for _ in range(2)]
print(json.dumps({"raised": raised, "answers": answers, "events": [line["event"] for line in lines],
                  "exhausted": descriptors.exhausted, "most": [most_connections(4000, 0.75), most_connections(50, 0.75)]}))
"""


def test_the_limit_is_raised_and_running_out_is_told_and_counted_once() -> None:
    out = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(out.stdout) == {
        "raised": 600,
        "answers": [True, False, False, False, True, True],
        "events": ["descriptors-failed", "descriptors-recovered"],
        "exhausted": 1,
        "most": [354, 50],
    }
