/**
 * Writes the demo account by the app's own modules, so that its items are what the app itself would have
 * written. The answers come from a file instead of a model; all else (claim, log, ending, numbers, sidenotes) is a
 * real run, on a clock that is set to some time ago. Bundled and started by `demo.ts`.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  UserNotFoundException,
} from "@aws-sdk/client-cognito-identity-provider";
import { listModels, requireModel } from "~/ai/catalogue.server";
import type { Model } from "~/ai/model";
import { config } from "~/config.server";
import { runInvocation } from "~/invocation.server";
import { createNote, pinNote } from "~/notes/notes.server";
import { newMessageId, newThreadId } from "~/threads/ids";
import { numberNotes } from "~/threads/numbers.server";
import { citedSidenotes, type NumberedNote } from "~/threads/prompt.server";
import { createRuns } from "~/threads/run.server";
import type { Given } from "~/threads/run-items.server";
import { runStore } from "~/threads/run-store.server";
import { newThreadItem } from "~/threads/threads.server";
import { type DemoThread, notes, threads } from "./demo-content.ts";
import { runProcess } from "./process.ts";

export interface DemoSeedOptions {
  email: string;
  password: string;
}

const hour = 3_600_000;
const cognito = new CognitoIdentityProviderClient({ region: config.region });

/** A new person under this address. One that a broken attempt left is given up, with what it may own. */
async function createPerson({ email, password }: DemoSeedOptions): Promise<string> {
  const pool = { UserPoolId: config.cognito.userPoolId, Username: email };
  try {
    await cognito.send(new AdminDeleteUserCommand(pool));
  } catch (error) {
    if (!(error instanceof UserNotFoundException)) throw error;
  }
  const { User } = await cognito.send(
    new AdminCreateUserCommand({
      ...pool,
      MessageAction: "SUPPRESS",
      UserAttributes: [
        { Name: "email", Value: email },
        { Name: "email_verified", Value: "true" },
      ],
    }),
  );
  await cognito.send(new AdminSetUserPasswordCommand({ ...pool, Password: password, Permanent: true }));
  const userId = User?.Attributes?.find(({ Name }) => Name === "sub")?.Value;
  if (!userId) throw new Error("Cognito named no sub for the demo account");
  return userId;
}

/** The notes by name, in the order in which a prompt would number them. */
async function createNotes(userId: string): Promise<Map<string, NumberedNote>> {
  const made = new Map<string, NumberedNote>();
  for (const { name, title, text, pinned } of notes.toReversed()) {
    const { noteId, revision } = await createNote(userId, { title, text });
    if (pinned) await pinNote(userId, noteId, true);
    made.set(name, { number: 0, noteId, title, text, revision });
  }
  return new Map([...made].toReversed());
}

async function createThread(
  userId: string,
  { title, hoursAgo, turns }: DemoThread,
  byName: Map<string, NumberedNote>,
  { ref, name, price }: Pick<Model, "ref" | "name" | "price">,
): Promise<void> {
  let now = Date.now() - hoursAgo * hour;
  const threadId = newThreadId(now);
  const address = { userId, threadId };
  const thread = newThreadItem(userId, threadId, title, {}, now);
  const runs = createRuns({
    store: runStore,
    clock: {
      now: () => now,
      sleep: (ms, signal) => sleep(Math.min(ms, 10), undefined, { signal }).catch(() => undefined),
    },
    newClaimId: () => randomBytes(12).toString("base64url"),
    random: Math.random,
    threadOf: () => thread,
  });
  const numbers = await numberNotes(
    userId,
    threadId,
    undefined,
    [...byName.values()].map(({ noteId }) => noteId),
  );
  const numbered = new Map(
    [...byName].map(([name, note]) => [name, { ...note, number: numbers.notes[note.noteId] ?? 0 }]),
  );
  const noteList = [...numbered.values()];
  const given: Given = {
    model: { ref, name },
    settings: {},
    call: { sent: {}, dropped: [] },
    notes: noteList.map(({ number, noteId, title, revision }) => ({ number, noteId, title, revision })),
  };

  const tokens = (length: number): number => Math.ceil(length / 4);
  const ofNotes = tokens(noteList.reduce((sum, note) => sum + note.title.length + note.text.length + 80, 400));
  let head: string | undefined;
  let said = 0;
  let messages = 0;
  for (const { question, answer } of turns) {
    const text = answer.replace(/\{(\w+)\}/g, (_, name: string) => ` [${numbered.get(name)?.number}]`);
    const messageId = newMessageId(head, now);
    const inputTokens = ofNotes + tokens(said + question.length);
    const outcome = await runs.claim(
      address,
      { kind: "send", messageId, text: question, ...(head ? { parentId: head } : { create: true }) },
      {
        hash: createHash("sha256").update(question).digest("base64url").slice(0, 22),
        history: 40,
        prepare: async () => ({
          given: {
            ...given,
            prompt: { tokens: inputTokens, messages, leftOut: { messages: 0, notes: 0 } },
            bill: { day: new Date(now).toISOString().slice(0, 10), inputTokens, ...(price && { price }) },
          },
          value: undefined,
        }),
      },
    );
    if (outcome.outcome !== "claimed") throw new Error(`A run of the demo was not begun: ${outcome.outcome}`);
    const production = runs.produce(outcome.claim, {
      async *answer() {
        now += 1_200 + text.length * 6;
        yield { type: "text", text };
        const usage = { inputTokens, outputTokens: tokens(text.length) };
        return { ending: "complete", finishReason: "stop", usage };
      },
      touch: async () => true,
      cite: (whole) => citedSidenotes(whole, noteList),
    });
    if ((await production.accepted) !== "accepted") throw new Error("A message of the demo was not accepted");
    for await (const event of production.events)
      if (event.type === "end" && event.ending !== "complete")
        throw new Error(`An answer of the demo ended ${event.ending}`);
    await production.done;
    head = outcome.claim.runId;
    said += question.length + text.length;
    messages += 2;
    now += 4 * 60_000;
  }
  await runs.markSeen(address);
}

runProcess<DemoSeedOptions, null>(async (options) => {
  const invocation = { requestId: "demo", deadline: Date.now() + 60_000, waitUntil: () => undefined };
  await runInvocation(invocation, async () => {
    const userId = await createPerson(options);
    const byName = await createNotes(userId);
    // With the lists at hand the model has its name and not only its id.
    await listModels();
    const model = await requireModel(undefined);
    for (const thread of threads) await createThread(userId, thread, byName, model);
  });
  return { ready: null, stop: async () => undefined };
});
