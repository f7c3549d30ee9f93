/** The views that only read: settings, history, comparison, audit trail, clients. */
import { get } from "./api.js";
import { facts, fill, h, number, patiently, say, time } from "./dom.js";
import { changeHead, changes, counts, groups, leaves, note, pill } from "./pieces.js";

const folded = (text) => text.normalize("NFKC").toLocaleLowerCase();

export function settingsView(panel) {
  const search = h("input", { type: "search", id: "find", placeholder: say("filter"), "aria-label": say("filter"), autocomplete: "off" });
  const only = h("input", { type: "checkbox", id: "only" });
  const told = h("p", { class: "faint", role: "status" });
  const list = h("div");
  let state = null;

  const draw = () => {
    if (!state) return;
    const words = folded(search.value).split(/\s+/).filter(Boolean);
    let count = 0;
    const shown = groups(state.kinds, (setting, kind) => {
      const text = folded([kind.title, setting.key, ...setting.fields.flatMap((one) => [one.label, ...one.value])].join("\n"));
      const fits = words.every((word) => text.includes(word)) && (!only.checked || setting.standing === "in-effect");
      count += fits;
      return fits;
    });
    const all = state.kinds.reduce((sum, kind) => sum + kind.settings.length, 0);
    fill(told, facts(say("today_is", { day: state.today.words }), say("count_settings", { count: number.format(count), all: number.format(all) })));
    fill(list, shown.length ? shown : state.version ? note(say("nothing_found")) : null);
  };
  search.addEventListener("input", draw);
  only.addEventListener("change", draw);
  fill(panel, h("div", { class: "tools" }, search, h("label", {}, only, " ", say("only_today"))), told, list);
  return {
    update(found) {
      state = found;
      draw();
    },
  };
}

export function historyView(panel, compare) {
  const list = h("ol", { class: "timeline" });
  const more = h("button", { type: "button", onclick: () => load(limit + 50) }, say("more"));
  let limit = 50;
  fill(panel, list, more);

  async function load(wanted = limit) {
    limit = wanted;
    const { versions, more: older } = await get("/api/history", { limit });
    more.hidden = !older;
    fill(list, versions.length ? versions.map((one) => entry(one, compare)) : note(say("no_history")));
  }
  return { update: () => load() };
}

function entry(version, compare) {
  const { source, summary } = version;
  const waits = ["staged", "draft"].includes(version.state);
  const base = version.base_version_number;
  const details = h("details", {}, h("summary", {}, say("show_settings")));
  details.addEventListener("toggle", async () => {
    if (!details.open || details.dataset.loaded) return;
    details.dataset.loaded = "yes";
    const place = h("div", {}, note(say("loading")));
    details.append(place);
    try {
      fill(place, groups((await get(`/api/version/${version.version_number}`)).kinds));
    } catch (error) {
      delete details.dataset.loaded;
      fill(place, note(error.message, "bad"));
    }
  });
  return h(
    "li",
    { class: "moment", "data-state": version.state },
    h("h2", {}, say("version_line", { number: version.version_number, name: version.name ?? "" })),
    h(
      "p",
      { class: "pills" },
      version.state === "inactive" ? null : pill(say(version.state), version.state),
      version.is_locked ? pill(`🔒 ${say("locked")}`, "locked") : null,
      waits ? null : h("span", { class: "counts" }, counts(summary)),
    ),
    h(
      "p",
      { class: "faint" },
      facts(
        time(version.created_at),
        version.author,
        source.commit ? h("code", { title: source.commit }, source.commit.slice(0, 7)) : null,
        source.dirty ? say("dirty") : null,
        Array.isArray(source.forced) && source.forced.length ? say("forced", { names: source.forced.join(", ") }) : null,
      ),
    ),
    version.description ? h("p", { class: "text" }, version.description) : null,
    version.lock_reason ? h("p", { class: "text" }, say("locked_because", { reason: version.lock_reason })) : null,
    base ? h("p", {}, h("button", { type: "button", class: "small", onclick: () => compare(base, version.version_number) }, say("compare_before"))) : null,
    details,
  );
}

