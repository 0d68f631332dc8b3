/**
 * The Account item of a person: what they prefer, which the threads read and write, and the mark that says that the
 * account is being deleted, which sign-in reads and writes. Mapped here once, where both may import it.
 */
import { Entity } from "dynamodb-toolbox/entity";
import { any } from "dynamodb-toolbox/schema/any";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { table } from "./table.server";

export const AccountEntity = new Entity({
  name: "Account",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    preferences: any().optional(),
    /** Counts the changes of the preferences; what a write of them is conditional on. */
    preferencesRevision: number().optional(),
    /** Of an account that is being deleted only this mark stays. */
    deletedAt: number().optional(),
    expiresAt: number().optional(),
  }),
});
