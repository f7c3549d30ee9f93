/** What several views show: settings as cards, and changes leaf by leaf. */
import { facts, h, number, say } from "./dom.js";

/** So many fields of a change are shown at once. */
const FIELDS = 6;

export function pill(text, kind = "") {
  return h("span", { class: `pill ${kind}` }, text);
}

export function note(text, kind = "") {
  return h("p", { class: `note ${kind}` }, text);
}

const values = (shown) => shown.map((one) => h("span", { class: "value" }, one));

/** Settings by kind. */
export function groups(kinds, wanted = () => true) {
  return kinds
    .map((kind) => ({ ...kind, settings: kind.settings.filter((one) => wanted(one, kind)) }))
    .filter((kind) => kind.settings.length)
    .map((kind) => {
      const id = `kind-${kind.kind}-${(groups.count = (groups.count ?? 0) + 1)}`;
      return h(
        "section",
        { class: "group", "aria-labelledby": id },
        h("h2", { id }, kind.title, " ", h("span", { class: "count" }, number.format(kind.settings.length))),
        h("ul", { class: "cards" }, kind.settings.map(card)),
      );
    });
}

function card(setting) {
  const swatch = setting.color ? h("span", { class: "swatch", title: setting.color, role: "img", "aria-label": setting.color }) : null;
  swatch?.style.setProperty("background-color", setting.color);
  const fields = setting.fields.map(({ label, value }) => [h("dt", {}, label), h("dd", {}, values(value))]);
  return h(
    "li",
    { class: "card", "data-standing": setting.standing },
    h("div", { class: "card-head" }, h("h3", {}, swatch, h("span", { class: "name" }, setting.key)), pill(say(setting.standing, { day: setting.day }), setting.standing)),
    fields.length ? h("dl", {}, fields) : h("p", { class: "faint" }, say("nothing_set")),
  );
}

/** Changes by kind. */
export function changes(kinds) {
  return kinds.map((kind) =>
    h(
      "section",
      { class: "group" },
      h("h2", {}, kind.title, " ", h("span", { class: "count" }, number.format(kind.changes.length))),
      kind.changes.map((one) => h("article", { class: "change" }, changeHead(one, "h3"), leaves(one))),
    ),
  );
}

export function changeHead(change, tag, title = null) {
  return h(
    tag,
    { class: "what" },
    pill(say(change.action), change.action),
    title ? h("span", { class: "faint" }, title) : null,
    h("span", { class: "name" }, change.key),
    change.previous_key ? h("span", { class: "faint" }, say("renamed_from", { name: change.previous_key })) : null,
  );
}

/** How many settings were added, changed and deleted. */
export function counts(summary) {
  const told = ["create", "update", "delete"].filter((one) => summary[one]);
  return told.length ? facts(...told.map((one) => say(`${one}_count`, { count: number.format(summary[one]) }))) : say("no_changes");
}

/** The fields that differ: what was struck out, what is there now. */
export function leaves(change) {
  if (!change.fields.length) return null;
  const shown = list(change.fields.slice(0, FIELDS));
  const rest = change.fields.slice(FIELDS);
  if (rest.length < 2) return list(change.fields);
  return [shown, h("details", {}, h("summary", {}, say("more_fields", { count: rest.length })), list(rest))];
}

function list(fields) {
  return h(
    "dl",
    { class: "leaves" },
    fields.map(({ label, old, new: now }) => [
      h("dt", {}, label),
      h(
        "dd",
        {},
        old ? h("del", {}, h("span", { class: "unseen" }, `${say("before")}: `), values(old)) : null,
        old && now ? h("span", { class: "arrow", "aria-hidden": "true" }, "→") : null,
        now ? h("ins", {}, h("span", { class: "unseen" }, `${say("after")}: `), values(now)) : null,
      ),
    ]),
  );
}

/** A column of plain rows under headings. */
export function table(headings, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": headings.join(", ") },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, headings.map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))),
    ),
  );
}