export function compareView(panel) {
  const from = h("select", { id: "from" });
  const to = h("select", { id: "to" });
  const result = h("div", { class: "result", "aria-live": "polite" });
  let chosen = null;
  const swap = h("button", { type: "button", onclick: () => choose(to.value, from.value) }, say("swap"));
  for (const one of [from, to]) one.addEventListener("change", () => choose(from.value, to.value));
  fill(
    panel,
    h("div", { class: "tools" }, h("label", { for: "from" }, say("from"), from), swap, h("label", { for: "to" }, say("to"), to)),
    result,
  );

  async function choose(a, b) {
    chosen = [String(a), String(b)];
    if (from.options.length) [from.value, to.value] = chosen;
    await show();
  }

  async function show() {
    if (!chosen) return;
    const asked = chosen;
    const found = await get("/api/diff", { a: asked[0], b: asked[1] });
    if (asked !== chosen) return;
    fill(
      result,
      h("p", { class: "summary" }, counts(found.summary)),
      found.kinds.length ? changes(found.kinds) : note(say("no_difference")),
    );
  }

  async function load() {
    const { versions } = await get("/api/history", { limit: 500 });
    const options = () =>
      versions.map((one) =>
        h("option", { value: one.version_number }, `${say("version_line", { number: one.version_number, name: one.name ?? "" })}${one.is_active ? ` (${say("active")})` : ""}`),
      );
    fill(from, options());
    fill(to, options());
    if (!versions.length) return fill(result, note(say("no_history")));
    const active = versions.find((one) => one.is_active) ?? versions[0];
    const [a, b] = chosen ?? [active.base_version_number ?? versions.at(-1).version_number, active.version_number];
    await choose(a, b);
  }
  return { update: load, choose };
}

export function logView(panel) {
  const search = h("input", { type: "search", placeholder: say("search"), "aria-label": say("search"), autocomplete: "off" });
  const kind = h("select", { "aria-label": say("kind") });
  const list = h("ol", { class: "log" });
  const more = h("button", { type: "button", onclick: () => load(next) }, say("more"));
  let next = null;
  let turn = 0;
  search.addEventListener("input", patiently(() => load().catch(fail)));
  kind.addEventListener("change", () => load().catch(fail));
  fill(panel, h("div", { class: "tools" }, search, kind), list, more);

  const fail = (error) => fill(list, note(error.message, "bad"));

  async function load(before = null) {
    const asked = (turn += 1);
    const found = await get("/api/log", { search: search.value, kind: kind.value, before });
    if (asked !== turn) return;
    next = found.next;
    more.hidden = next === null;
    more.textContent = search.value ? say("search_goes_on") : say("more");
    const shown = found.entries.map(row);
    if (before === null) fill(list, shown.length ? shown : note(say("no_log")));
    else list.append(...shown);
  }

  return {
    update(state) {
      if (!kind.options.length) {
        fill(kind, h("option", { value: "" }, say("all_kinds")), state.tables.map((one) => h("option", { value: one.kind }, one.title)));
      }
      return load();
    },
  };
}

/** What happened to a version, as a sign. */
const SIGNS = { activated: "✓", "rolled back": "↩", deactivated: "–", locked: "🔒", unlocked: "🔓", forced: "!" };

function row(entry) {
  const version = entry.version?.version_number;
  const name = entry.event ? say(`event_${entry.event}`, { number: version }) : (entry.key ?? entry.kind);
  const head = entry.shown
    ? changeHead(entry.shown, "h2", entry.shown.title)
    : h("h2", { class: "what" }, entry.event ? h("span", { class: "pill", "aria-hidden": "true" }, SIGNS[entry.event]) : null, h("span", { class: "name" }, name));
  return h(
    "li",
    { class: "change" },
    head,
    entry.shown ? leaves(entry.shown) : null,
    h(
      "p",
      { class: "faint" },
      facts(
        time(entry.changed_at),
        entry.author ?? entry.changed_by,
        entry.commit ? h("code", { title: entry.commit }, entry.commit.slice(0, 7)) : null,
        entry.event ? (entry.replaced_version_number ? say("replaced", { number: entry.replaced_version_number }) : null) : version ? say("version", { number: version }) : null,
        entry.reason ? h("span", { class: "text" }, entry.reason) : null,
      ),
    ),
  );
}

export function clientsView(panel) {
  const place = h("div");
  fill(panel, place, h("p", { class: "faint" }, say("clients_note")));
  return {
    update(state) {
      const all = state.clients.reduce((sum, one) => sum + one.clients, 0);
      if (!all) return fill(place, note(say("no_clients")));
      const id = state.version?.version_id;
      const newest = state.clients.filter((one) => one.version_id === id).reduce((sum, one) => sum + one.clients, 0);
      fill(
        place,
        h("p", { class: "summary", role: "status" }, say("clients_have", { count: number.format(newest), all: number.format(all) })),
        h(
          "ul",
          { class: "bars" },
          state.clients.map((one) => {
            const bar = h("span", { class: `bar-fill ${one.version_id === id ? "current" : "older"}` });
            bar.style.setProperty("width", `${Math.max(2, (100 * one.clients) / all)}%`);
            return h(
              "li",
              {},
              h("span", {}, one.version_number ? say("version", { number: one.version_number }) : say("clients_older")),
              h("span", { class: "faint" }, say("client_count", { count: number.format(one.clients) })),
              h("span", { class: "bar-back", "aria-hidden": "true" }, bar),
            );
          }),
        ),
      );
    },
  };
}
