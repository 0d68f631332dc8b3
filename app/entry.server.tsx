/**
 * How a page becomes HTML: as a stream once its shell is ready, whole for machines that read along. The nonce
 * comes from the entry, which puts it into the policy of the same answer.
 */
import { PassThrough } from "node:stream";
import {
  type ActionFunctionArgs,
  type AppLoadContext,
  createReadableStreamFromReadable,
  type EntryContext,
  type LoaderFunctionArgs,
} from "@remix-run/node";
import { isRouteErrorResponse, RemixServer } from "@remix-run/react";
import { isbot } from "isbot";
import { renderToPipeableStream } from "react-dom/server";
import { logError } from "~/http.server";
import { NonceContext } from "~/ui/nonce";

declare module "@remix-run/node" {
  interface AppLoadContext {
    /** Of this request; see `~/ui/nonce`. */
    nonce: string;
  }
}

/** How long a loader's promises may keep a page waiting, in milliseconds. */
export const streamTimeout = 10_000;

export default function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  remixContext: EntryContext,
  { nonce }: AppLoadContext,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let statusNow = status;
    let isSent = false;
    const send = (): void => {
      isSent = true;
      const body = new PassThrough();
      headers.set("Content-Type", "text/html; charset=utf-8");
      resolve(new Response(createReadableStreamFromReadable(body), { headers, status: statusNow }));
      body.once("close", () => clearTimeout(timer));
      pipe(body);
    };
    const isWhole = remixContext.isSpaMode || isbot(request.headers.get("user-agent"));
    const { pipe, abort } = renderToPipeableStream(
      <NonceContext.Provider value={nonce}>
        <RemixServer context={remixContext} url={request.url} abortDelay={streamTimeout} nonce={nonce} />
      </NonceContext.Provider>,
      {
        nonce,
        [isWhole ? "onAllReady" : "onShellReady"]: send,
        onShellError(error: unknown) {
          clearTimeout(timer);
          reject(error);
        },
        onError(error: unknown) {
          statusNow = 500;
          // Before the shell, Remix logs it when it shows the error page.
          if (isSent) logError(error, "render");
        },
      },
    );
    const timer = setTimeout(abort, streamTimeout + 1_000);
  });
}

/** Bugs in loaders and actions. What a person did wrong (404, 405) is no bug. */
export function handleError(error: unknown, { request }: LoaderFunctionArgs | ActionFunctionArgs): void {
  if (request.signal.aborted || (isRouteErrorResponse(error) && error.status < 500)) return;
  logError(error, `${request.method} ${new URL(request.url).pathname.slice(0, 200)}`);
}
