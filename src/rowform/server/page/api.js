/** The documents that the page reads. */
import { language } from "./dom.js";

const TOKEN = "rowform-token";
const here = new URLSearchParams(location.search);

export const restaurant = here.get("restaurant");
export const token = () => sessionStorage.getItem(TOKEN);

export function signIn(value) {
  if (value) sessionStorage.setItem(TOKEN, value);
  else sessionStorage.removeItem(TOKEN);
}

/** An address of this page with another part of its query. */
export function address(name, value) {
  const query = new URLSearchParams(location.search);
  query.set(name, value);
  return `${location.pathname}?${query}${location.hash}`;
}

/** A document; throws an error with the server's code and message. */
export async function get(path, query = {}) {
  const url = new URL(path, location.origin);
  const all = { ...query, lang: language, ...(restaurant ? { restaurant } : {}) };
  for (const [name, value] of Object.entries(all)) if (value !== null && value !== "") url.searchParams.set(name, value);
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const answer = await fetch(url, { headers });
  const document = await answer.json().catch(() => ({}));
  if (answer.ok) return document;
  const { code = "UNAVAILABLE", message = answer.statusText } = document.error ?? {};
  throw Object.assign(new Error(message), { code, status: answer.status });
}
