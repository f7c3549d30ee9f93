"""Runs commands for :class:`tests.benchmarks.measuring.Launcher` and measures them.

A process of its own, because Linux counts the parent's memory as the child's peak until the child
calls ``exec``: whoever starts what is measured must be small. Reads one JSON request per line from
stdin, writes one JSON answer per line to stdout.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import IO


def _tail(stream: IO[bytes]) -> str:
    """The end of what was printed. All of it would make this process larger than what it measures."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
    return stream.read().decode("utf-8", "replace")


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.perf_counter()
            process = subprocess.Popen(
                request["arguments"],
                cwd=request["directory"],
                env=request["environment"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = code = os.waitstatus_to_exitcode(status)
            answer = {
                "seconds": seconds,
                "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
                "code": code,
                "out": _tail(out),
                "err": _tail(err),
            }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
