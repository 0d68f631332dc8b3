/**
 * Single cases of the run protocol, one at a time and in virtual time, on the simulated table of the model check:
 * what chance meets too seldom, and what has a figure to hold.
 */
import { expect, test } from "vitest";
import { createRuns } from "~/threads/run.server";
import type {
  Address,
  ClaimOptions,
  ModelOutcome,
  Production,
  ReaderEvent,
  RunItem,
  RunRequest,
  Runs,
  RunsOptions,
} from "~/threads/run-items.server";
import { limits, times } from "~/threads/run-items.server";
import { Chance, Process, Simulation } from "./model-check/simulation.ts";
import { connect, type Faults, SimulatedTable, type Write } from "./model-check/table.ts";

const address: Address = { userId: "person", threadId: "T" };
const still: Faults = {
  lost: 0,
  unanswered: 0,
  late: 0,
  doubled: 0,
  repeated: 0,
  messages: 0,
  staleness: 0,
  // Every call takes one millisecond there and one back.
  latency: 1,
};

type Speech = (
  say: (text: string) => Generator<{ type: "text"; text: string }>,
  wait: (ms: number) => Promise<void>,
) => AsyncGenerator<{ type: "text"; text: string }, ModelOutcome>;

/** A table, a clock, and as many servers as a test wants. */
function start(options: Partial<RunsOptions> = {}) {
  const simulation = new Simulation(new Chance(1));
  const begin = simulation.now;
  const writes: Write[] = [];
  const table = new SimulatedTable(
    () => simulation.now,
    (write) => writes.push(write),
  );
  const reports: string[] = [];
  const faults = { ...still };
  let claims = 0;

  function startServer(its = faults): Process & { runs: Runs } {
    const server = new Process(simulation, 0);
    const runs = createRuns({
      store: connect(
        simulation,
        table,
        server,
        () => its,
        () => {},
      ),
      clock: { now: server.now, sleep: server.sleep },
      newClaimId: () => `claim-${++claims}`,
      random: () => simulation.chance.next(),
      report: ({ during }) => reports.push(during),
      threadOf: () => ({ activityAt: "THREAD#0#", card: { title: "Title", pinned: false, at: 0 } }),
      ...options,
    });
    return Object.assign(server, { runs });
  }

  /** Lets so much time pass, and with it `work` come to its end. */
  async function during<R>(work: Promise<R>, ms = 200_000): Promise<R> {
    let result: { value: R } | { error: unknown } | undefined;
    work.then(
      (value) => {
        result = { value };
      },
      (error: unknown) => {
        result = { error };
      },
    );
    const end = simulation.now + ms;
    while (!result && simulation.now < end) await simulation.runUntil(simulation.now + 1);
    if (!result) throw new Error(`Not done after ${ms} ms`);
    if ("error" in result) throw result.error;
    return result.value;
  }

  return {
    simulation,
    table,
    writes,
    reports,
    faults,
    startServer,
    during,
    elapsed: () => simulation.now - begin,
    run: (): RunItem | undefined => table.get("run", address),
    pass: (ms: number) => simulation.runUntil(simulation.now + ms),
  };
}

type Place = ReturnType<typeof start>;

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** The id of the n-th message or request of a test. */
const idOf = (count: number, lastBit: 0 | 1 = 0): string =>
  `01MCC5R3${"0".repeat(16)}${digits.charAt(count)}${lastBit}`;

const send = (count: number, more: Partial<Extract<RunRequest, { kind: "send" }>> = {}): RunRequest => ({
  kind: "send",
  messageId: idOf(count),
  text: `Question ${count}`,
  create: true,
  ...more,
});

function claimOptions(request: RunRequest, more: Partial<ClaimOptions<null>> = {}): ClaimOptions<null> {
  return {
    hash: JSON.stringify(request),
    history: 10,
    prepare: async () => ({ given: { model: { ref: "m", name: "M" }, settings: {}, notes: [] }, value: null }),
    ...more,
  };
}

interface Ask {
  request?: RunRequest;
  speak?: Speech;
  deadline?: number;
  to?: Address;
  more?: Partial<ClaimOptions<null>>;
  /** What happens between the claim and the put of the question. */
  between?: () => void;
}

