/**
 * The Account item: the mark that says that the account is being deleted, beside what the person prefers (which the
 * threads read and write). Whoever is marked cannot sign in any more, and whoever sees the mark goes on with the
 * deletion; of what stood there nothing but the mark is left.
 */
import { Entity } from "dynamodb-toolbox/entity";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { $remove, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { any } from "dynamodb-toolbox/schema/any";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { keys } from "~/data/keys.server";
import { expiresIn, table } from "~/data/table.server";

const AccountEntity = new Entity({
  name: "Account",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    preferences: any().optional(),
    preferencesRevision: number().optional(),
    deletedAt: number().optional(),
    expiresAt: number().optional(),
  }),
});

/** Whether the account is marked as deleted. Read consistently. */
export async function isAccountDeleted(userId: string): Promise<boolean> {
  const { Item } = await AccountEntity.build(GetItemCommand)
    .key(keys.account(userId))
    .options({ consistent: true, attributes: ["deletedAt"] })
    .send();
  return Item?.deletedAt !== undefined;
}

/** Marks the account as deleted and takes all else off it; a repeat is harmless. The mark outlives the deletion by at most 90 days. */
export async function markAccountDeleted(userId: string, now = Date.now()): Promise<void> {
  await AccountEntity.build(UpdateItemCommand)
    .item({
      ...keys.account(userId),
      deletedAt: now,
      expiresAt: expiresIn(90, now),
      preferences: $remove(),
      preferencesRevision: $remove(),
    })
    .send();
}
