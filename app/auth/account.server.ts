/**
 * The mark on the Account item that says that the account is being deleted. Whoever is marked cannot sign in any more,
 * and whoever sees the mark goes on with the deletion; of what stood there nothing but the mark is left.
 */
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { $remove, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { AccountEntity } from "~/data/account-entity.server";
import { keys } from "~/data/keys.server";
import { expiresIn } from "~/data/table.server";

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
