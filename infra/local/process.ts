/**
 * Processes of the local cloud: how one is started, tells that it is ready, and ends. A child ends when it is
 * told to, when it gets SIGTERM, and when its parent is gone without a word (the channel between them closes),
 * so that nothing is ever left behind. Ctrl-C reaches every process of the terminal at once; children leave it
 * to the parent, which knows the right order.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

type Message = { type: string } & Record<string, unknown>;

export interface Process<Ready> {
  pid: number;
  ready: Ready;
  /** Settles when the process is gone, with what it ended by. */
  gone: Promise<string>;
  send(message: Message): void;
  /** Asks it to end; kills it if it has not after `patienceMs`. */
  stop(patienceMs?: number): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  /** A TypeScript file that calls {@link runProcess}. */
  script: URL;
  /** What its `start` is given. */
  options: unknown;
  env: Record<string, string>;
  cwd?: string;
  /** Gets each line that the process prints. */
  onLine?: (line: string) => void;
  /** Gets the messages that it sends by {@link tellParent}. */
  onMessage?: (message: Message) => void;
}

/** Flags with which a child of this process runs TypeScript too. */
const flags = [
  "--disable-warning=ExperimentalWarning",
  ...process.execArgv.filter((flag) => flag === "--experimental-strip-types"),
];

/** What of this process's environment a child may see: nothing that speaks of an account, a key or a stage. */
export function plainEnvironment(): Record<string, string> {
  const secret = /^(AWS_|SST_|OPENAI_|ORIGIN$|NODE_ENV$|NODE_OPTIONS$|VITEST|BEDROCK$|SIDENOTE_|PORT$|npm_)/i;
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => !secret.test(entry[0]) && !!entry[1]),
  );
}

/** Starts a process and waits until it is ready. Throws with its own words when it cannot start. */
export async function startProcess<Ready>(options: ProcessOptions): Promise<Process<Ready>> {
  const child: ChildProcess = fork(fileURLToPath(options.script), {
    execArgv: flags,
    env: options.env as NodeJS.ProcessEnv,
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${fileURLToPath(options.script)} could not be started`);

  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface({ input: stream }).on("line", (line) => {
        last.push(line);
        if (last.length > 30) last.shift();
        options.onLine?.(line);
      });

  const gone = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });

  const ready = await new Promise<Ready>((resolve, reject) => {
    child.on("message", (message: Message) => {
      if (message.type === "ready") resolve(message.value as Ready);
      else if (message.type === "failed") reject(new Error(String(message.reason)));
      else options.onMessage?.(message);
    });
    child.once("error", reject);
    void gone.then((how) => reject(new Error(`A process ended before it was ready (${how}).\n${last.join("\n")}`)));
    child.send({ type: "start", options: options.options });
  }).catch(async (error: unknown) => {
    child.kill("SIGKILL");
    await gone;
    throw error;
  });

  return {
    pid,
    ready,
    gone,
    send(message) {
      if (child.connected) child.send(message, () => undefined);
    },
    async stop(patienceMs = 5_000) {
      if (child.connected) child.send({ type: "stop" }, () => undefined);
      else child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await gone;
      clearTimeout(timer);
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Sends a message to the process that started this one; nothing happens when that is gone. */
export function tellParent(message: Message): void {
  if (process.connected) process.send?.(message, () => undefined);
}

/** Calls `receive` with each message that the parent sends by `send`. */
export function onParent(receive: (message: Message) => void): void {
  process.on("message", receive);
}

/**
 * The body of a process that {@link startProcess} starts. `start` returns what the parent is told when all is
 * ready; `stop` has three seconds before the process ends anyway.
 */
export function runProcess<Options, Ready>(
  start: (options: Options) => Promise<{ ready: Ready; stop: () => Promise<void> }>,
): void {
  let stop: (() => Promise<void>) | undefined;
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), 3_000);
    try {
      await stop?.();
      process.exit(0);
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
  };
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => void end());
  process.on("disconnect", () => void end());
  process.on("message", (message: Message) => {
    if (message.type === "stop") void end();
    if (message.type !== "start") return;
    start(message.options as Options).then(
      (started) => {
        stop = started.stop;
        tellParent({ type: "ready", value: started.ready });
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        process.send?.({ type: "failed", reason }, () => process.exit(1));
      },
    );
  });
}