/** Claims and produces; the model's signal and the time of its call come along. */
async function ask(place: Place, server: Process & { runs: Runs }, how: Ask = {}) {
  const request = how.request ?? send(1);
  const outcome = await place.during(server.runs.claim(how.to ?? address, request, claimOptions(request, how.more)));
  if (outcome.outcome !== "claimed") throw new Error(outcome.outcome);
  const speak = how.speak ?? says("All of it.");
  how.between?.();
  const call = {
    at: place.elapsed(),
    signal: new AbortController().signal,
    abortedAt: undefined as number | undefined,
  };
  const production = server.runs.produce(outcome.claim, {
    answer(signal) {
      call.at = place.elapsed();
      call.signal = signal;
      signal.addEventListener("abort", () => {
        call.abortedAt ??= place.elapsed();
      });
      return speak(
        function* (text) {
          yield { type: "text", text };
        },
        (ms) => server.sleep(ms, signal),
      );
    },
    touch: async () => true,
    ...(how.deadline === undefined ? {} : { deadline: how.deadline }),
  });
  return { claim: outcome.claim, production, call, events: read(place, production) };
}

/** Reads the response, with the time of each event. */
function read(place: Place, production: Production): { at: number; event: ReaderEvent }[] {
  const events: { at: number; event: ReaderEvent }[] = [];
  const drain = async () => {
    if ((await production.accepted) !== "accepted") return;
    for await (const event of production.events) events.push({ at: place.elapsed(), event });
  };
  void drain();
  return events;
}

const says = (text: string, outcome: ModelOutcome = { ending: "complete", finishReason: "stop" }): Speech =>
  async function* (say) {
    yield* say(text);
    return outcome;
  };

/** A word every 100 ms, for so many milliseconds. */
const speaksFor = (ms: number): Speech =>
  async function* (say, wait) {
    for (let spent = 0; spent < ms; spent += 100) {
      yield* say(`${spent} `);
      await wait(100);
    }
    return { ending: "complete", finishReason: "stop" };
  };

const textOf = (events: { event: ReaderEvent }[]): string => {
  let text = "";
  for (const { event } of events) {
    if (event.type === "replace") text = "";
    if (event.type === "text") text += event.text;
  }
  return text;
};

const kinds = (events: { event: ReaderEvent }[]): string[] => events.map(({ event }) => event.type);

async function collect(place: Place, events: AsyncGenerator<ReaderEvent, void> | undefined): Promise<ReaderEvent[]> {
  const found: ReaderEvent[] = [];
  const drain = async () => {
    for await (const event of events ?? []) found.push(event);
  };
  await place.during(drain());
  return found;
}

test("The model is called after three table round trips, in a new thread and by a new person too", async () => {
  const place = start();
  const server = place.startServer();
  const first = await ask(place, server);
  expect(first.call.at).toBeLessThanOrEqual(3 * 2);
  await place.during(first.production.done);
  const again = place.elapsed();
  const second = await ask(place, server, { request: send(2, { parentId: idOf(1, 1) }) });
  expect(second.call.at - again).toBeLessThanOrEqual(3 * 2);
  await place.during(second.production.done);
  const retriedAt = place.elapsed();
  const request: RunRequest = { kind: "again", requestId: idOf(3, 1), of: idOf(2) };
  const retry = await ask(place, server, { request });
  expect(retry.call.at - retriedAt).toBeLessThanOrEqual(3 * 2);
});

test("A turn of 2 KB in 20 seconds costs one write of RUN a second, three chunks and the two messages", async () => {
  const place = start();
  const { production } = await ask(place, place.startServer(), {
    speak: async function* (say, wait) {
      for (let part = 0; part < 40; part++) {
        yield* say("x".repeat(51));
        await wait(500);
      }
      return { ending: "complete" };
    },
  });
  await place.during(production.done);
  const count = (start: string) => place.writes.filter(({ sk }) => sk.startsWith(start)).length;
  expect(count("RUN")).toBeLessThanOrEqual(22);
  expect(count("CHUNK#")).toBeLessThanOrEqual(3);
  expect(count("MESSAGE#")).toBe(2);
});

/** A question that an earlier server put when its run was void already. */
function putLate(place: Place, hash: string, parentId: string): void {
  const question = { id: idOf(2), role: "user" as const, text: "Late", parentId, depth: 2, createdAt: 0, hash };
  place.table.put("message", { ...address, messageId: idOf(2) }, question);
}

test("Another text under the id of a question that got in late is refused, and its claim never was", async () => {
  const place = start();
  const server = place.startServer();
  await ask(place, server, { request: send(1) }).then(({ production }) => place.during(production.done));
  const between = () => putLate(place, "another", idOf(1, 1));
  const { production, call } = await ask(place, server, { request: send(2), speak: speaksFor(60_000), between });
  expect(await place.during(production.accepted)).toBe("mismatch");
  await place.during(production.done);
  expect(place.run()).toMatchObject({ state: "ended", ending: "void", prev: idOf(1, 1) });
  expect(call.signal.aborted).toBe(true);
  expect(await place.during(server.runs.getActivity("person"))).toMatchObject({ live: {} });
  const page = await place.during(server.runs.loadThread(address));
  expect(page?.path).toEqual([idOf(1), idOf(1, 1), idOf(2)]);
  expect(page?.headId).toBe(idOf(1, 1));
  const again = server.runs.claim(address, send(2), claimOptions(send(2)));
  expect(await place.during(again)).toEqual({ outcome: "mismatch" });
});

