/**
 * Lambda's streaming runtime, as far as a function can tell: the global `awslambda`, a response stream whose
 * head goes out before its first write, and a context that knows the time that is left. A function that ends its
 * stream without a write has sent no head, which Lambda answers with 502; so does this.
 */
import { Writable } from "node:stream";
import type { Context, LambdaFunctionURLEvent } from "aws-lambda";

/** Status and headers that a function gives its answer. */
export interface Head {
  statusCode?: number;
  headers?: Record<string, string>;
  cookies?: string[];
}

/** Where an answer goes. A client that is gone takes everything and says nothing: Lambda tells no function. */
export interface Answer {
  start(head: Head): void;
  /** Resolves when more is wanted. */
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
  /** Cuts the connection, or answers 502 if nothing was sent yet. */
  fail(): void;
}

export interface InvocationInput {
  event: LambdaFunctionURLEvent;
  requestId: string;
  /** Milliseconds since the epoch. */
  deadline: number;
}

/** Runs invocations of one function. */
export interface Runtime {
  /** Resolves when the invocation is over, however it went; the answer may end earlier. */
  invoke(input: InvocationInput, answer: Answer): Promise<void>;
  stop(): Promise<void>;
}

export type StreamingHandler = (
  event: LambdaFunctionURLEvent,
  stream: Writable,
  context: Context,
) => Promise<unknown> | unknown;

class ResponseStream extends Writable {
  readonly #answer: Answer;
  head: Head | undefined;
  #started = false;

  constructor(answer: Answer) {
    super();
    this.#answer = answer;
  }

  setContentType(type: string): void {
    this.head ??= { statusCode: 200, headers: { "content-type": type } };
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#started) {
      this.#started = true;
      this.#answer.start(this.head ?? { statusCode: 200, headers: { "content-type": "application/octet-stream" } });
    }
    if (chunk.length === 0) done();
    else this.#answer.write(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    if (this.#started) this.#answer.end();
    else this.#answer.fail();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#answer.fail();
    done(error);
  }
}

/** Puts the global in place that Lambda's Node runtime gives to functions. */
export function installLambdaGlobals(): void {
  const globals = globalThis as unknown as Record<string, unknown>;
  globals.awslambda = {
    streamifyResponse: (handler: StreamingHandler) => handler,
    HttpResponseStream: {
      from(stream: ResponseStream, head: Head): ResponseStream {
        stream.head = head;
        return stream;
      },
    },
  };
}

/** Runs one invocation in this process. Throws what the handler throws. */
export async function runHandler(handler: StreamingHandler, input: InvocationInput, answer: Answer): Promise<void> {
  const stream = new ResponseStream(answer);
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  stream.on("error", (error) => console.error("The response stream broke:", error));
  const context = {
    awsRequestId: input.requestId,
    functionName: "sidenote-local",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:sidenote-local",
    memoryLimitInMB: "512",
    logGroupName: "local",
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, input.deadline - Date.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  } satisfies Context;
  try {
    await handler(input.event, stream, context);
    stream.end();
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    await closed;
  }
}

/** All invocations share this process, as under `npm start`. `load` is asked for the handler each time. */
export function sharedRuntime(load: () => Promise<StreamingHandler>): Runtime {
  return {
    async invoke(input, answer) {
      try {
        await runHandler(await load(), input, answer);
      } catch (error) {
        console.error("The function threw:", error);
        answer.fail();
      }
    },
    // Whatever still runs ends with the process.
    stop: async () => undefined,
  };
}
