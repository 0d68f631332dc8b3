/**
 * How notes that went into answers stand now: what a sidenote needs to say that its note was edited or deleted
 * since. Asked for by id, so that its cost hangs on what a page shows and not on how many notes a person has.
 */
import { BatchGetCommand, type BatchGetCommandInput, type BatchGetCommandOutput } from "@aws-sdk/lib-dynamodb";
import { config } from "~/config.server";
import { keys } from "~/data/keys.server";
import { documents } from "~/data/table.server";
import { isNoteId } from "./note";

/** A note as it stands now, or its tombstone while that is kept. One that is in no map is gone for good. */
export interface NoteState {
  revision: number;
  title: string;
  /** Milliseconds since the epoch. */
  deletedAt?: number;
  /** Only if asked for. */
  text?: string;
}

/** So many notes one call asks for. */
const BATCH = 100;

/** The present state of these notes, read consistently: a person sees their own change at once. */
export async function getNoteStates(
  userId: string,
  noteIds: Iterable<string>,
  options: { texts?: boolean } = {},
): Promise<Map<string, NoteState>> {
  const ids = [...new Set(noteIds)].filter(isNoteId);
  const states = new Map<string, NoteState>();
  for (let start = 0; start < ids.length; start += BATCH) {
    let wanted: BatchGetCommandInput["RequestItems"] = {
      [config.tableName]: {
        Keys: ids.slice(start, start + BATCH).map((noteId) => keys.note(userId, noteId)),
        ConsistentRead: true,
        ProjectionExpression: `sk, card, deletedAt, expiresAt${options.texts ? ", #text" : ""}`,
        ...(options.texts && { ExpressionAttributeNames: { "#text": "text" } }),
      },
    };
    while (wanted && Object.keys(wanted).length > 0) {
      const answer: BatchGetCommandOutput = await documents.send(new BatchGetCommand({ RequestItems: wanted }));
      for (const item of answer.Responses?.[config.tableName] ?? []) {
        const { sk, card, deletedAt, expiresAt, text } = item as {
          sk: string;
          card: { revision: number; title: string };
          deletedAt?: number;
          expiresAt?: number;
          text?: string;
        };
        // The table may remove an expired tombstone days later, the local one removes none.
        if (expiresAt !== undefined && expiresAt * 1000 <= Date.now()) continue;
        states.set(sk.slice(sk.indexOf("#") + 1), {
          revision: card.revision,
          title: card.title,
          ...(deletedAt !== undefined && { deletedAt }),
          ...(text !== undefined && deletedAt === undefined && { text }),
        });
      }
      wanted = answer.UnprocessedKeys;
    }
  }
  return states;
}
