/**
 * What the browser keeps of a person's own words until the server has them: drafts, messages whose sending is not
 * settled, settings that are not saved, and messages that wait for an answer's end. Kept by person, so that whoever
 * signs in next on this machine is shown nothing of it. All but the waiting messages outlive the tab (to send a message
 * twice under its id, or to save settings twice, is harmless); those belong to one tab, since two tabs would both send
 * them. Signing out clears all of it.
 */
import type { SettingsChange, ThreadSettings } from "~/ai/settings";
import type { Refusal } from "./live";

/** A send as it is repeated until its outcome is known: always the same ids and the same text. */
export interface KeptSend {
  threadId: string;
  messageId: string;
  text: string;
  parentId?: string;
  branch?: true;
  create?: true;
  settings?: ThreadSettings;
  createdAt: number;
  /** The tab that sends it: another one leaves it alone at first. */
  tab?: string;
  /** It was refused until a time that is known. */
  refusal?: Refusal;
}

export interface WaitingMessage {
  key: string;
  text: string;
}

/** The place of words that belong to no thread yet. */
export const NEW = "new";

export interface Kept {
  /** `place` is a thread's id, or NEW. */
  readDraft(userId: string, place: string): string;
  writeDraft(userId: string, place: string, text: string): void;
  readSend(userId: string, place: string): KeptSend | undefined;
  writeSend(userId: string, place: string, send: KeptSend | undefined): void;
  readWaiting(userId: string, place: string): WaitingMessage[];
  writeWaiting(userId: string, place: string, waiting: readonly WaitingMessage[]): void;
  readSettings(userId: string, threadId: string): SettingsChange | undefined;
  writeSettings(userId: string, threadId: string, change: SettingsChange | undefined): void;
  /** A name of this tab that outlives a reload. */
  tabName(): string;
}

type Box = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const prefix = (userId: string): string => `sidenote/${userId}/`;

/** A browser may refuse its storage (private windows, a full disk): then words live as long as the page does. */
function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** `lasting` and `tab` are looked up at each call, since merely naming a forbidden storage throws. */
export function createKept(
  lasting: () => Box = () => window.localStorage,
  tab: () => Box = () => window.sessionStorage,
): Kept {
  const read = (box: () => Box, key: string): unknown =>
    attempt(() => JSON.parse(box().getItem(key) ?? "null") as unknown, null);
  const write = (box: () => Box, key: string, value: unknown): void =>
    attempt(() => {
      if (value === undefined) box().removeItem(key);
      else box().setItem(key, JSON.stringify(value));
    }, undefined);

  return {
    readDraft(userId, place) {
      const draft = read(lasting, `${prefix(userId)}draft/${place}`);
      return typeof draft === "string" ? draft : "";
    },
    writeDraft(userId, place, text) {
      write(lasting, `${prefix(userId)}draft/${place}`, text === "" ? undefined : text);
    },
    readSend(userId, place) {
      const send = read(lasting, `${prefix(userId)}send/${place}`) as Partial<KeptSend> | null;
      return send?.threadId && send.messageId && typeof send.text === "string" ? (send as KeptSend) : undefined;
    },
    writeSend(userId, place, send) {
      write(lasting, `${prefix(userId)}send/${place}`, send);
    },
    readWaiting(userId, place) {
      const waiting = read(tab, `${prefix(userId)}waiting/${place}`);
      return Array.isArray(waiting) ? (waiting as WaitingMessage[]) : [];
    },
    writeWaiting(userId, place, waiting) {
      write(tab, `${prefix(userId)}waiting/${place}`, waiting.length > 0 ? waiting : undefined);
    },
    readSettings(userId, threadId) {
      const change = read(lasting, `${prefix(userId)}settings/${threadId}`) as Partial<SettingsChange> | null;
      return change?.set && Array.isArray(change.unset) ? { set: change.set, unset: change.unset } : undefined;
    },
    writeSettings(userId, threadId, change) {
      write(lasting, `${prefix(userId)}settings/${threadId}`, change);
    },
    tabName() {
      const known = read(tab, "sidenote/tab");
      if (typeof known === "string") return known;
      const name = crypto.randomUUID();
      write(tab, "sidenote/tab", name);
      return name;
    },
  };
}

export const kept = createKept();
