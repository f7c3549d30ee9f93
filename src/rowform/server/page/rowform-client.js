/**
 * The settings of a restaurant, live: a client for `rowform serve` without dependencies.
 *
 *   import { connect } from "https://settings.example.com/rowform-client.js";
 *   const live = connect("wss://settings.example.com/ws", {
 *     token: () => getToken(), // left out where the server wants none
 *     onSettings: (settings, { version, fresh }) => show(settings),
 *     onStatus: ({ state, error }) => badge(state),
 *   });
 *   live.close();
 *
 * The last settings known are kept in localStorage. They are handed over at once, and for as long as the
 * server cannot be reached: `fresh` tells whether the server has confirmed them.
 */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
/** A connection that lasts for so long was a good one. */
const STEADY = 5_000;
/** The code of a connection that the server ends on purpose, and errors that the same token would get again. */
const POLICY_VIOLATION = 1008;
const REFUSED = new Set(["UNAUTHENTICATED", "TOKEN_EXPIRED", "FORBIDDEN", "NO_RESTAURANT"]);

/** Connect, and stay connected until `close()`. See rowform-client.d.ts for all options. */
export function connect(url, options = {}) {
  const {
    token,
    restaurant,
    onSettings = () => {},
    onStatus = () => {},
    onError = () => {},
    onMessage = () => {},
    clientId = newId(),
    storage = localStorageOrNothing(),
  } = options;
  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  if (restaurant) address.searchParams.set("restaurant", restaurant);

  let socket = null;
  let timer = null;
  let attempts = 0;
  let closed = false;
  let place = null;
  let known = null;
  let refusal = null;
  let status = { state: "connecting", error: null };

  const tell = (state, error = null) => {
    if (state === status.state && error?.message === status.error?.message) return;
    status = { state, error };
    onStatus({ ...status });
  };

  const hand = (fresh, payload = {}) =>
    onSettings(known.settings, { version: known.version, fresh, updated: payload.updatedTables ?? null, payload });

  const remember = () => {
    try {
      storage?.setItem(place, JSON.stringify(known));
    } catch {
      // A full or forbidden storage costs the fallback, and nothing else.
    }
  };

  const recall = () => {
    try {
      const found = JSON.parse(storage?.getItem(place) ?? "null");
      return found?.settings && found?.version?.id ? found : null;
    } catch {
      return null;
    }
  };

  const send = (type, payload = {}) => {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify({ type, payload, timestamp: new Date().toISOString(), clientId }));
    return true;
  };

  const receive = (message) => {
    const { type, payload = {} } = message;
    onMessage(message);
    if (type === "CONNECTION_ACK") {
      tell("connected");
    } else if (type === "SETTINGS_SYNC_RESPONSE") {
      const { version, ...settings } = payload.settings;
      known = { settings, version };
      remember();
      hand(true, payload);
      send("SETTINGS_ACK", { versionId: version.id });
    } else if (type === "SETTINGS_UP_TO_DATE" && known?.version.id === payload.versionId) {
      hand(true, payload);
      send("SETTINGS_ACK", { versionId: payload.versionId });
    } else if (type === "ERROR") {
      const error = Object.assign(new Error(payload.message), { code: payload.code });
      refusal = REFUSED.has(payload.code) ? error : null;
      onError(error);
    }
  };

  const open = async () => {
    clearTimeout(timer);
    timer = null;
    let given;
    try {
      given = typeof token === "function" ? await token() : token;
    } catch (error) {
      onError(error);
      return later();
    }
    if (closed) return;
    recallFor(given);
    const current = new WebSocket(address);
    let since = 0;
    socket = current;
    current.onopen = () => {
      since = Date.now();
      if (given) send("AUTH", { token: given });
      send("SETTINGS_SYNC_REQUEST", known ? { versionId: known.version.id } : {});
    };
    current.onmessage = (event) => {
      if (current === socket) receive(JSON.parse(event.data));
    };
    current.onclose = ({ code }) => {
      if (current !== socket) return;
      socket = null;
      if (since && Date.now() - since > STEADY) attempts = 0;
      if (code !== POLICY_VIOLATION) refusal = null;
      // With a fixed token the next attempt would be refused as well.
      if (refusal && typeof token !== "function") return tell("refused", refusal);
      later();
    };
  };

  /** What is known already, of this restaurant and nobody else's. */
  const recallFor = (given) => {
    const before = place;
    place = `rowform-settings:${address.host}:${restaurant ?? claimed(given) ?? ""}`;
    if (place === before) return;
    known = recall();
    if (known) hand(false);
  };

  const later = () => {
    if (closed) return;
    tell(known ? "offline" : "connecting", refusal);
    // Half of the delay is chance, so that a thousand clients do not come back at once.
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts) * (0.5 + Math.random() / 2);
    attempts += 1;
    timer = setTimeout(open, delay);
  };

  /** The network is back, or somebody looks again: no reason to wait any longer. */
  const hurry = () => {
    if (closed || timer === null || globalThis.document?.hidden) return;
    attempts = 0;
    open();
  };
  globalThis.addEventListener?.("online", hurry);
  globalThis.document?.addEventListener("visibilitychange", hurry);

  const ready = open();

  return {
    /** Ask for the settings again. */
    refresh: () => send("SETTINGS_SYNC_REQUEST"),
    /** Send any other message; false if there is no connection. */
    send,
    /** Settle once the first attempt has begun. */
    ready,
    get status() {
      return { ...status };
    },
    get settings() {
      return known?.settings ?? null;
    },
    get version() {
      return known?.version ?? null;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", hurry);
      globalThis.document?.removeEventListener("visibilitychange", hurry);
      const current = socket;
      socket = null;
      current?.close();
      tell("closed");
    },
  };
}

/** The restaurant that a token names, so that what is kept of one is never shown to another. */
function claimed(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(atob(part));
    return claims.restaurant_id ?? claims.app_metadata?.restaurant_id ?? null;
  } catch {
    return null;
  }
}

/** `crypto.randomUUID` is there on secure pages alone. */
function newId() {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function localStorageOrNothing() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
