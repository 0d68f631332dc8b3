/**
 * The Account item: for now only the mark that says that the account is being deleted. Whoever is marked cannot
 * sign in any more, and whoever sees the mark goes on with the deletion.
 */
import { Entity } from "dynamodb-toolbox/entity";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
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
    deletedAt: number().optional(),
    expiresAt: number().optional(),
  }),
});

/** Whether the account is marked as deleted. Read consistently. */
export async function isAccountDeleted(userId: string): Promise<boolean> {
  const { Item } = await AccountEntity.build(GetItemCommand)
    .key(keys.account(userId))
    .options({ consistent: true })
    .send();
  return Item?.deletedAt !== undefined;
}

/** Marks the account as deleted; a repeat is harmless. The mark outlives the deletion by at most 90 days. */
export async function markAccountDeleted(userId: string, now = Date.now()): Promise<void> {
  await AccountEntity.build(UpdateItemCommand)
    .item({ ...keys.account(userId), deletedAt: now, expiresAt: expiresIn(90, now) })
    .send();
}
