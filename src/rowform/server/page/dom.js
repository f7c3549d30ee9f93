/** Elements out of texts: nothing that a value says is ever read as HTML. */

/** `h("p", { class: "note", onclick: work }, "text", child)`; what is null or false is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put other things into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

const words = JSON.parse(document.getElementById("words").textContent);
export const language = document.documentElement.lang;

/** A phrase of the page, its `{parts}` filled in. */
export function say(name, parts = {}) {
  const phrase = words[name] ?? name;
  return phrase.replace(/\{(\w+)\}/g, (_, part) => String(parts[part] ?? ""));
}

export const number = new Intl.NumberFormat(language);
let zone;

/** Times are shown as the clock on the restaurant's wall shows them. */
export function setZone(name) {
  try {
    new Intl.DateTimeFormat(language, { timeZone: name ?? undefined });
    zone = name ?? undefined;
  } catch {
    zone = undefined;
  }
}

/** A time as an element. */
export function time(iso) {
  if (!iso) return null;
  const moment = new Date(iso);
  if (Number.isNaN(moment.valueOf())) return h("span", {}, iso);
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  return h("time", { datetime: iso, title: iso }, format.format(moment));
}

/** Several phrases with dots between them. */
export function facts(...parts) {
  const there = parts.filter(Boolean);
  return there.map((part, index) => [index ? h("span", { class: "sep", "aria-hidden": "true" }, " · ") : null, part]);
}

/** Call `work` once nobody has called for a while. */
export function patiently(work, wait = 250) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}
