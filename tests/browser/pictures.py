"""The pictures of the page in the documentation, taken of the example configuration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from rowform.store.embedded import embedded
from rowform.store.migrate import upgrade_database
from tests.support.browsing import launch_options
from tests.support.database import make_directory, remove_directory
from tests.support.project import Project
from tests.support.serving import Serving

ROOT = Path(__file__).parents[2]
SPRING = """\
  - name: Fewer late shifts in spring
    limit_config: {shiftType: late, maxCount: 2, daysOfWeek: [5, 6]}
    effective_from: 2099-03-01
  - name: Longer weekends
    limit_config: {shiftType: off, maxCount: 4}
    is_active: false
"""


def main() -> None:
    directory = make_directory()
    try:
        with embedded(directory / ".rowform", durable=False) as url:
            upgrade_database(url)
            server = Serving(_example(directory, url), (), {"ROWFORM_RESTAURANT": "sakura"})
            server.start()
            try:
                with sync_playwright() as playwright:
                    _take(playwright.chromium.launch(**launch_options()), server.url)
            finally:
                server.stop()
    finally:
        remove_directory(directory)


def _example(directory: Path, url: str) -> Project:
    project = Project(directory, url)
    shutil.copytree(ROOT / "config", directory / "config")
    project.commit("Settings of Sakura and Momiji")
    project.apply()
    limits = directory / "config" / "sakura" / "daily_limits.yaml"
    text = limits.read_text(encoding="utf-8")
    limits.write_text(text.replace("penalty_weight: 30.5", "penalty_weight: 35"), encoding="utf-8")
    project.commit("Let early shifts weigh more")
    project.apply()
    limits.write_text(limits.read_text(encoding="utf-8") + SPRING, encoding="utf-8")
    project.commit("Plan for spring")
    project.apply()
    return project


def _take(browser: Browser, url: str) -> None:
    wide, phone = {"width": 1180, "height": 760}, {"width": 390, "height": 760}
    for name, view, scheme, language, viewport in (
        ("page", "settings", "light", "en", wide),
        ("page-dark", "compare", "dark", "en", wide),
        ("page-phone", "settings", "light", "ja", phone),
    ):
        context = browser.new_context(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{url}/?lang={language}#{view}")
        expect(page.locator("#badge")).to_have_attribute("data-state", "live")
        page.locator(f"#panel-{view}:not([aria-busy]) .group").first.wait_for()
        file = ROOT / ".github" / f"{name}.png"
        page.screenshot(path=file)
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KB", file=sys.stderr)
        context.close()
    browser.close()


if __name__ == "__main__":
    main()
