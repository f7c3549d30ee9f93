"""Clients in a real browser, in pages of another origin: the application's own hook, and ours."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.live import SECRET, token
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.serving import Serving, script, settings_of

Serve = Callable[..., Serving]


@pytest.fixture
def server(serve: Serve, site: str) -> Serving:
    return serve("--allowed-origin", site)


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=15_000)


def change(project: Project, group: str) -> float:
    """Apply another version; when that was done."""
    project.write({"sakura/all.yaml": settings_of(group)})
    project.apply()
    return time.monotonic()


# --- the application's own hook ------------------------------------------------------------------


def test_the_applications_hook_has_a_new_version_within_a_second(
    page: Page, site: str, server: Serving, project: Project
) -> None:
    page.goto(site)
    page.evaluate(script("hook"), [f"ws://127.0.0.1:{server.port}"])
    wait(page, "hook.version?.versionNumber === 1 && hook.isConnected && !hook.isLoading")
    (group,) = page.evaluate("hook.settings.staffGroups")
    assert group["groupConfig"] == {"members": ["料理長", "井関"]}
    applied = change(project, "Second")
    wait(page, "hook.version.versionNumber === 2 && hook.settings.staffGroups[0].name === 'Second'")
    assert time.monotonic() - applied < 1
    assert page.evaluate("hook.lastError") is None
    page.evaluate("hook.updateStaffGroups(hook.settings.staffGroups[0])")
    wait(page, "/managed in Git/.test(hook.lastError)")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_restart_fits_between_the_hooks_attempts(
    page: Page, site: str, server: Serving, project: Project
) -> None:
    page.goto(site)
    page.evaluate(script("hook"), [f"ws://127.0.0.1:{server.port}/staff-sync"])
    wait(page, "hook.isConnected && hook.version")
    server.stop()
    wait(page, "hook.connectionStatus === 'disconnected'")
    change(project, "While it was away")
    server.start()
    wait(page, "hook.settings.staffGroups[0].name === 'While it was away'")
    assert "failed_permanently" not in page.evaluate("states")


def test_the_hook_gives_up_after_its_last_attempt(page: Page, site: str, server: Serving) -> None:
    """If it did not, the test above would prove nothing."""
    page.goto(site)
    page.evaluate(script("hook"), [f"ws://127.0.0.1:{server.port}"])
    wait(page, "hook.isConnected && hook.version")
    server.stop()
    wait(page, "hook.connectionFailedPermanently || hook.connectionStatus === 'failed_permanently'")


def test_two_tabs_edit_different_tables_and_both_edits_stay(
    page: Page, site: str, serve: Serve, project: Project
) -> None:
    server = serve("--allowed-origin", site, "--edits", "apply")
    other = page.context.new_page()
    for one in (page, other):
        one.goto(site)
        one.evaluate(script("hook"), [f"ws://127.0.0.1:{server.port}"])
        wait(one, "hook.version && hook.isConnected")
    page.evaluate(
        "hook.updateStaffGroups({ ...hook.settings.staffGroups[0], description: 'of the first tab' })"
    )
    other.evaluate("hook.updateStaffGroups({ ...hook.settings.staffGroups[0], color: '#000000' })")
    group = "hook.settings.staffGroups[0]"
    both = f"{group}.description === 'of the first tab' && {group}.color === '#000000'"
    wait(page, both)
    wait(other, both)
    first = project.value("select id::text from config_versions where version_number = 1")
    page.evaluate("(id) => hook.activateVersion(id)", first)
    for one in (page, other):
        wait(one, "hook.version.versionNumber === 1 && hook.settings.staffGroups[0].color === '#3B82F6'")


# --- our client ----------------------------------------------------------------------------------


def connected(page: Page, server: Serving, site: str, source: str | None = None, **options: Any) -> None:
    """Connect with the client that the server serves; or with a copy of it."""
    page.goto(site)
    page.evaluate(script("client"), [source or server.url, server.socket, options])


def test_our_client_follows_and_says_what_it_has(
    page: Page, site: str, server: Serving, project: Project
) -> None:
    connected(page, server, site)
    wait(page, "news.length === 1")
    applied = change(project, "Second")
    wait(page, "news.length === 2")
    assert time.monotonic() - applied < 1
    assert page.evaluate("news") == [["First", 1, True, None], ["Second", 2, True, ["staff_groups"]]]
    version = project.value("select id::text from config_versions where is_active")
    page.goto("about:blank")
    # The server hears of what it has confirmed.
    connected(page, server, site)
    wait(page, "news.length === 2")
    state = json.loads(page.request.get(f"{server.url}/api/state").text())
    assert {"version_id": version, "version_number": 2, "clients": 1} in state["clients"]


def test_it_resumes_where_it_was(page: Page, site: str, server: Serving) -> None:
    connected(page, server, site)
    wait(page, "news.length === 1")
    server.restart()
    wait(page, "news.length === 2")
    # Nothing has changed, and so nothing is sent again.
    assert page.evaluate("news[1]") == ["First", 1, True, None]
    assert page.evaluate("types") == [
        "CONNECTION_ACK",
        "SETTINGS_SYNC_RESPONSE",
        "CONNECTION_ACK",
        "SETTINGS_UP_TO_DATE",
    ]
    assert page.evaluate("states") == ["connected", "offline", "connected"]


def test_without_a_server_it_has_what_was_known_last(
    page: Page, site: str, server: Serving, project: Project
) -> None:
    connected(page, server, site)
    wait(page, "news.length === 1")
    server.stop()
    connected(page, server, site, source=site)
    wait(page, "states.includes('offline')")
    assert page.evaluate("news") == [["First", 1, False, None]]
    change(project, "Second")
    server.start()
    wait(page, "news.length === 2")
    assert page.evaluate("news[1]") == ["Second", 2, True, None]


def test_what_is_stored_may_be_broken_or_forbidden(page: Page, site: str, server: Serving) -> None:
    page.goto(site)
    page.evaluate(
        "(key) => localStorage.setItem(key, '{\"settings\"')", f"rowform-settings:127.0.0.1:{server.port}:"
    )
    page.evaluate(script("client"), [server.url, server.socket, {}])
    wait(page, "news.length === 1 && news[0][2]")
    page.evaluate("live.close(); Storage.prototype.setItem = () => { throw new Error('full'); }; null")
    page.evaluate(script("client"), [server.url, server.socket, {}])
    wait(page, "news.some(([, , fresh]) => fresh)")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_close_is_the_end(page: Page, site: str, server: Serving, project: Project) -> None:
    connected(page, server, site)
    wait(page, "news.length === 1")
    page.evaluate("live.close()")
    change(project, "Second")
    # Whoever is connected has it by now.
    assert page.evaluate(script("other"), [server.url, server.socket]) == "Second"
    assert page.evaluate("[news.length, live.status.state]") == [1, "closed"]


def test_tokens(page: Page, site: str, serve: Serve) -> None:
    server = serve("--allowed-origin", site, "--auth", "jwt", ROWFORM_JWT_SECRET=SECRET)
    connected(page, server, site, token=token(SAKURA))
    wait(page, "news.length === 1")
    # What one restaurant's client has kept is not shown to another's.
    connected(page, server, site, token=token(MOMIJI))
    wait(page, "states.includes('refused')")
    assert page.evaluate("[news, errors]") == [[], ["FORBIDDEN"]]
    connected(page, server, site, token="nonsense")
    wait(page, "states.includes('refused')")
    assert page.evaluate("errors") == ["UNAUTHENTICATED"]
    # A token that expires is replaced where somebody can make another one.
    connected(page, server, site, token=token(SAKURA, seconds=1.5), next=token(SAKURA))
    wait(page, "given === 2 && states.at(-1) === 'connected' && errors[0] === 'TOKEN_EXPIRED'")


def test_the_react_hook(page: Page, site: str, server: Serving, project: Project) -> None:
    page.goto(site)
    page.evaluate(script("react"), [server.url, server.socket])
    wait(page, "live.fresh && live.state === 'connected' && live.settings.staffGroups[0].name === 'First'")
    change(project, "Second")
    wait(page, "live.version.versionNumber === 2")
    server.stop()
    wait(page, "live.state === 'offline' && !live.fresh && live.settings.staffGroups[0].name === 'Second'")


def test_a_page_of_a_foreign_origin_gets_nothing(page: Page, site: str, serve: Serve) -> None:
    server = serve()
    page.goto(site)
    assert page.evaluate(script("foreign"), [server.url, server.socket]) == [1006, False, False]
