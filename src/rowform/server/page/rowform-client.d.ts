/** One version of a restaurant's settings. */
export interface Version {
  id: string;
  restaurantId: string;
  versionNumber: number;
  name: string;
  description: string;
  createdBy: string | null;
  createdAt: string;
  isActive: boolean;
  isLocked: boolean;
}

/** The settings by table: `staffGroups`, `dailyLimits`, … */
export type Settings = Record<string, Record<string, unknown>[]>;

export interface News {
  version: Version;
  /** Whether the server has confirmed them; else they are what was known last. */
  fresh: boolean;
  /** The tables that changed, in the words of the database; `null` if that is not known. */
  updated: string[] | null;
  /** The whole payload of the message; empty where the settings come from the browser. */
  payload: Record<string, unknown>;
}

/**
 * `offline`: the server cannot be reached, what was known last is shown. `refused`: the server does not let
 * us in; with a fixed token that is the end.
 */
export type State = "connecting" | "connected" | "offline" | "refused" | "closed";

export interface Status {
  state: State;
  error?: (Error & { code?: string }) | null;
}

/** A message of the live protocol. */
export interface Message {
  type: string;
  payload: Record<string, unknown>;
  timestamp: string;
  clientId: string;
}

export interface Options {
  /** A JSON Web Token, or what fetches a new one before every attempt. */
  token?: string | (() => string | Promise<string>);
  /** Slug or id, for those who may choose. */
  restaurant?: string;
  onSettings?: (settings: Settings, news: News) => void;
  onStatus?: (status: Status) => void;
  onError?: (error: Error & { code?: string }) => void;
  onMessage?: (message: Message) => void;
  clientId?: string;
  /** Where the last settings are kept: `localStorage`; `null` for nowhere. */
  storage?: Pick<Storage, "getItem" | "setItem"> | null;
}

export interface Connection {
  readonly settings: Settings | null;
  readonly version: Version | null;
  readonly status: Status;
  readonly ready: Promise<void>;
  refresh(): boolean;
  send(type: string, payload?: Record<string, unknown>): boolean;
  close(): void;
}

export function connect(url: string | URL, options?: Options): Connection;
