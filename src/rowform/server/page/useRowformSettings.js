/**
 * The settings of a restaurant in a React component:
 *
 *   const { settings, version, state, fresh } = useRowformSettings("wss://settings.example.com/ws", { token });
 */
import { useEffect, useState } from "react";
import { connect } from "./rowform-client.js";

/** Options are those of `connect`. It connects again when url, token or restaurant change: keep functions stable. */
export function useRowformSettings(url, options = {}) {
  const { token, restaurant } = options;
  const [live, setLive] = useState({ settings: null, version: null, fresh: false, state: "connecting", error: null });

  useEffect(() => {
    const add = (more) => setLive((before) => ({ ...before, ...more }));
    const connection = connect(url, {
      ...options,
      onSettings: (settings, { version, fresh }) => add({ settings, version, fresh }),
      onStatus: ({ state, error }) => add(state === "connected" ? { state, error } : { state, error, fresh: false }),
    });
    return () => connection.close();
  }, [url, token, restaurant]);

  return live;
}
