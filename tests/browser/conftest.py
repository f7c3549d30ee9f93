"""A real Chromium, and `rowform serve` in a process of its own."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright
from psycopg import sql

import rowform.server
from tests.support.browsing import launch_options
from tests.support.live import as_role
from tests.support.project import SAKURA, Project
from tests.support.serving import Serving, settings_of

SITE = Path(__file__).parent / "site"
CLIENT = Path(rowform.server.__file__).parent / "page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module only, because Playwright keeps an event loop that others could not have beside it."""
    with sync_playwright() as playwright:
        try:
            one = playwright.chromium.launch(**launch_options())
        except Error as error:
            pytest.skip(f"no browser: `make browser` installs one ({error.message.splitlines()[0]})")
        yield one
        one.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts, each with a storage of its own."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(browser.new_context(**{"locale": "en-GB", **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def page(context: Callable[..., BrowserContext]) -> Page:
    return watched(context().new_page())


def watched(page: Page) -> Page:
    """A page whose errors are known to the test."""
    page.set_default_timeout(10_000)
    page.complaints = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
    page.on(
        "console",
        lambda message: page.complaints.append(message.text) if message.type == "error" else None,  # type: ignore[attr-defined]
    )
    return page


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    """Sakura with one version."""
    found = Project(tmp_path, database)
    found.restaurant("sakura", SAKURA, "timezone: Asia/Tokyo\n")
    found.write({"sakura/all.yaml": settings_of("First")})
    found.commit("First")
    found.apply()
    return found


@pytest.fixture
def serve(project: Project) -> Iterator[Callable[..., Serving]]:
    """Starts servers."""
    started: list[Serving] = []

    def start(*options: str, **environment: str) -> Serving:
        started.append(Serving(project, options, environment))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def gateway(project: Project) -> Iterator[str]:
    """The database as a role sees it that may serve, and that policies hold."""
    name, password = f"live_{token_hex(4)}", token_hex(8)
    with psycopg.connect(project.url, autocommit=True) as root:
        role = sql.Identifier(name)
        root.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        root.execute("SELECT rowform.allow_serving(%s)", (name,))
        yield as_role(project.url, name, password)
        root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


@pytest.fixture
def site() -> Iterator[str]:
    """The origin of an application that is not served by rowform."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            # Applications may bring a copy of the client.
            copied = CLIENT / path.partition("?")[0].removeprefix("/")
            return (
                str(copied) if copied.suffix == ".js" and copied.is_file() else super().translate_path(path)
            )

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
