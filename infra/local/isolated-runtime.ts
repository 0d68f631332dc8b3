/**
 * Lambda's isolation, for tests of faults: each process takes one invocation at a time, is killed at the
 * deadline, and stands still (SIGSTOP) from an invocation's end to its next one, so that work that was left
 * running shows itself by not being done.
 */
import type { Answer, Head, InvocationInput, Runtime } from "./lambda-runtime.ts";
import { type Process, startProcess } from "./process.ts";

/** What a worker says of its invocation. */
export type WorkerMessage =
  | { type: "head"; head: Head }
  | { type: "chunk"; chunk: Uint8Array }
  | { type: "end" }
  | { type: "fail" }
  | { type: "done" };

interface Worker {
  process: Process<null>;
  answer: Answer | undefined;
  finish: (() => void) | undefined;
}

export interface IsolatedOptions {
  /** URL of the bundle that exports `handler`. */
  bundle: string;
  env: Record<string, string>;
  deadlineMs: number;
  onLine?: (line: string) => void;
  /** Gets the process ids of all workers whenever one is added. */
  onWorkers?: (pids: number[]) => void;
}

export function isolatedRuntime(options: IsolatedOptions): Runtime {
  const idle: Worker[] = [];
  const all = new Set<Worker>();

  async function addWorker(): Promise<Worker> {
    const worker: Worker = { process: undefined as never, answer: undefined, finish: undefined };
    worker.process = await startProcess<null>({
      script: new URL("./isolated-worker.ts", import.meta.url),
      options: { bundle: options.bundle },
      env: options.env,
      onLine: options.onLine,
      onMessage: (message) => receive(worker, message as unknown as WorkerMessage),
    });
    all.add(worker);
    options.onWorkers?.([...all].map(({ process: { pid } }) => pid));
    void worker.process.gone.then(() => {
      all.delete(worker);
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
      worker.answer?.fail();
      worker.finish?.();
    });
    return worker;
  }

  function receive(worker: Worker, message: WorkerMessage): void {
    const { answer } = worker;
    if (message.type === "head") answer?.start(message.head);
    else if (message.type === "chunk")
      void answer?.write(message.chunk).then(() => worker.process.send({ type: "ack" }));
    else if (message.type === "end") answer?.end();
    else if (message.type === "fail") answer?.fail();
    else {
      // Frozen at once: whatever the function left running stands still until it is needed again.
      process.kill(worker.process.pid, "SIGSTOP");
      idle.push(worker);
      worker.answer = undefined;
      worker.finish?.();
    }
  }

  return {
    async invoke(input: InvocationInput, answer: Answer) {
      const woken = idle.pop();
      const worker = woken ?? (await addWorker());
      if (woken) process.kill(worker.process.pid, "SIGCONT");
      const over = new Promise<void>((resolve) => {
        worker.finish = resolve;
      });
      worker.answer = answer;
      const deadline = Date.now() + options.deadlineMs;
      const timer = setTimeout(() => void worker.process.kill(), options.deadlineMs);
      worker.process.send({ type: "invoke", input: { ...input, deadline } });
      await over;
      clearTimeout(timer);
    },
    async stop() {
      await Promise.all([...all].map((worker) => worker.process.kill()));
    },
  };
}
