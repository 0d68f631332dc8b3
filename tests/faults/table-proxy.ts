/**
 * A proxy before the table. It understands which step of a run each write is, by the item and by what is set, and
 * can cut a step off: before the table gets it, or after the table did it and before the app server learns so.
 * Nothing in the app knows of it.
 */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** The writes of a run, in their usual order. */
export const steps = [
  "activity",
  "numbers",
  "claim",
  "question",
  "thread",
  "touch",
  "chunk",
  "beat",
  "end",
  "answer",
  "unread",
] as const;
export type Step = (typeof steps)[number];

/** The step that a call is, or undefined for reads and for what is not part of a run. */
export function stepOf(target: string, body: string): Step | undefined {
  const call = JSON.parse(body) as {
    Key?: { sk?: { S?: string } };
    Item?: { sk?: { S?: string } };
    UpdateExpression?: string;
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, { S?: string; BOOL?: boolean; N?: string }>;
  };
  const sk = call.Key?.sk?.S ?? call.Item?.sk?.S ?? "";
  if (target.endsWith("PutItem")) {
    if (sk.startsWith("THREAD#")) return "thread";
    if (sk === "NUMBERS") return "numbers";
    if (sk.startsWith("CHUNK#") && !sk.endsWith("#context")) return "chunk";
    // The last bit of an id tells a question from an answer.
    if (sk.startsWith("MESSAGE#")) return "02468ACEGJMPRTWY".includes(sk.at(-1) ?? "") ? "question" : "answer";
    return undefined;
  }
  if (!target.endsWith("UpdateItem")) return undefined;
  if (sk.startsWith("THREAD#")) return "touch";
  const expression = call.UpdateExpression ?? "";
  const names = new Set([...expression.matchAll(/#\w+/g)].map(([name]) => call.ExpressionAttributeNames?.[name]));
  const values = new Set([...expression.matchAll(/:\w+/g)].map(([name]) => call.ExpressionAttributeValues?.[name]?.S));
  if (sk === "ACTIVITY") {
    // A run that begins is set under `live` and taken out of `unread`; one that ends goes the other way.
    const set = [...(/SET (.*?)(?= REMOVE |$)/.exec(expression)?.[1] ?? "").matchAll(/#\w+/g)];
    const first = set
      .map(([name]) => call.ExpressionAttributeNames?.[name])
      .find((name) => name === "live" || name === "unread");
    return first === "live" ? "activity" : first;
  }
  if (sk !== "RUN") return undefined;
  if (values.has("live")) return "claim";
  if (values.has("ended")) return "end";
  return names.has("b") ? "beat" : undefined;
}

export interface TableProxy {
  url: string;
  /** All calls, in the order of their ends. Times in milliseconds since the epoch. */
  calls: { target: string; step: Step | undefined; startedAt: number; endedAt: number }[];
  /**
   * Calls `strike` at the `nth` call of this step from now on, `before` or `after` the table gets it. The call
   * itself is never answered. Resolves when it struck.
   */
  arm(step: Step, nth: number, when: "before" | "after", strike: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** `delayMs` is added to each call, so that what waits for what can be told from what runs beside it. */
export async function startTableProxy(tableUrl: string, delayMs = 0): Promise<TableProxy> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const calls: TableProxy["calls"] = [];
  let armed: { step: Step; left: number; when: "before" | "after"; strike: () => Promise<void> } | undefined;

  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const startedAt = Date.now();
    const body = await text(incoming);
    const target = String(incoming.headers["x-amz-target"]);
    const step = stepOf(target, body);
    if (delayMs > 0) await sleep(delayMs);
    let struck: typeof armed;
    if (step && armed?.step === step && --armed.left === 0) {
      struck = armed;
      armed = undefined;
    }
    if (struck?.when === "before") {
      await struck.strike();
      return;
    }
    const { host: _, ...headers } = incoming.headers;
    const upstream = request(tableUrl, { method: incoming.method, path: incoming.url, headers, agent });
    upstream.end(body);
    const [answer] = (await once(upstream, "response")) as [IncomingMessage];
    const answered = await buffer(answer);
    if (struck) {
      await struck.strike();
      return;
    }
    calls.push({ target, step, startedAt, endedAt: Date.now() });
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.end(answered);
  };

  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    arm: (step, nth, when, strike) =>
      new Promise((resolve, reject) => {
        armed = { step, left: nth, when, strike: () => strike().then(resolve, reject) };
      }),
    async stop() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
