/**
 * A run's events as server-sent events (HTML Living Standard, "Server-sent events"). Each text event carries the
 * position after it as its id, and is a JSON string, so that line breaks need no care. A comment goes out after
 * ten seconds of silence: CloudFront cuts a connection that is silent for its read timeout.
 */
import type { ReaderEvent } from "./run-items.server";

const PING_MS = 10_000;

/** One event in wire form. */
export function encodeEvent(event: ReaderEvent): string {
  const { type, ...data } = event;
  if (event.type === "text")
    return `id:${event.position.claimId}.${event.position.offset}\ndata:${JSON.stringify(event.text)}\n\n`;
  return `event:${type}\ndata:${JSON.stringify(data)}\n\n`;
}

/** The answer that streams `events`. A client that goes away ends the reading of them, nothing else. */
export function eventStream(events: AsyncGenerator<ReaderEvent, void>, pingMs = PING_MS): Response {
  const encoder = new TextEncoder();
  let next: Promise<IteratorResult<ReaderEvent, void>> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= events.next();
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<"silence">((resolve) => {
        timer = setTimeout(resolve, pingMs, "silence");
      });
      const result = await Promise.race([next, silence]);
      clearTimeout(timer);
      if (result === "silence") return controller.enqueue(encoder.encode(": ping\n\n"));
      next = undefined;
      if (result.done) controller.close();
      else controller.enqueue(encoder.encode(encodeEvent(result.value)));
    },
    async cancel() {
      await events.return();
    },
  });
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "private, no-store",
      "X-Accel-Buffering": "no",
    },
  });
}
