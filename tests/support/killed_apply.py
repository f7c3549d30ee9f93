"""Run an apply that kills its own process right before, or right after, its n-th statement.

Usage: ``python killed_apply.py CONFIG_DIR URL before|after N``. Exits with 0 if there were
fewer statements.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import psycopg

from rowform.errors import ExitCode
from rowform.store import apply
from rowform.sync.applying import apply_planned, failure
from rowform.sync.configuration import Settings
from rowform.sync.planning import planned


def main(config: str, url: str, when: str, number: int) -> int:
    execute = psycopg.Connection.execute
    transaction = apply.write_locked
    count = 0

    def counted(self: psycopg.Connection, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(self, *arguments, **named)
        if count == number and when == "after":
            # What a pipeline has queued goes out first, so that the server has seen it.
            if self.pgconn.pipeline_status:
                self.pgconn.send_flush_request()
                self.pgconn.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def armed(*arguments: Any) -> Any:
        psycopg.Connection.execute = counted  # type: ignore[method-assign]
        return transaction(*arguments)

    apply.write_locked = armed
    with planned(Settings(Path(config), url, environment={})) as work:
        outcomes = apply_planned(work)
    print(count)
    return int(ExitCode.ERROR if failure(outcomes) else ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
