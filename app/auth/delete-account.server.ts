/**
 * Deletes all that a person owns, in an order that can be begun again from any point: the mark on the Account comes
 * first (nobody signs in any more), then the sessions, the threads from the inside out, everything else, and the
 * person in the user pool last. Only the mark stays, until its time is over.
 */
import { BatchWriteCommand, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { config } from "~/config.server";
import { type Key, keys, personPartition, prefixes, threadPartition } from "~/data/keys.server";
import { documents } from "~/data/table.server";
import { markAccountDeleted } from "./account.server";
import { deleteUser } from "./cognito.server";
import { endAllSessions } from "./session.server";

const BATCH = 25;
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function* listKeys(pk: string, prefix?: string): AsyncGenerator<Key[]> {
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: config.tableName,
        KeyConditionExpression: prefix ? "pk = :pk AND begins_with(sk, :prefix)" : "pk = :pk",
        ExpressionAttributeValues: prefix ? { ":pk": pk, ":prefix": prefix } : { ":pk": pk },
        ProjectionExpression: "pk, sk",
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    );
    yield (page.Items ?? []) as Key[];
    from = page.LastEvaluatedKey;
  } while (from);
}

async function deleteItems(items: Key[]): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    let requests = items.slice(start, start + BATCH).map((Key) => ({ DeleteRequest: { Key } }));
    for (let pause = 50; requests.length > 0; pause = Math.min(2 * pause, 2000)) {
      const answer = await documents.send(new BatchWriteCommand({ RequestItems: { [config.tableName]: requests } }));
      requests = (answer.UnprocessedItems?.[config.tableName] ?? []) as typeof requests;
      if (requests.length > 0) await wait(pause);
    }
  }
}

/** Deletes the insides of one thread: its run first, so that whoever still produces it stops at the next beat. */
async function sweepThreadItems(userId: string, threadId: string): Promise<void> {
  await deleteItems([keys.run(userId, threadId)]);
  for await (const items of listKeys(threadPartition(userId, threadId))) await deleteItems(items);
}

/** Threads that answer. One whose first message is on its way has no item of its own yet. */
async function listAnswering(userId: string): Promise<string[]> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: config.tableName, Key: keys.activity(userId), ConsistentRead: true }),
  );
  return Object.keys((Item?.live ?? {}) as object);
}

/** Makes the account unusable at once; {@link deleteAccount} does the rest. A repeat is harmless. */
export async function beginAccountDeletion(userId: string): Promise<void> {
  await markAccountDeleted(userId);
  await endAllSessions(userId);
}

/**
 * Deletes everything of a person whose account is marked. May be called any number of times, also after it was cut
 * off half-way.
 * @param options.sweepThread ends and deletes the insides of one thread
 */
export async function deleteAccount(
  userId: string,
  options: { sweepThread?: (userId: string, threadId: string) => Promise<void> } = {},
): Promise<void> {
  const sweepThread = options.sweepThread ?? sweepThreadItems;
  await beginAccountDeletion(userId);
  for (const threadId of await listAnswering(userId)) await sweepThread(userId, threadId);
  for await (const threads of listKeys(personPartition(userId), prefixes.thread)) {
    for (const { sk } of threads) await sweepThread(userId, sk.slice(prefixes.thread.length));
    await deleteItems(threads);
  }
  const mark = keys.account(userId);
  for await (const items of listKeys(personPartition(userId)))
    await deleteItems(items.filter(({ sk }) => sk !== mark.sk));
  await deleteUser(userId);
}
