/**
 * A person with thousands of notes. The words are drawn by chance, rare ones as rare as in real prose and the most
 * frequent ones those of English; the others are made up. Neighbouring notes have nothing in common, so nothing
 * compresses better than it would for anybody.
 */
import { BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
import { ulid } from "ulid";
import { config } from "~/config.server";
import { activityAt, keys } from "~/data/keys.server";
import { documents } from "~/data/table.server";
import { startOf } from "~/notes/note";

const syllables =
  `ba ke li mo nu ra se ti vo xu da fe gi ho ju la me ni po qu sa te ur wi ya zo bri cla dro fle gra pru sta
tre spi che sho tha whe`.split(/\s+/);

/** The most frequent words of English, in this order. */
const frequent =
  `the be to of and a in that have I it for not on with he as you do at this but his by from they we say her
she or an will my one all would there their what so up out if about who get which go me when make can like time no just him
know take people into year your good some could them see other than then now look only come its over think also back after
use two how our work first well way even new want because any these give day most us`.split(/\s+/);

/** Numbers from 0 to 1 that look random and are the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface MadeNote {
  noteId: string;
  title: string;
  text: string;
  changedAt: number;
  pinned: boolean;
}

/** So many notes of about `length` characters, made an hour apart, the newest a week ago. */
export function makeNotes(count: number, length = 1_000, seed = 1): MadeNote[] {
  const next = chance(seed);
  const words = new Set<string>();
  while (words.size < 20_000) {
    const parts = 1 + Math.floor(next() * 4);
    words.add(Array.from({ length: parts }, () => syllables[Math.floor(next() * syllables.length)]).join(""));
  }
  const vocabulary = [...frequent, ...[...words].sort((one, other) => one.length - other.length)];
  let total = 0;
  const sums = vocabulary.map((_, rank) => {
    total += 1 / (rank + 2.7);
    return total;
  });
  const word = (): string => {
    const at = next() * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return vocabulary[low] ?? "";
  };
  const newest = Date.now() - 7 * 86_400_000;
  return Array.from({ length: count }, (_, index) => {
    const changedAt = newest - (count - index) * 3_600_000;
    let text = "";
    while (text.length < length) text += `${word()}${next() < 0.1 ? ". " : " "}`;
    return { noteId: ulid(changedAt), title: `${word()} ${word()} ${word()}`, text, changedAt, pinned: false };
  });
}

/** Puts them into the table as the app would have, 25 at a time. */
export async function storeNotes(userId: string, notes: readonly MadeNote[]): Promise<void> {
  for (let at = 0; at < notes.length; at += 25) {
    const requests = notes.slice(at, at + 25).map(({ noteId, title, text, changedAt, pinned }) => ({
      PutRequest: {
        Item: {
          ...keys.note(userId, noteId),
          activityAt: activityAt.note(pinned, changedAt),
          card: { title, start: startOf(text), pinned, changedAt, revision: 1, size: text.length },
          text,
          createdAt: changedAt,
        },
      },
    }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [config.tableName]: requests } }));
  }
}
