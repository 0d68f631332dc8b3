/**
 * The models on offer, as this tab knows them: fetched once when a thread is first shown, and again when the picker
 * opens on an old list. Without them a page works too: it shows the names that its answers carry.
 */
import { useEffect, useSyncExternalStore } from "react";
import type { Model } from "~/ai/model";
import type { ModelRef } from "~/ai/settings";

export interface Offer {
  /** The default one first; empty until they are known. */
  models: readonly Model[];
  /** What to say about lists that could not be read. */
  notices: readonly string[];
  /** Why there are none. */
  problem?: string;
}

const nothing: Offer = { models: [], notices: [] };
/** In ms: how long a list is good, and how long the server marks a model that its vendor denied. */
const FRESH = 600_000;

interface Surroundings {
  /** `again`: has the server ask the vendors again. */
  ask(again: boolean): Promise<Response>;
  now(): number;
}

const browser: Surroundings = { ask: (again) => fetch(again ? "/models?fresh=1" : "/models"), now: Date.now };

/** One tab's knowledge of the models. */
export function createModels({ ask, now }: Surroundings = browser) {
  let offer = nothing;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<boolean> | undefined;
  const listeners = new Set<() => void>();
  /** Denied answers that the list is new enough for. */
  const noted = new Set<string>();

  function put(next: Offer): void {
    offer = next;
    for (const listener of listeners) listener();
  }

  function load({ again = false } = {}): Promise<boolean> {
    if (!again && now() - readAt < FRESH && offer.models.length > 0) return Promise.resolve(true);
    // What is being read already may come from the server's old list.
    if (again && reading) return reading.then(() => load({ again }));
    reading ??= (async () => {
      try {
        const response = await ask(again);
        if (!response.ok) throw new Error(`The list of models answered ${response.status}`);
        const { models, notices } = (await response.json()) as { models: Model[]; notices: string[] };
        readAt = now();
        put({ models, notices });
        return notices.length === 0;
      } catch (error) {
        console.warn("The list of models could not be read.", error);
        if (offer.models.length === 0) put({ ...nothing, problem: "The list of models could not be read." });
        return false;
      } finally {
        reading = undefined;
      }
    })();
    return reading;
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get: (): Offer => offer,
    /**
     * Reads the list if it is not fresh. `again`: has the server ask the vendors again. Never rejects: false
     * if it could not be read, by this page or by the server.
     */
    load,
    /**
     * A vendor denied an answer its model, which the server marks: the list is read anew unless it knows, once for
     * each answer. One that is first read after the denial knows by itself, and what was denied long ago is over.
     */
    noteDenied(answerId: string, ref: ModelRef, at: number): void {
      if (noted.has(answerId)) return;
      noted.add(answerId);
      const model = offer.models.find((known) => known.ref === ref);
      if (!model || model.unavailable !== undefined || now() - at > FRESH) return;
      // A reading that is on its way may have begun before.
      void Promise.resolve(reading).then(() => {
        readAt = Number.NEGATIVE_INFINITY;
        return load();
      });
    },
  };
}

const store = createModels();
export const { load: loadModels, noteDenied } = store;

/** The models, once they are there; asking for them begins when the page has come to rest. */
export function useModels(): Offer {
  useEffect(() => {
    const timer = setTimeout(() => void loadModels(), 200);
    return () => clearTimeout(timer);
  }, []);
  return useSyncExternalStore(store.subscribe, store.get, () => nothing);
}

/** The model of a reference, the default one for undefined; undefined while it is not known. */
export const findModel = ({ models }: Offer, ref: ModelRef | undefined): Model | undefined =>
  ref === undefined ? models[0] : models.find((model) => model.ref === ref);

const vendorNames: Record<string, string> = { bedrock: "Amazon Bedrock", openai: "OpenAI" };

/** The models by vendor, in the order of the list, those that `words` fit. */
export function groupModels(models: readonly Model[], words = ""): { name: string; models: Model[] }[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Model[]>();
  for (const model of models) {
    const name = vendorNames[model.vendor] ?? model.vendor;
    const heap = `${model.name} ${model.id} ${name} ${model.family}`.toLowerCase();
    if (wanted.every((word) => heap.includes(word))) groups.set(name, [...(groups.get(name) ?? []), model]);
  }
  return [...groups].map(([name, group]) => ({ name, models: group }));
}

/** A size in tokens as people say it: 8k, 128k, 1M. */
export function sizeName(tokens: number): string {
  if (tokens >= 1_000_000) return `${Math.round(tokens / 100_000) / 10}M`;
  return tokens >= 1_000 ? `${Math.round(tokens / 1_000)}k` : String(tokens);
}

/** What stands in a row of the picker in place of the size when it cannot be chosen. */
export const remarkOf = (model: Model): string => (model.unavailable ? "not allowed here" : sizeName(model.window));
