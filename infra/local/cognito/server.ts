/**
 * The address that the app knows as Cognito: one HTTP server that speaks the JSON protocol of Cognito's API and
 * serves the pool's public keys. What it answers is decided in `pool.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CognitoFault, type Delivery, openPool } from "./pool.ts";

export interface Cognito {
  url: string;
  userPoolId: string;
  clientId: string;
  clientSecret: string;
  stop(): Promise<void>;
}

const BODY_LIMIT = 131_072;

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > BODY_LIMIT) throw new CognitoFault("SerializationException", "The body is too long");
  }
  try {
    const body: unknown = JSON.parse(text || "{}");
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Answered below, as for any other text that is not an object.
  }
  throw new CognitoFault("SerializationException", "The body is not a JSON object");
}

/** Cognito writes times as seconds since the epoch. */
const toJson = (value: unknown): string =>
  JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    const original = this[key];
    return original instanceof Date ? Math.floor(original.getTime() / 1000) : shown;
  });

/**
 * Starts the local Cognito on a free port of 127.0.0.1.
 * @param options.dataFolder holds the pool, its client and its people under `.cognito`; they survive a restart
 * @param options.onCode gets each code with the address that it was mailed to
 * @param options.accessTokenSeconds how long an access token lasts (3600)
 * @returns its address, and the pool and client that the app is told of. `GET /__counts` at the address answers
 * how often each operation was called; sign-ins and refreshes are counted as `InitiateAuth:<flow>`, key reads as `JWKS`.
 */
export async function startCognito(options: {
  dataFolder: string;
  onCode(delivery: Delivery): void;
  port?: number;
  accessTokenSeconds?: number;
  now?: () => number;
}): Promise<Cognito> {
  const { dataFolder, onCode, accessTokenSeconds, now } = options;
  const pool = await openPool({ folder: dataFolder, onCode, accessTokenSeconds, now });
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };

  async function api(request: IncomingMessage): Promise<object> {
    const target = String(request.headers["x-amz-target"] ?? "");
    const [service, operation] = target.split(".");
    if (service !== "AWSCognitoIdentityProviderService" || !operation)
      throw new CognitoFault("UnknownOperationException", "");
    const body = await readBody(request);
    count(operation === "InitiateAuth" ? `${operation}:${String(body.AuthFlow)}` : operation);
    if (operation.startsWith("Admin") && !request.headers.authorization?.startsWith("AWS4-HMAC-SHA256 "))
      throw new CognitoFault("MissingAuthenticationTokenException", "Missing Authentication Token");
    return pool.call(operation, body);
  }

  function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
    response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1", ...headers }).end(toJson(body));
  }

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://cognito").pathname;
    if (request.method === "GET" && path === "/__counts") return answer(response, 200, counts);
    if (request.method === "GET" && path === `/${pool.userPoolId}/.well-known/jwks.json`) {
      count("JWKS");
      return answer(response, 200, pool.jwks, { "Content-Type": "application/json" });
    }
    if (request.method !== "POST" || path !== "/")
      return answer(response, 404, { __type: "UnknownOperationException" });
    api(request).then(
      (body) => answer(response, 200, body),
      (error: unknown) => {
        const fault =
          error instanceof CognitoFault ? error : new CognitoFault("InternalErrorException", String(error), 500);
        answer(
          response,
          fault.status,
          { __type: fault.code, message: fault.message },
          { "x-amzn-errortype": `${fault.code}:` },
        );
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    userPoolId: pool.userPoolId,
    clientId: pool.clientId,
    clientSecret: pool.clientSecret,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
