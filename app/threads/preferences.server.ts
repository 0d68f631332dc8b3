/**
 * A person's preferences on their Account item: one attribute, written on the condition that it is as it was read, so
 * that two tabs never overwrite each other silently. Nothing is kept for an account that is being deleted.
 */
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { $set, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import {
  changed,
  noPreferences,
  type Preferences,
  type PreferencesChange,
  preferences as preferencesSchema,
} from "~/ai/preferences";
import type { ThreadSettings } from "~/ai/settings";
import { AccountEntity } from "~/data/account-entity.server";
import { keys } from "~/data/keys.server";
import { isRefused } from "~/data/table.server";
import { PublicError } from "~/errors";

/**
 * What is stored, without what this version does not understand any more: one preset that an older version wrote in
 * another form must not take all others along.
 */
function readPreferences(stored: unknown, revision: number): Preferences {
  const { defaults, presets } = (stored ?? {}) as { defaults?: unknown; presets?: unknown };
  const { shape } = preferencesSchema;
  return {
    revision,
    defaults: shape.defaults.safeParse(defaults ?? {}).data ?? {},
    presets: (Array.isArray(presets) ? presets : []).flatMap((one) => shape.presets.element.safeParse(one).data ?? []),
  };
}

/** The person's preferences. `consistent`: as they are at this moment, for changing them. */
export async function getPreferences(userId: string, { consistent = true } = {}): Promise<Preferences> {
  const { Item } = await AccountEntity.build(GetItemCommand)
    .key(keys.account(userId))
    .options({ consistent, attributes: ["preferences", "preferencesRevision"] })
    .send();
  const revision = Item?.preferencesRevision;
  return revision === undefined ? noPreferences : readPreferences(Item?.preferences, revision);
}

/** What a new thread of this person begins with. */
export const getDefaults = async (userId: string): Promise<ThreadSettings> => (await getPreferences(userId)).defaults;

/**
 * Makes one change and returns the preferences as they then stand. Throws `conflict` (with them in its details) if
 * they are not as the person saw them, `not-found`, `too-large`, `bad-request` for a name that is taken.
 */
export async function changePreferences(userId: string, change: PreferencesChange): Promise<Preferences> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = await getPreferences(userId);
    const next = changed(before, change);
    if ("reason" in next) {
      const { reason, message } = next;
      if (reason === "conflict") throw new PublicError("conflict", { message, details: { preferences: before } });
      throw new PublicError(reason === "gone" ? "not-found" : reason === "name" ? "bad-request" : "too-large", {
        message,
      });
    }
    if (next === before) return before;
    const { revision, ...stored } = next;
    try {
      await AccountEntity.build(UpdateItemCommand)
        .item({ ...keys.account(userId), preferences: $set(stored), preferencesRevision: revision })
        .options({
          condition: {
            and: [
              before.revision === 0
                ? { attr: "preferencesRevision", exists: false }
                : { attr: "preferencesRevision", eq: before.revision },
              // Of an account that is being deleted only the mark stays.
              { attr: "deletedAt", exists: false },
            ],
          },
        })
        .send();
      return next;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  throw new PublicError("unavailable", { message: "Your presets change too fast just now. Try again." });
}