test("A question that got in late keeps its place, and its answer follows from there", async () => {
  const place = start();
  const server = place.startServer();
  for (const count of [1, 3]) {
    const { production } = await ask(place, server, { request: send(count) });
    await place.during(production.done);
  }
  const request = send(4);
  const hash = JSON.stringify(request);
  const question = {
    id: idOf(4),
    role: "user" as const,
    text: "Late",
    parentId: idOf(1, 1),
    depth: 2,
    createdAt: 0,
    hash,
  };
  const between = () => void place.table.put("message", { ...address, messageId: idOf(4) }, question);
  const lost = await ask(place, server, { request, between });
  expect(lost.claim.history.at(-1)?.id).toBe(idOf(3, 1));
  expect(await place.during(lost.production.accepted)).toBe("unavailable");
  await place.during(lost.production.done);
  const { claim, production } = await ask(place, server, { request });
  expect(claim.history.map(({ id }) => id)).toEqual([idOf(1), idOf(1, 1)]);
  expect(await place.during(production.accepted)).toBe("accepted");
  await place.during(production.done);
  const page = await place.during(server.runs.loadThread(address));
  expect(page?.path).toEqual([idOf(1), idOf(1, 1), idOf(4), idOf(4, 1)]);
});

test("A reader whose run was claimed anew drops what it held", async () => {
  const place = start();
  const server = place.startServer();
  await ask(place, server, { speak: speaksFor(60_000) });
  await place.pass(3_000);
  const events: ReaderEvent[] = [];
  const follow = async () => {
    for await (const event of (await server.runs.readAlong(address, idOf(1, 1))) ?? []) events.push(event);
  };
  const following = follow();
  await place.pass(2_000);
  const again = { state: "live" as const, claimId: "another", beat: 0, base: 0, tail: "Anew" };
  place.table.update("run", address, { set: again });
  await place.pass(3_000);
  const replaced = events.findIndex(({ type }) => type === "replace");
  expect(replaced).toBeGreaterThan(0);
  expect(events.slice(replaced)).toEqual([
    { type: "replace", claimId: "another" },
    { type: "text", text: "Anew", position: { claimId: "another", offset: 4 } },
  ]);
  place.table.update("run", address, { set: { state: "deleted" } });
  await place.during(following);
  expect(events.at(-1)).toEqual({ type: "gone" });
});

test("When the log of a dead run has expired, what is left is kept as interrupted and never as complete", async () => {
  const place = start();
  const server = place.startServer();
  const { production } = await ask(place, server);
  await place.during(production.done);
  const ended = place.run();
  place.table.update("run", address, {
    set: {
      runId: idOf(2, 1),
      claimId: "gone",
      messageId: idOf(1),
      base: 900,
      tail: "the rest",
      endedAt: place.simulation.now,
    },
  });
  expect(ended?.ending).toBe("complete");
  await place.pass(10_000);
  const run = place.run();
  if (!run) throw new Error("No RUN");
  expect(await place.during(server.runs.storeAnswer(address, run)), "the chunks may still come").toBeUndefined();
  await place.pass((limits.chunkDays + 1) * 86_400_000);
  expect(await place.during(server.runs.storeAnswer(address, run))).toMatchObject({
    text: "the rest",
    ending: "interrupted",
  });
});

test("An answer of 299 KB is kept whole; one of 301 KB ends at 300 KB, complete, with the reason length", async () => {
  const place = start();
  const server = place.startServer();
  const whole = await ask(place, server, { speak: says("x".repeat(299 * 1024)) });
  await place.during(whole.production.done);
  expect(place.table.get("message", { ...address, messageId: idOf(1, 1) })).toMatchObject({
    ending: "complete",
    finishReason: "stop",
  });
  const { production, call } = await ask(place, server, {
    request: send(2),
    speak: async function* (say, wait) {
      yield* say("é".repeat((301 * 1024) / 2));
      await wait(60_000);
      return { ending: "interrupted" };
    },
  });
  await place.during(production.done);
  const cut = place.table.get("message", { ...address, messageId: idOf(2, 1) });
  expect(cut).toMatchObject({ ending: "complete", finishReason: "length" });
  expect(cut?.text).toBe("é".repeat(150 * 1024));
  expect(call.signal.aborted).toBe(true);
});

