/**
 * Which models there are: the vendors' live lists joined with the family table and the operator's allow-list.
 *
 * Lists are kept per warm process. A stale one is used at once and read again behind the answer; a list that
 * cannot be read is replaced by the last one or by a few well-known ids, and the page says so. A send never
 * waits for a list: what a model takes follows from its id, and a model that is gone is refused by its vendor.
 */
import { config } from "~/config.server";
import { PublicError } from "~/errors";
import { currentInvocation } from "~/invocation.server";
import { bareBedrockId, traitsOf } from "./families";
import { type ListedModel, listBedrock, listCompatible, listOpenAi, wellKnown } from "./lists.server";
import type { Model } from "./model";
import { priceOf } from "./prices.server";
import { type ModelRef, parseModelRef } from "./settings";

export type { Model } from "./model";

/**
 * How long a list is fresh, how soon a person may have it read again (however many ask), how soon a failed one is
 * read again, and how long a refusal is remembered. Milliseconds.
 */
const FRESH = 600_000;
const AGAIN = 15_000;
const FAILED = 30_000;
const REFUSED = 600_000;

interface Source {
  vendor: string;
  /** In sentences: "The list of Bedrock models ...". */
  name: string;
  read(): Promise<ListedModel[]>;
  listing?: { models: ListedModel[]; readAt: number; live: boolean; failed: boolean };
  reading?: Promise<void> | undefined;
}

const sources: Source[] = [
  ...(config.bedrock ? [{ vendor: "bedrock", name: "Bedrock", read: listBedrock }] : []),
  ...(config.openAiApiKey ? [{ vendor: "openai", name: "OpenAI", read: listOpenAi }] : []),
  ...config.compatible.map((endpoint) => ({
    vendor: endpoint.name,
    name: endpoint.name,
    read: () => listCompatible(endpoint),
  })),
];

/** Models that their vendor lately refused to this account. */
const refused = new Map<ModelRef, { reason: string; until: number }>();

/** Reads a list anew; calls at the same time share one reading. Never rejects. */
function refresh(source: Source): Promise<void> {
  source.reading ??= (async () => {
    try {
      source.listing = { models: await source.read(), readAt: Date.now(), live: true, failed: false };
    } catch (error) {
      console.error(JSON.stringify({ level: "ERROR", where: `list of ${source.name} models`, ...loggable(error) }));
      const last = source.listing?.live ? source.listing : { models: wellKnown(source.vendor), live: false };
      source.listing = { ...last, readAt: Date.now(), failed: true };
    } finally {
      source.reading = undefined;
    }
  })();
  return source.reading;
}

/** What a log may hold of a vendor's error: its own sentence can name accounts and keys. */
function loggable(error: unknown): { name: string; status?: number | undefined } {
  const failure = error as Error & { status?: number; $metadata?: { httpStatusCode?: number } };
  return {
    name: failure.name === "Error" ? failure.constructor.name : failure.name,
    status: failure.status ?? failure.$metadata?.httpStatusCode,
  };
}

function isStale({ listing }: Source): boolean {
  return !listing || Date.now() - listing.readAt > (listing.failed ? FAILED : FRESH);
}

/** Whether the operator allows it. An allowed bare Bedrock id allows its inference profiles too. */
function isAllowed({ vendor, id }: { vendor: string; id: string }): boolean {
  const { allow, default: standard } = config.models;
  if (!allow) return true;
  const refs = [`${vendor}:${id}`, ...(vendor === "bedrock" ? [`bedrock:${bareBedrockId(id)}`] : [])];
  return refs.some((ref) => ref === standard || allow.includes(ref));
}

function toModel(vendor: string, { id, name }: ListedModel): Model {
  const ref = `${vendor}:${id}`;
  const refusal = refused.get(ref);
  const price = priceOf(vendor, id);
  const window = config.compatible.find((endpoint) => endpoint.name === vendor)?.window;
  return {
    ref,
    vendor,
    id,
    name,
    ...traitsOf(vendor, id),
    ...(window && { window }),
    ...(price && { price }),
    ...(refusal && refusal.until > Date.now() && { unavailable: refusal.reason }),
  };
}

/**
 * The models that a person may choose from, the default one first, and what to say about lists that failed. `fresh`:
 * the lists are read again first, save those that were read a moment ago.
 */
export async function listModels({ fresh = false } = {}): Promise<{ models: Model[]; notices: string[] }> {
  await Promise.all(
    sources.map((source) => {
      if (!source.listing || (fresh && Date.now() - source.listing.readAt > AGAIN)) return refresh(source);
      if (isStale(source)) currentInvocation().waitUntil(refresh(source));
      return undefined;
    }),
  );
  const { allow, default: standard } = config.models;
  const models = sources.flatMap(({ vendor, listing }) => {
    const listed = (listing?.models ?? []).filter(({ id }) => isAllowed({ vendor, id }));
    const isNamed = (id: string) => allow?.includes(`${vendor}:${id}`) || `${vendor}:${id}` === standard;
    // One of several ids of the same model is enough, unless the operator names another one.
    const offered = listed.filter(({ id, standsFor = id, alias, onlyNamed }) =>
      alias ? isNamed(id) : !onlyNamed || isNamed(id) || isNamed(standsFor),
    );
    return offered
      .map((model) => toModel(vendor, model))
      .sort((one, other) => one.name.localeCompare(other.name, "en"));
  });
  const notices = sources
    .filter(({ listing }) => listing?.failed)
    .map(({ name, listing }) =>
      listing?.live
        ? `The list of ${name} models could not be read again. This is the last one.`
        : `The list of ${name} models could not be read. These are well-known ones; some may not be offered.`,
    );
  return {
    models: models.sort((one, other) => Number(other.ref === standard) - Number(one.ref === standard)),
    notices,
  };
}

/**
 * The model of a thread, or the operator's default one for undefined. Throws a PublicError "model-missing" for
 * what is not a model, not allowed, or not on a list that was read; before that it trusts the id.
 */
export async function requireModel(ref: ModelRef | undefined): Promise<Model> {
  const parsed = parseModelRef(ref ?? config.models.default);
  const source = sources.find(({ vendor }) => vendor === parsed?.vendor);
  if (!parsed || !source || !isAllowed(parsed)) throw new PublicError("model-missing");
  const { vendor, id } = parsed;
  if (isStale(source)) currentInvocation().waitUntil(refresh(source));
  const find = () => source.listing?.models.find((model) => model.id === id || model.standsFor === id);
  const listed = find();
  if (listed) return toModel(vendor, listed);
  // Not on a live list: it may be newer than the list, so one that is not just read is read again.
  if (source.listing?.live && !source.listing.failed) {
    if (Date.now() - source.listing.readAt > FAILED) await refresh(source);
    const found = find();
    if (found) return toModel(vendor, found);
    if (source.listing.live && !source.listing.failed) throw new PublicError("model-missing");
  }
  return toModel(vendor, { id, name: id });
}

/** Remembers that the vendor refused this model to the account, or (undefined) that it answered. */
export function markModel(ref: ModelRef, reason: string | undefined): void {
  if (reason === undefined) refused.delete(ref);
  else refused.set(ref, { reason, until: Date.now() + REFUSED });
}
