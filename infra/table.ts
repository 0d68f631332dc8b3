/**
 * The one table, paid by request. The index is local, so that it can be read consistently: a person must see a
 * new thread at once. A local index can never be added or changed later, and its key must stand in `fields`.
 */
import { production } from "./stage";

export const table = new sst.aws.Dynamo("Table", {
  fields: { pk: "string", sk: "string", activityAt: "string" },
  primaryIndex: { hashKey: "pk", rangeKey: "sk" },
  localIndexes: { byActivity: { rangeKey: "activityAt", projection: ["card"] } },
  ttl: "expiresAt",
  deletionProtection: production,
});