test("While the table is silent, text is shown at most a second ahead; then 'unsaved', then 'saved', and nothing is lost", async () => {
  const place = start();
  const { production, events } = await ask(place, place.startServer(), { speak: speaksFor(20_000) });
  await place.pass(3_300);
  const shownBefore = textOf(events);
  const silentAt = place.elapsed();
  place.faults.lost = 1;
  await place.pass(9_000);
  place.faults.lost = 0;
  const late = events.filter(({ at, event }) => event.type === "text" && at > silentAt);
  expect(late.at(-1)?.at).toBeLessThanOrEqual(silentAt + times.ahead);
  expect(textOf(events).length).toBeGreaterThan(shownBefore.length);
  const unsaved = events.find(({ event }) => event.type === "unsaved");
  expect(unsaved?.at).toBeGreaterThan(silentAt + 3_900);
  expect(unsaved?.at).toBeLessThanOrEqual(silentAt + times.unsaved + 10);
  await place.during(production.done);
  expect(kinds(events).filter((kind) => kind.endsWith("saved"))).toEqual(["unsaved", "saved"]);
  expect(events.at(-1)?.event).toMatchObject({ type: "end", ending: "complete", length: textOf(events).length });
  expect(place.table.get("message", { ...address, messageId: idOf(1, 1) })?.text).toBe(textOf(events));
});

test("When the table stays silent, the run is given up, and whoever comes later finds it interrupted", async () => {
  const place = start();
  const server = place.startServer();
  const { production, events, call } = await ask(place, server, { speak: speaksFor(90_000) });
  await place.pass(3_000);
  const silentAt = place.elapsed();
  place.faults.lost = 1;
  await place.during(production.done);
  expect(call.abortedAt).toBeLessThan(silentAt + times.giveUp + 6_000);
  expect(events.at(-1)?.event).toEqual({ type: "detached" });
  place.faults.lost = 0;
  await place.pass(20_000);
  const page = await place.during(server.runs.loadThread(address));
  const answer = page?.messages.at(-1);
  expect(answer).toMatchObject({ ending: "interrupted", error: "server-ended" });
  expect(textOf(events).startsWith(answer?.text ?? "-")).toBe(true);
});

test("Until the question is in the table, nobody is shown a word of the answer", async () => {
  const place = start();
  const server = place.startServer();
  await ask(place, server).then(({ production }) => place.during(production.done));
  place.faults.messages = 1;
  const { production, events } = await ask(place, server, { request: send(2), speak: speaksFor(30_000) });
  const follower: ReaderEvent[] = [];
  const follow = async () => {
    const reading = await place.startServer().runs.readAlong(address, idOf(2, 1));
    for await (const event of reading ?? []) follower.push(event);
  };
  const following = follow();
  await place.pass(2_500);
  expect(place.run()).toMatchObject({ state: "live", beat: 2, base: 0, tail: "" });
  expect(place.table.get("message", { ...address, messageId: idOf(2) })).toBeUndefined();
  expect([...events, ...follower.filter(({ type }) => type !== "start")]).toEqual([]);
  place.faults.messages = 0;
  expect(await place.during(production.accepted)).toBe("accepted");
  await place.during(Promise.all([production.done, following]));
  expect(follower.at(-1)).toMatchObject({ type: "end", ending: "complete", length: textOf(events).length });
});

test("A server that gave up does not take another's ending for its own", async () => {
  const place = start();
  const faults = { ...still };
  const { production, events } = await ask(place, place.startServer(faults), { speak: speaksFor(60_000) });
  await place.pass(3_500);
  // One more beat gets in, but its server never hears of it, nor of anything else.
  const known = place.run()?.beat;
  faults.unanswered = 1;
  while (place.run()?.beat === known) await place.pass(10);
  faults.lost = 1;
  await place.pass(times.lease + 100);
  const page = await place.during(place.startServer().runs.loadThread(address));
  expect(page?.messages.at(-1)).toMatchObject({ ending: "interrupted", error: "server-ended" });
  Object.assign(faults, still);
  await place.during(production.done);
  expect(events.at(-1)?.event).toEqual({ type: "detached" });
});

test("A stop by another server ends the model call within two seconds and keeps the text", async () => {
  const place = start();
  const { production, events, call } = await ask(place, place.startServer(), { speak: speaksFor(60_000) });
  await place.pass(4_300);
  const other = place.startServer();
  expect(await place.during(other.runs.stop(address, idOf(1, 1)))).toBe(true);
  const stoppedAt = place.elapsed();
  await place.during(production.done);
  expect((call.abortedAt ?? 0) - stoppedAt).toBeLessThan(1_100);
  expect(events.at(-1)?.event).toMatchObject({ type: "end", ending: "stopped" });
  const answer = place.table.get("message", { ...address, messageId: idOf(1, 1) });
  expect(answer).toMatchObject({ ending: "stopped", text: textOf(events) });
  expect(answer?.text).toContain("4000 ");
});

