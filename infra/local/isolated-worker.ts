/** One process of the isolated runtime: takes an invocation, answers over the channel, says when it is done. */
import type { WorkerMessage } from "./isolated-runtime.ts";
import { type InvocationInput, installLambdaGlobals, runHandler, type StreamingHandler } from "./lambda-runtime.ts";
import { onParent, runProcess, tellParent } from "./process.ts";

const tell = (message: WorkerMessage): void => tellParent(message);

runProcess<{ bundle: string }, null>(async ({ bundle }) => {
  installLambdaGlobals();
  const { handler } = (await import(bundle)) as { handler: StreamingHandler };
  let wanted: (() => void) | undefined;

  onParent((message) => {
    if (message.type === "ack") wanted?.();
    if (message.type !== "invoke") return;
    runHandler(handler, message.input as InvocationInput, {
      start: (head) => tell({ type: "head", head }),
      write: (chunk) =>
        new Promise((resolve) => {
          wanted = resolve;
          tell({ type: "chunk", chunk });
        }),
      end: () => tell({ type: "end" }),
      fail: () => tell({ type: "fail" }),
    })
      .catch((error: unknown) => console.error("The function threw:", error))
      .finally(() => tell({ type: "done" }));
  });
  return { ready: null, stop: async () => undefined };
});
