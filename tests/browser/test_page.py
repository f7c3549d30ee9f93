"""The page in a real browser, against a server in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.support.live import SECRET, token
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.serving import Serving, script, settings_of

Serve = Callable[..., Serving]
TABS = ("settings", "history", "compare", "log", "clients", "migration")
HOSTILE = "</script><img src=x onerror=window.hacked=1>"


def opened(page: Page, server: Serving, more: str = "") -> None:
    page.goto(f"{server.url}/{more}")
    expect(page.locator("#badge")).to_have_attribute("data-state", "live")


def shown(page: Page, tab: str) -> None:
    page.locator(f"#tab-{tab}").click()
    page.locator(f"#panel-{tab}:not([aria-busy]) > *").first.wait_for()


def test_a_version_applied_elsewhere_is_there_within_a_second_and_without_reload(
    page: Page, serve: Serve, project: Project
) -> None:
    server = serve()
    opened(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text("Version 1: First")
    page.evaluate("window.mark = 'still the same page'")
    project.write({"sakura/all.yaml": settings_of("Second")})
    project.commit("Second")
    project.apply()
    applied = time.monotonic()
    page.get_by_text("Version 2: Second").wait_for()
    page.locator(".card", has_text="Second").wait_for()
    assert time.monotonic() - applied < 1
    assert page.evaluate("window.mark") == "still the same page"
    expect(page.locator("#toast")).to_have_text("Version 2 is active now")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_lock_and_rollback_show_as_well(page: Page, serve: Serve, project: Project) -> None:
    server = serve()
    opened(page, server)
    project.ok("lock", "1", "--reason", "Until <b>Monday</b>")
    expect(page.locator("#facts")).to_contain_text("Locked: Until <b>Monday</b>")
    expect(page.locator("#version")).to_contain_text("🔒")
    project.ok("unlock", "1")
    expect(page.locator("#version")).not_to_contain_text("🔒")
    project.write({"sakura/all.yaml": settings_of("Second")})
    project.commit("Second")
    project.apply()
    project.ok("rollback", "--auto-approve")
    expect(page.locator("#version")).to_have_text("Version 1: First")
    page.get_by_role("tab", name="Audit trail").click()
    events = page.locator("#panel-log .change", has=page.locator(".pill[aria-hidden]"))
    expect(events.locator(".name")).to_have_text(
        ["Rolled back to version 1", "Version 1 unlocked", "Version 1 locked"]
    )
    expect(events.last).to_contain_text("Until <b>Monday</b>")


def test_every_view_tells_its_part(page: Page, serve: Serve, project: Project) -> None:
    late = "{name: Late people, limit_config: {maxCount: 3}, effective_from: 2099-01-01}"
    more = f"daily_limits: [{late}, {{name: Off, is_active: false}}]\n"
    project.write({"sakura/all.yaml": settings_of("First", more)})
    commit = project.commit("Add a limit")
    project.apply()
    server = serve()
    opened(page, server)
    expect(page.locator(".card", has_text="Late people")).to_contain_text("from 1 January 2099")
    expect(page.locator(".card", has_text="Off")).to_contain_text("paused")
    expect(page.locator(".card").first).to_contain_text("料理長")
    page.get_by_label("Only what is in effect today").check()
    expect(page.locator("#panel-settings .card")).to_have_count(1)
    page.get_by_label("Only what is in effect today").uncheck()
    page.get_by_label("Find a setting").fill("late")
    expect(page.locator("#panel-settings .card")).to_have_count(1)

    page.get_by_role("tab", name="History").click()
    first = page.locator(".moment").first
    expect(first).to_contain_text("Version 2: Add a limit")
    expect(first).to_contain_text("2 added")
    expect(first).to_contain_text("Aiko Sato")
    expect(first).to_contain_text(commit)
    page.get_by_text("Settings of this version").last.click()
    expect(page.locator(".moment").last.locator(".card")).to_have_count(1)

    first.get_by_role("button", name="What changed").click()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#panel-compare .change")).to_have_count(2)
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#panel-compare .pill").first).to_have_text("deleted")

    page.get_by_role("tab", name="Audit trail").click()
    expect(page.locator("#panel-log .change")).to_have_count(3)
    page.get_by_label("Search names").fill("LATE aiko")
    expect(page.locator("#panel-log .change")).to_have_count(1)
    page.get_by_label("Search names").fill("nothing like it")
    expect(page.locator("#panel-log")).to_contain_text("No entries.")

    page.get_by_role("tab", name="Clients").click()
    expect(page.locator("#panel-clients")).to_contain_text("1 of 1 clients have the active version")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_values_are_never_markup_and_nothing_is_fetched_from_elsewhere(
    page: Page, serve: Serve, project: Project
) -> None:
    name = json.dumps(HOSTILE)
    config = f"group_config: {{{name}: {name}, members: [{name}]}}"
    project.write({"sakura/all.yaml": f"staff_groups: [{{name: {name}, description: {name}, {config}}}]\n"})
    project.commit(HOSTILE)
    project.apply()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    server = serve()
    opened(page, server)
    for tab in TABS:
        shown(page, tab)
    expect(page.locator("#version")).to_contain_text(HOSTILE)
    page.locator("#tab-settings").click()
    expect(page.locator(".card .name")).to_have_text(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0
    assert {url.split("/")[2] for url in asked if "://" in url} == {f"127.0.0.1:{server.port}"}
    # The policy holds for scripts that somebody might bring in all the same.
    with pytest.raises(Error, match="TrustedScript"):
        page.evaluate("document.createElement('script').text = 'window.hacked = 2'")
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<img src=x onerror=window.hacked=3>'")
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_fits_a_phone(
    context: Callable[..., BrowserContext], serve: Serve, project: Project, language: str
) -> None:
    long = "Averylongnamewithoutanyblank" * 8
    project.write({"sakura/all.yaml": settings_of(long)})
    project.commit(long)
    project.apply()
    server = serve()
    page = context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True).new_page()
    opened(page, server, f"?lang={language}")
    for tab in TABS:
        shown(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_it_speaks_the_browsers_language(context: Callable[..., BrowserContext], serve: Serve) -> None:
    server = serve()
    page = context(locale="ja-JP").new_page()
    opened(page, server)
    expect(page.get_by_role("tab", name="監査ログ")).to_be_visible()
    expect(page.locator(".group h2").first).to_contain_text("スタッフグループ")
    page.get_by_role("tab", name="履歴").click()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")


def test_it_can_be_used_by_keyboard(page: Page, serve: Serve) -> None:
    server = serve()
    opened(page, server)
    page.locator(".card").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Settings")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    for key, name in (
        ("ArrowRight", "History"),
        ("End", "Migration"),
        ("ArrowRight", "Settings"),
        ("ArrowLeft", "Migration"),
        ("Home", "Settings"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        assert page.locator("[role=tab][tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    expect(page.get_by_role("tabpanel", name="Settings")).to_be_focused()


def test_every_control_has_a_name(page: Page, serve: Serve) -> None:
    server = serve()
    opened(page, server)
    for tab in TABS:
        shown(page, tab)
    assert page.evaluate(script("names")) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_enough(
    context: Callable[..., BrowserContext], serve: Serve, project: Project, scheme: str
) -> None:
    more = "daily_limits: [{name: Late, effective_from: 2099-01-01}]\n"
    project.write({"sakura/all.yaml": settings_of("Second", more)})
    project.commit("Second")
    project.apply()
    page = context(color_scheme=scheme, reduced_motion="reduce").new_page()
    opened(page, serve())
    for tab in TABS:
        shown(page, tab)
        assert page.evaluate(script("contrast")) == [], tab
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 200) == (
        scheme == "dark"
    )


def test_a_restart_shows_and_passes(page: Page, serve: Serve) -> None:
    server = serve()
    opened(page, server)
    server.stop()
    expect(page.locator("#badge")).not_to_have_attribute("data-state", "live")
    expect(page.locator(".card")).to_have_count(1)
    server.start()
    expect(page.locator("#badge")).to_have_attribute("data-state", "live", timeout=15_000)


def test_signing_in(page: Page, gateway: str, serve: Serve, project: Project) -> None:
    project.restaurant("momiji", MOMIJI)
    project.write({"momiji/all.yaml": settings_of("Ramen")})
    project.commit("Momiji")
    project.apply()
    server = serve("--auth", "jwt", ROWFORM_JWT_SECRET=SECRET, ROWFORM_DATABASE_URL=gateway)
    page.goto(server.url)
    page.get_by_label("Token").fill(token(SAKURA, secret="of somebody else, and long enough"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#gate")).to_contain_text("the token is not valid here")
    page.get_by_label("Token").fill(token(MOMIJI))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#badge")).to_have_attribute("data-state", "live")
    expect(page.locator("#place")).to_have_text("Momiji")
    for tab in TABS:
        shown(page, tab)
    assert "料理長" in page.content()
    assert "First" not in page.content()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(f"{server.url}/?restaurant=sakura")
    page.get_by_label("Token").fill(token(MOMIJI))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#gate")).to_contain_text("this is not your restaurant")


def test_several_restaurants(page: Page, serve: Serve, project: Project) -> None:
    project.restaurant("momiji", MOMIJI)
    project.write({"momiji/all.yaml": settings_of("Ramen")})
    project.apply()
    server = serve()
    page.goto(server.url)
    page.get_by_label("Slug or id").fill("nowhere")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#gate")).to_contain_text("there is no such restaurant")
    page.get_by_label("Slug or id").fill("momiji")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#place")).to_have_text("Momiji")
    expect(page.locator(".card")).to_contain_text("Ramen")


# --- settings out of a browser -------------------------------------------------------------------

EXPORT = {
    "staffGroups": [{"id": "g1", "name": "First", "members": ["岸"]}, {"id": "g2", "name": HOSTILE}],
    "dailyLimits": [{"name": "Late", "shiftType": "late", "maxCount": 2}],
    "weeklyThing": {"x": 1},
}


def chosen(page: Page, directory: Path, text: str) -> None:
    file = directory / "export.json"
    file.write_text(text, encoding="utf-8")
    page.locator("#tab-migration").click()
    page.set_input_files("#export", file)


def test_an_export_becomes_yaml(page: Page, serve: Serve, tmp_path: Path, project: Project) -> None:
    opened(page, serve())
    chosen(page, tmp_path, json.dumps(EXPORT))
    panel = page.locator("#panel-migration")
    expect(panel.locator(".mapped")).to_have_count(3)
    expect(panel.locator("section.bad")).to_contain_text("/weeklyThing")
    panel.get_by_role("button", name="Leave out").click()
    expect(panel.locator("section.bad")).to_have_count(0)
    expect(panel.locator(".mapped", has_text="First")).to_contain_text("differs from now")
    panel.get_by_label("Daily limits").uncheck()
    expect(panel.locator(".mapped")).to_have_count(2)
    panel.locator(".mapped summary").first.click()
    expect(panel.locator(".mapped").first).to_contain_text("group_config.members")
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download as YAML").click()
    assert download.value.suggested_filename == "export.yaml"
    project.write({"sakura/all.yaml": Path(download.value.path()).read_text(encoding="utf-8")})
    assert project.run("validate").code == 0
    assert "岸" in project.ok("plan").out
    # Edits are for Git here.
    expect(panel).to_contain_text("This server takes no edits.")
    assert page.evaluate("window.hacked") is None


def test_an_export_that_is_broken_is_said_to_be_so(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve())
    chosen(page, tmp_path, '{"staffGroups": [')
    expect(page.locator("#panel-migration .note.bad")).to_contain_text("export.json")
    chosen(page, tmp_path, json.dumps({"staffGroups": [{"name": "A", "color": "red"}]}))
    expect(page.locator("#panel-migration section.bad")).to_contain_text("/staffGroups/0/color")
    chosen(page, tmp_path, json.dumps({"staffGroups": [{"name": "x" * 800_000}]}))
    expect(page.locator("#panel-migration .note.bad")).to_contain_text("too large")
    expect(page.locator("#badge")).to_have_attribute("data-state", "live")


def test_an_export_becomes_a_version_that_can_be_rolled_back(
    page: Page, serve: Serve, tmp_path: Path, project: Project
) -> None:
    opened(page, serve("--edits", "apply"))
    chosen(page, tmp_path, json.dumps(EXPORT))
    panel = page.locator("#panel-migration")
    expect(panel.get_by_role("button", name="Migrate now")).to_be_disabled()
    panel.get_by_role("button", name="Leave out").click()
    panel.get_by_label("Take those of the browser").check()
    panel.get_by_role("button", name="Migrate now").click()
    expect(panel.locator(".note.good")).to_contain_text("version 2 is active")
    expect(page.locator("#version")).to_contain_text("localStorage Migration")
    active = "select id from config_versions where is_active"
    assert project.value(f"select count(*) from staff_groups where version_id = ({active})") == 2
    project.ok("rollback", "--auto-approve")
    expect(page.locator("#version")).to_contain_text("Version 1")
