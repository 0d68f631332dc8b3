/**
 * The connection to the one table. Each write is one item with a condition; nothing scans; every list loops
 * over its pages. A call is given a second and is repeated with 50 to 400 ms of back-off; what is then still
 * unknown is thrown, and the caller reads again before it decides.
 */
import { ConditionalCheckFailedException, DynamoDBClient, DynamoDBServiceException } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Table } from "dynamodb-toolbox/table";
import { config } from "~/config.server";

const client = new DynamoDBClient({
  region: config.region,
  maxAttempts: 4,
  requestHandler: {
    requestTimeout: 1_000,
    connectionTimeout: 1_000,
    httpsAgent: { maxSockets: 200 },
    httpAgent: { maxSockets: 200 },
  },
});

export const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

export const table = new Table({
  documentClient: documents,
  name: config.tableName,
  partitionKey: { name: "pk", type: "string" },
  sortKey: { name: "sk", type: "string" },
  entityAttributeSavedAs: "_e",
  indexes: { byActivity: { type: "local", sortKey: { name: "activityAt", type: "string" } } },
});

/** Whether a write was refused by its condition. Because the SDK repeats calls, that can be one's own success. */
export function isRefused(error: unknown): boolean {
  return error instanceof ConditionalCheckFailedException;
}

/** Whether a call failed because the table cannot be reached or is overloaded, and not because it is wrong. */
export function isOutage(error: unknown): boolean {
  if (error instanceof DynamoDBServiceException) return error.$fault === "server" || error.$retryable !== undefined;
  if (!(error instanceof Error)) return false;
  return error.name === "TimeoutError" || ("code" in error && /^(E[A-Z]+|UND_ERR_\w+)$/.test(String(error.code)));
}

/** Seconds since the epoch, `days` from now: the unit of the table's TTL attribute. */
export function expiresIn(days: number, now = Date.now()): number {
  return Math.floor(now / 1000) + days * 86_400;
}
