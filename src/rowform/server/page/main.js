/** The page: who is looking, what is active, and the tabs. */
import { address, get, restaurant, signIn, token } from "./api.js";
import { facts, fill, h, patiently, say, setZone, time } from "./dom.js";
import { migrationView } from "./migration.js";
import { note } from "./pieces.js";
import { clientsView, compareView, historyView, logView, settingsView } from "./views.js";
import { connect } from "/rowform-client.js";

const $ = (id) => document.getElementById(id);
const names = ["settings", "history", "compare", "log", "clients", "migration"];
const panel = (name) => $(`panel-${name}`);
/** How often the clients are counted while somebody looks at them. */
const COUNT = 3000;

let live = null;
let state = null;
let current = null;
const stale = new Set(names);

const views = {
  settings: settingsView(panel("settings")),
  history: historyView(panel("history"), (a, b) => {
    views.compare.choose(a, b).catch(fail);
    open("compare", true);
  }),
  compare: compareView(panel("compare")),
  log: logView(panel("log")),
  clients: clientsView(panel("clients")),
  migration: migrationView(panel("migration"), () => live),
};

// --- tabs ------------------------------------------------------------------------------------------

async function open(name, focus = false) {
  current = name;
  for (const one of names) {
    const chosen = one === name;
    panel(one).hidden = !chosen;
    $(`tab-${one}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${one}`).tabIndex = chosen ? 0 : -1;
  }
  if (focus) $(`tab-${name}`).focus();
  // Not scrollIntoView, which would also be where the Tab key goes on from.
  $("tabs").scrollLeft = $(`tab-${name}`).offsetLeft - $("tabs").offsetLeft - 40;
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
  await draw();
}

async function draw() {
  if (!state || !stale.has(current)) return;
  const name = current;
  stale.delete(name);
  panel(name).setAttribute("aria-busy", "true");
  try {
    await views[name].update(state);
  } catch (error) {
    stale.add(name);
    fail(error);
  } finally {
    panel(name).removeAttribute("aria-busy");
  }
}

$("tabs").addEventListener("keydown", (event) => {
  const at = names.indexOf(current);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  open(names[(to + names.length) % names.length], true);
});
for (const name of names) $(`tab-${name}`).addEventListener("click", () => open(name));
addEventListener("hashchange", () => names.includes(location.hash.slice(1)) && open(location.hash.slice(1)));

// --- what is active --------------------------------------------------------------------------------

function head() {
  const { version, managed_in: place, edits } = state;
  const name = state.restaurant.name ?? state.restaurant.slug ?? state.restaurant.id;
  $("place").textContent = name;
  document.title = version ? `${name} · ${say("version", { number: version.version_number })}` : name;
  if (!version) {
    fill($("version"), say("no_version"));
    fill($("facts"), say("no_version_hint"));
    return;
  }
  const line = say("version_line", { number: version.version_number, name: version.name ?? "" });
  fill($("version"), line, version.is_locked ? h("span", { class: "lock", title: version.lock_reason ?? say("locked") }, " 🔒", h("span", { class: "unseen" }, say("locked"))) : null);
  fill(
    $("facts"),
    facts(
      h("span", {}, time(version.created_at)),
      version.author,
      version.source.commit ? h("code", { title: version.source.commit }, version.source.commit.slice(0, 7)) : null,
      version.lock_reason ? say("locked_because", { reason: version.lock_reason }) : null,
      place ? say("managed_in", { place }) : say(`edits_${edits}`),
    ),
  );
}

async function load() {
  const before = state?.version?.version_number;
  try {
    state = await get("/api/state");
  } catch (error) {
    return turnedAway(error);
  }
  setZone(state.restaurant.timezone);
  $("gate").hidden = true;
  $("tabs").hidden = false;
  $("sign-out").hidden = !token();
  head();
  const now = state.version?.version_number;
  if (before !== undefined && now !== undefined && now !== before) toast(say("now_active", { number: now }));
  for (const name of names) stale.add(name);
  if (current) await draw();
  else await open(names.includes(location.hash.slice(1)) ? location.hash.slice(1) : "settings");
  if (!live) listen();
}

const reload = patiently(load, 50);

function listen() {
  live = connect("/ws", {
    token: token() ?? undefined,
    restaurant: restaurant ?? undefined,
    storage: null,
    // What it migrates stands in the audit trail under this name.
    clientId: `page-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`,
    onSettings: reload,
    onStatus: ({ state: how }) => badge(how),
    onMessage: (message) => views.migration.receive(message),
  });
}

function badge(how) {
  const word = { connected: "live", offline: "offline", refused: "refused" }[how] ?? "connecting";
  $("badge").dataset.state = word;
  $("badge-text").textContent = say(word);
}

setInterval(async () => {
  if (current !== "clients" || document.hidden || !live) return;
  try {
    state = await get("/api/state");
    views.clients.update(state);
  } catch {
    // The badge tells it.
  }
}, COUNT);

// --- who is not let in -----------------------------------------------------------------------------

function turnedAway(error) {
  if (error.status === 401) return ask("sign_in", "sign_in_hint", "token", "password", (value) => { signIn(value); location.reload(); }, token() ? error.message : null);
  if (error.code === "NO_RESTAURANT") return ask("which_restaurant", null, "restaurant", "text", (value) => location.assign(address("restaurant", value)), restaurant ? error.message : null);
  if (state) return fail(error);
  $("version").textContent = say("title");
  fill($("gate"), note(error.message, "bad"), h("button", { type: "button", onclick: load }, say("try_again")), token() ? h("button", { type: "button", onclick: leave }, say("sign_out")) : null);
  $("gate").hidden = false;
  if (error.status === 503) setTimeout(load, 3000);
}

function ask(title, hint, label, type, answer, wrong) {
  $("version").textContent = say(title);
  $("facts").textContent = hint ? say(hint) : "";
  badge("refused");
  $("badge").hidden = true;
  const input = h("input", { id: "answer", type, required: true, autocomplete: "off", spellcheck: "false" });
  const form = h("form", { class: "ask" }, wrong ? note(wrong, "bad") : null, h("label", { for: "answer" }, say(label)), input, h("button", { class: "primary" }, say(type === "password" ? "sign_in" : "open")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(input.value.trim());
  });
  fill($("gate"), form);
  $("gate").hidden = false;
  input.focus();
}

function leave() {
  signIn(null);
  location.reload();
}
$("sign-out").addEventListener("click", leave);
$("language").href = address("lang", $("language").lang);
$("language").addEventListener("click", () => ($("language").href = address("lang", $("language").lang)));

// --- news ------------------------------------------------------------------------------------------

let cleared;
function toast(text, kind = "") {
  fill($("toast"), h("p", { class: kind }, text));
  clearTimeout(cleared);
  cleared = setTimeout(() => fill($("toast")), 6000);
}

function fail(error) {
  toast(error.message, "bad");
}

load();