test("A stop of a run that is over changes nothing, and of an unknown thread there is none", async () => {
  const place = start();
  const server = place.startServer();
  const { production } = await ask(place, server);
  await place.during(production.done);
  expect(await place.during(server.runs.stop(address, idOf(1, 1)))).toBe(true);
  expect(place.run()).toMatchObject({ ending: "complete" });
  expect(await place.during(server.runs.stop({ ...address, threadId: "unknown" }, idOf(1, 1)))).toBe(false);
});

test("Deleting a thread ends its run within two seconds, and nothing comes back", async () => {
  const place = start();
  const { production, events, call } = await ask(place, place.startServer(), { speak: speaksFor(60_000) });
  await place.pass(2_500);
  const other = place.startServer();
  expect(await place.during(other.runs.deleteThread(address))).toBe(true);
  const deletedAt = place.elapsed();
  await place.during(production.done);
  expect((call.abortedAt ?? 0) - deletedAt).toBeLessThan(1_100);
  expect(events.at(-1)?.event).toEqual({ type: "gone" });
  expect(await place.during(other.runs.sweepThread(address))).toBe(true);
  expect(await place.during(other.runs.loadThread(address))).toBeUndefined();
  expect(await place.during(other.runs.readAlong(address, idOf(1, 1)))).toBeUndefined();
  expect(await place.during(other.runs.getLiveRun(address))).toBeUndefined();
  expect(await place.during(other.runs.getActivity("person"))).toEqual({ live: {}, unread: {} });
  const repeat = other.runs.claim(address, send(1), claimOptions(send(1)));
  expect(await place.during(repeat)).toEqual({ outcome: "not-found" });
});

test("What a first message puts after its account was swept goes too", async () => {
  const place = start({
    // The guardrail takes half a second, in which the account goes.
    async check(text) {
      await server.sleep(500);
      return { outcome: "passed", text, units: 1 };
    },
  });
  const server = place.startServer();
  const { production, events } = await ask(place, server, { speak: speaksFor(60_000) });
  await place.pass(100);
  expect(await place.during(place.startServer().runs.sweepThread(address))).toBe(true);
  await place.during(production.done);
  expect(events.at(-1)?.event).toEqual({ type: "gone" });
  expect(place.writes.filter(({ kind }) => kind === "thread")).not.toEqual([]);
  expect(place.table.get("message", { ...address, messageId: idOf(1) })).toBeUndefined();
  expect(place.table.get("thread", address)).toBeUndefined();
});

test("A thread that has expired is gone for its owner, even while the table still holds it", async () => {
  const place = start({
    isKept: ({ expiresAt = 0 }) => expiresAt * 1_000 > place.simulation.now,
    threadOf: () => ({ activityAt: "THREAD#0#", expiresAt: Math.floor(place.simulation.now / 1_000) + 60 }),
  });
  const server = place.startServer();
  const { production } = await ask(place, server);
  await place.during(production.done);
  expect(await place.during(server.runs.loadThread(address))).toBeDefined();
  await place.pass(60_000);
  expect(await place.during(server.runs.loadThread(address))).toBeUndefined();
  expect(await place.during(server.runs.readAlong(address, idOf(1, 1)))).toBeUndefined();
  expect(await place.during(server.runs.stop(address, idOf(1, 1)))).toBe(false);
  const claimed = server.runs.claim(address, send(2), claimOptions(send(2)));
  expect(await place.during(claimed)).toEqual({ outcome: "not-found" });
});

test("A thread that lives is not swept", async () => {
  const place = start();
  const server = place.startServer();
  const { production } = await ask(place, server);
  await place.during(production.done);
  expect(await place.during(server.runs.sweepThread(address))).toBe(false);
  expect(place.table.get("message", { ...address, messageId: idOf(1) })).toBeDefined();
});

test("Near the platform's deadline a run ends as interrupted, with all its text", async () => {
  const place = start();
  const server = place.startServer();
  const deadline = server.now() + 20_000;
  const { production, events } = await ask(place, server, { speak: speaksFor(60_000), deadline });
  await place.during(production.done);
  expect(server.now()).toBeLessThan(deadline - times.margin + 200);
  expect(events.at(-1)?.event).toMatchObject({ type: "end", ending: "interrupted", error: "deadline" });
  expect(place.table.get("message", { ...address, messageId: idOf(1, 1) })?.text).toBe(textOf(events));
});

