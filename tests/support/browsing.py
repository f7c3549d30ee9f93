"""The browser of the tests: Debian's Chromium, Chrome, or the one that Playwright brings."""

from __future__ import annotations

import os
import shutil
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def launch_options() -> dict[str, Any]:
    """Which browser, and how it starts on this machine."""
    found = os.environ.get("ROWFORM_TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    # What root runs has no sandbox; containers have little shared memory.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {"executable_path": found, "args": arguments}
