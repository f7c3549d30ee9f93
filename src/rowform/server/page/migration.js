/** Settings out of a browser: see where they go, take them as YAML, or make a version of them. */
import { fill, h, language, number, say } from "./dom.js";
import { note, pill, table } from "./pieces.js";

const PREVIEW = "SETTINGS_MIGRATE_PREVIEW";
const MIGRATE = "SETTINGS_MIGRATE";
/** The server takes no larger messages, and no browser stores more in one key that is a restaurant's settings. */
const MAX_BYTES = 700_000;

export function migrationView(panel, live) {
  const input = h("input", { type: "file", id: "export", accept: ".json,application/json,text/plain", class: "unseen" });
  const drop = h("label", { for: "export", class: "drop" }, h("strong", {}, say("choose_file")), " ", h("span", { class: "faint" }, say("drop_file")));
  const result = h("div", { "aria-live": "polite" });
  let file = null;
  let tables = null;
  let leaveOut = new Set();
  let confirmed = [];
  let choice = "keep";
  let mode = "reject";
  let waiting = null;
  let shown = null;

  input.addEventListener("change", () => take(input.files[0]));
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", over);
      if (name === "drop") take(event.dataTransfer.files[0]);
    });
  }
  fill(panel, h("p", {}, say("migration_intro")), input, drop, result);

  async function take(chosen) {
    input.value = "";
    if (!chosen) return;
    if (chosen.size > MAX_BYTES) return fill(result, note(say("too_large"), "bad"));
    file = { name: chosen.name, settings: await chosen.text() };
    [tables, leaveOut, confirmed, choice] = [null, new Set(), [], "keep"];
    ask();
  }

  const wanted = () => ({ ...file, tables: tables ?? [], leaveOut: [...leaveOut] });

  function ask() {
    const asked = live().send(PREVIEW, { ...wanted(), lang: language });
    waiting = asked ? PREVIEW : null;
    fill(result, note(asked ? say("loading") : say("not_connected"), asked ? "" : "bad"));
  }

  function draw() {
    const wrong = shown.faults.length + shown.homeless.length;
    fill(
      result,
      h("h2", {}, shown.name),
      shown.notes.map((one) => h("p", { class: "faint" }, one)),
      choices(),
      problems("faults", shown.faults, (one) => [h("code", {}, one.pointer || "/"), one.message], (one) => one.leave_out, say("why")),
      problems("homeless", shown.homeless, (one) => [h("code", {}, one.pointer), `${one.value}: ${one.why}`], (one) => one.pointer, say("value")),
      h("div", { class: "tools" }, download(), migrate(wrong)),
      h("h2", {}, say("mapping")),
      shown.settings.map(setting),
      shown.kept.length
        ? h("details", {}, h("summary", {}, `${say("kept")} (${number.format(shown.kept.length)})`), table([say("in_browser"), say("value"), say("why")], shown.kept.map((one) => [h("code", {}, one.pointer), one.value, one.why])))
        : null,
    );
  }

  function choices() {
    const chosen = new Set(tables ?? shown.tables.map((one) => one.kind));
    const box = (one) =>
      h(
        "label",
        {},
        h("input", {
          type: "checkbox",
          checked: chosen.has(one.kind),
          onchange: (event) => {
            if (event.target.checked) chosen.add(one.kind);
            else chosen.delete(one.kind);
            // To want none is no wish, and an empty list stands for all.
            if (!chosen.size) chosen.add(one.kind);
            tables = chosen.size === shown.tables.length ? null : [...chosen];
            ask();
          },
        }),
        ` ${one.title} `,
        h("code", { class: "faint" }, one.kind),
        h("span", { class: "count" }, ` ${number.format(one.settings)}`),
      );
    return h("fieldset", { class: "choices" }, h("legend", {}, say("tables")), shown.tables.map(box));
  }

  function problems(name, found, cells, pointer, heading) {
    if (!found.length) return null;
    const answer = (one) =>
      pointer(one) === null
        ? ""
        : h("button", { type: "button", class: "small", onclick: () => { leaveOut.add(pointer(one)); ask(); } }, say("leave_out"));
    return h("section", { class: "bad" }, h("h2", {}, say(name)), table([say("in_browser"), heading, say("leave_out")], found.map((one) => [...cells(one), answer(one)])));
  }

  function download() {
    if (shown.yaml === null) return null;
    const url = URL.createObjectURL(new Blob([shown.yaml], { type: "application/yaml" }));
    return h("a", { class: "button", href: url, download: `${shown.name.replace(/\.\w+$/, "")}.yaml` }, say("download"));
  }

  function migrate(wrong) {
    if (mode !== "apply") return h("p", { class: "faint" }, say("migrate_off"));
    const button = h("button", { type: "button", class: "primary", disabled: wrong > 0, onclick: () => start(button) }, say("migrate"));
    return [conflicts(), button, wrong ? h("p", { class: "faint" }, say("problems_first")) : null];
  }

  function start(button) {
    const asked = live().send(MIGRATE, { ...wanted(), onConflict: choice, confirm: confirmed });
    waiting = asked ? MIGRATE : null;
    button.disabled = true;
    button.textContent = say("migrating");
    if (!asked) fill(result, note(say("not_connected"), "bad"));
  }

  /** What happens to settings that are there already, and different. */
  function conflicts() {
    if (!shown.settings.some((one) => one.compared === "different")) return null;
    const box = (value) =>
      h("label", {}, h("input", { type: "radio", name: "conflict", value, checked: choice === value, onchange: () => (choice = value) }), ` ${say(`conflict_${value}`)}`);
    return h("fieldset", { class: "choices" }, h("legend", {}, say("conflict")), box("keep"), box("replace"));
  }

  /** A guard that fired: people may say that they mean it. */
  function refused(payload) {
    const guards = (payload.guards ?? []).filter((one) => one.forceable).map((one) => one.guard);
    const again = h("button", { type: "button", onclick: () => { confirmed = guards; start(again); } }, say("confirm"));
    fill(
      result,
      note(payload.message, "bad"),
      (payload.problems ?? []).length > 1 ? h("ul", {}, payload.problems.map((one) => h("li", {}, h("code", {}, one.path), ` ${one.message}`))) : null,
      h("div", { class: "tools" }, payload.code === "BLOCKED" && guards.length ? again : null, h("button", { type: "button", onclick: draw }, say("back"))),
    );
  }

  return {
    update(state) {
      if (mode !== state.edits) {
        mode = state.edits;
        if (shown) draw();
      }
    },
    /** What the server says to this page. */
    receive({ type, payload }) {
      if (type === PREVIEW) {
        [shown, waiting] = [payload, null];
        draw();
      } else if (type === "ERROR" && waiting) {
        const migrating = waiting === MIGRATE;
        waiting = null;
        if (migrating) refused(payload);
        else fill(result, note(payload.message, "bad"));
      } else if (type === "SETTINGS_SYNC_RESPONSE" && payload.migrated && waiting) {
        waiting = null;
        fill(result, note(say("migrated", { number: payload.settings.version.versionNumber }), "good"));
      }
    },
  };
}

function setting(one) {
  return h(
    "details",
    { class: "mapped" },
    h(
      "summary",
      {},
      h("span", { class: "name" }, one.key),
      " ",
      h("span", { class: "faint" }, one.title),
      " ",
      one.compared ? pill(say(one.compared), one.compared) : null,
      one.former ? h("span", { class: "faint" }, say("renamed_from", { name: one.former })) : null,
    ),
    h("p", { class: "faint" }, h("code", {}, one.pointer)),
    table([say("in_browser"), say("column"), say("value")], one.rows.map((row) => [row.from ? h("code", {}, row.from) : say("implied"), h("code", {}, row.column), row.value])),
  );
}