test("A character that comes in two halves is never shown or stored as two", async () => {
  const place = start();
  const { production, events } = await ask(place, place.startServer(), {
    speak: async function* (say, wait) {
      yield* say("Smile \uD83D");
      await wait(1_500);
      yield* say("\uDE42 and half a one: \uD83D");
      return { ending: "complete" };
    },
  });
  await place.during(production.done);
  const text = "Smile 🙂 and half a one: \uFFFD";
  expect(textOf(events)).toBe(text);
  for (const { event } of events) if (event.type === "text") expect(event.text).not.toMatch(/\p{Surrogate}/u);
  expect(place.table.get("message", { ...address, messageId: idOf(1, 1) })?.text).toBe(text);
});

test.each([
  ["an empty answer", says(""), { ending: "failed", error: "model-empty", text: "" }],
  [
    "a cut before the first word",
    says("", { ending: "interrupted", error: "model-cut" }),
    { ending: "failed", error: "model-cut" },
  ],
  [
    "a cut after some words",
    says("Some words", { ending: "interrupted", error: "model-cut" }),
    { ending: "interrupted", text: "Some words" },
  ],
  [
    "a failure after some words",
    says("Some words", { ending: "failed", error: "model-error" }),
    { ending: "interrupted", error: "model-error" },
  ],
] as const)("%s is stored as what it is", async (_, speak, expected) => {
  const place = start();
  const { production } = await ask(place, place.startServer(), { speak });
  await place.during(production.done);
  expect(place.table.get("message", { ...address, messageId: idOf(1, 1) })).toMatchObject(expected);
});

test("A continue begins with the old text and leaves the old answer as it was", async () => {
  const place = start();
  const server = place.startServer();
  const old = await ask(place, server, { speak: says("Once upon", { ending: "interrupted", error: "model-cut" }) });
  await place.during(old.production.done);
  const request: RunRequest = { kind: "continue", requestId: idOf(3, 1), of: idOf(1, 1) };
  const next = await ask(place, server, { request, speak: says(" a time.") });
  expect(next.claim.prefix).toBe("Once upon");
  expect(next.claim.history.map(({ id }) => id)).toEqual([idOf(1)]);
  await place.during(next.production.done);
  expect(textOf(next.events)).toBe("Once upon a time.");
  const page = await place.during(server.runs.loadThread(address));
  expect(page?.path).toEqual([idOf(1), idOf(3, 1)]);
  expect(page?.messages.map(({ text, ending }) => ({ text, ending })).slice(1)).toEqual([
    { text: "Once upon", ending: "interrupted" },
    { text: "Once upon a time.", ending: "complete" },
  ]);
});

test("What a run without a question was given survives its server", async () => {
  const place = start({ cite: async (_, text) => [{ number: 1, noteId: "n", title: text, revision: 1, cited: true }] });
  const server = place.startServer();
  await ask(place, server).then(({ production }) => place.during(production.done));
  const request: RunRequest = { kind: "again", requestId: idOf(3, 1), of: idOf(1) };
  await ask(place, server, { request, speak: speaksFor(60_000) });
  await place.pass(2_500);
  server.kill();
  await place.pass(20_000);
  const page = await place.during(place.startServer().runs.loadThread(address));
  const answer = page?.messages.at(-1);
  expect(answer).toMatchObject({ id: idOf(3, 1), ending: "interrupted", depth: 1, model: { ref: "m", name: "M" } });
  expect(answer?.sidenotes?.[0]?.title).toBe(answer?.text);
});

test("Requests that cannot be are told apart", async () => {
  const place = start();
  const server = place.startServer();
  await ask(place, server).then(({ production }) => place.during(production.done));
  const outcome = (request: RunRequest, more: Partial<ClaimOptions<null>> = {}) =>
    place.during(server.runs.claim(address, request, claimOptions(request, more)));
  const before = place.writes.length;
  expect(await outcome({ ...send(5), messageId: `7${idOf(5).slice(1)}` } as RunRequest)).toEqual({ outcome: "bad-id" });
  expect(await outcome(send(0))).toEqual({ outcome: "stale", newestId: idOf(1, 1) });
  expect(await outcome(send(1, { text: "Other" }))).toEqual({ outcome: "mismatch" });
  expect(await outcome(send(5, { parentId: idOf(4, 1) }))).toEqual({ outcome: "stale", newestId: idOf(1, 1) });
  expect(await outcome(send(5, { parentId: idOf(4, 1), branch: true }))).toEqual({ outcome: "not-found" });
  expect(await outcome(send(5, { parentId: idOf(1), branch: true }))).toEqual({ outcome: "not-found" });
  expect(await outcome({ kind: "again", requestId: idOf(5, 1), of: idOf(4) })).toEqual({ outcome: "not-found" });
  expect(await outcome({ kind: "again", requestId: idOf(5, 1), of: idOf(1, 1) })).toEqual({ outcome: "not-found" });
  expect(await outcome({ kind: "continue", requestId: idOf(5, 1), of: idOf(1) })).toEqual({ outcome: "not-found" });
  expect(await outcome(send(1))).toEqual({ outcome: "attach", runId: idOf(1, 1) });
  expect(place.writes.length).toBe(before);

  const elsewhere = { ...address, threadId: "unknown" };
  const asked = server.runs.claim(elsewhere, send(1, { create: false }), claimOptions(send(1)));
  expect(await place.during(asked)).toEqual({ outcome: "not-found" });
});

test("While a run is live, another request is told so, and nothing is written", async () => {
  const place = start();
  const server = place.startServer();
  await ask(place, server, { speak: speaksFor(10_000) });
  await place.pass(100);
  const before = place.writes.length;
  const claimed = server.runs.claim(address, send(2), claimOptions(send(2)));
  expect(await place.during(claimed)).toEqual({ outcome: "busy", runId: idOf(1, 1) });
  expect(place.writes.length).toBe(before);
});

test("What fails before the claim reaches the caller and leaves no run behind", async () => {
  const place = start();
  const server = place.startServer();
  const prepare = async () => {
    throw new Error("No such model");
  };
  const claimed = server.runs.claim(address, send(1), claimOptions(send(1), { prepare }));
  await expect(place.during(claimed)).rejects.toThrow("No such model");
  expect(place.run()).toBeUndefined();
  expect(place.table.get("thread", address)).toBeUndefined();
  expect(await place.during(server.runs.getActivity("person"))).toMatchObject({ live: {} });
});

test("A first message that cannot be checked makes no thread; sent again, it does", async () => {
  let isThere = false;
  const place = start({
    check: async (text) => (isThere ? { outcome: "passed", text, units: 1 } : { outcome: "unavailable", units: 1 }),
  });
  const server = place.startServer();
  const refused = await ask(place, server);
  expect(await place.during(refused.production.accepted)).toBe("unchecked");
  await place.during(refused.production.done);
  expect(place.table.get("thread", address)).toBeUndefined();
  isThere = true;
  const { production } = await ask(place, server);
  await place.during(production.done);
  expect(place.table.get("thread", address)).toBeDefined();
});

test("A first message that cannot be written down makes no thread", async () => {
  const place = start();
  const { production } = await ask(place, place.startServer(), {
    // Whether the put went in nobody ever hears.
    between: () => {
      place.faults.lost = 1;
    },
  });
  expect(await place.during(production.accepted)).toBe("unavailable");
  await place.during(production.done);
  expect(place.table.get("thread", address)).toBeUndefined();
});

test("When the table cannot be reached, a send says so within seconds", async () => {
  const place = start();
  const server = place.startServer();
  place.faults.lost = 1;
  const claimed = server.runs.claim(address, send(1), claimOptions(send(1)));
  expect(await place.during(claimed)).toEqual({ outcome: "unavailable" });
  expect(place.elapsed()).toBeLessThan(times.claim + 5_000);
});

test("Beyond the limit of live runs a thread is refused and not made; a dead run does not count", async () => {
  const place = start({ limits: { liveRuns: 2 } });
  const server = place.startServer();
  const to = (threadId: string): Address => ({ ...address, threadId });
  await ask(place, server, { to: to("A"), speak: speaksFor(60_000) });
  const doomed = place.startServer();
  await ask(place, doomed, { to: to("B"), speak: speaksFor(60_000) });
  await place.pass(2_000);
  const claim = () => place.during(server.runs.claim(to("C"), send(1), claimOptions(send(1))));
  expect(await claim()).toEqual({ outcome: "too-many-runs" });
  expect(place.table.get("thread", to("C"))).toBeUndefined();
  doomed.kill();
  await place.pass(16_000);
  expect(await claim()).toMatchObject({ outcome: "claimed" });
  expect(place.table.get("activity", { userId: "person" })).toMatchObject({
    live: { A: { runId: idOf(1, 1) }, C: { runId: idOf(1, 1) } },
    unread: { B: { ending: "interrupted" } },
  });
});

test("An answer becomes unread, or not if its end was seen first; the oldest unread makes room", async () => {
  const place = start({ limits: { unread: 2 } });
  const server = place.startServer();
  const unread = () => Object.keys(place.table.get("activity", { userId: "person" })?.unread ?? {}).sort();
  for (const threadId of ["A", "B", "C"]) {
    const { production } = await ask(place, server, { to: { ...address, threadId } });
    await place.during(production.done);
    await place.pass(1_000);
  }
  expect(unread()).toEqual(["B", "C"]);
  await place.during(server.runs.markSeen({ ...address, threadId: "C" }));
  expect(unread()).toEqual(["B"]);

  const { production, events } = await ask(place, server, { to: { ...address, threadId: "D" } });
  while (events.at(-1)?.event.type !== "end") await place.pass(1);
  // The producer has decided the end, and not yet put the answer.
  const seen = server.runs.markSeen({ ...address, threadId: "D" });
  await place.during(Promise.all([seen, production.done]));
  await place.during(server.runs.markSeen({ ...address, threadId: "D" }));
  expect(unread()).toEqual(["B"]);
  expect(place.table.get("activity", { userId: "person" })?.live).toEqual({});
});

test("Finish is told of every answer, whoever stored it", async () => {
  const finished: string[] = [];
  const place = start({
    finish: async ({ answer }) => {
      finished.push(`${answer.id} ${answer.ending}`);
    },
  });
  const server = place.startServer();
  await ask(place, server).then(({ production }) => place.during(production.done));
  await ask(place, server, { request: send(2), speak: speaksFor(60_000) });
  await place.pass(3_000);
  server.kill();
  await place.pass(20_000);
  const events = await collect(place, await place.during(place.startServer().runs.readAlong(address, idOf(2, 1))));
  expect(events.at(-1)).toMatchObject({ type: "end", ending: "interrupted" });
  expect(finished).toEqual([`${idOf(1, 1)} complete`, `${idOf(2, 1)} interrupted`]);
});

test("A run whose question never got in is void, and sending it again works", async () => {
  const place = start();
  const doomed = place.startServer();
  await ask(place, doomed).then(({ production }) => place.during(production.done));
  const request = send(2);
  const claimed = await place.during(doomed.runs.claim(address, request, claimOptions(request)));
  expect(claimed.outcome).toBe("claimed");
  doomed.kill();
  await place.pass(16_000);
  const server = place.startServer();
  expect(await collect(place, await place.during(server.runs.readAlong(address, idOf(2, 1))))).toEqual([
    { type: "void" },
  ]);
  const before = { headId: idOf(1, 1), path: [idOf(1), idOf(1, 1)], live: null };
  expect(await place.during(server.runs.loadThread(address))).toMatchObject(before);
  const { production } = await ask(place, server, { request });
  await place.during(production.done);
  const path = [...before.path, idOf(2), idOf(2, 1)];
  expect(await place.during(server.runs.loadThread(address))).toMatchObject({ path });
});

test("A first message that a killed server did not get in leaves no thread, and makes it when it is sent again", async () => {
  const place = start();
  const doomed = place.startServer();
  const claimed = await place.during(doomed.runs.claim(address, send(1), claimOptions(send(1))));
  expect(claimed.outcome).toBe("claimed");
  doomed.kill();
  await place.pass(16_000);
  const server = place.startServer();
  expect(await place.during(server.runs.getActivity("person"))).toEqual({ live: {}, unread: {} });
  expect(place.run()).toMatchObject({ state: "ended", ending: "void" });
  expect(place.table.get("thread", address)).toBeUndefined();
  const { production } = await ask(place, server);
  await place.during(production.done);
  expect(await place.during(server.runs.loadThread(address))).toMatchObject({ path: [idOf(1), idOf(1, 1)] });
});

test.each([
  [
    "a repeat of the request",
    0,
    async (runs: Runs) => void (await runs.claim(address, send(1), claimOptions(send(1)))),
  ],
  ["whoever looks at what answers", 16_000, async (runs: Runs) => void (await runs.getActivity("person"))],
])("A first question whose server was killed before it made the thread is found by %s", async (_, later, look) => {
  const place = start();
  const doomed = place.startServer();
  await ask(place, doomed, { speak: speaksFor(60_000) });
  while (!place.table.get("message", { ...address, messageId: idOf(1) })) await place.pass(1);
  doomed.kill();
  expect(place.table.get("thread", address)).toBeUndefined();
  await place.pass(later);
  const server = place.startServer();
  await place.during(look(server.runs));
  expect(place.table.get("thread", address)).toBeDefined();
  await place.pass(16_000);
  const page = await place.during(server.runs.loadThread(address));
  expect(page?.messages.map(({ id, ending }) => [id, ending])).toEqual([
    [idOf(1), undefined],
    [idOf(1, 1), "interrupted"],
  ]);
});
