import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import cognitoPrivate from "cognito-local/lib/keys/cognitoLocal.private.json" with { type: "json" };
import cognitoPublic from "cognito-local/lib/keys/cognitoLocal.public.json" with { type: "json" };
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startSignIn } from "./auth-local";

const local = await startSignIn();
const { checkPassword, confirmSignUp, signUp, verifyAccessToken } = await import("~/auth/cognito.server");
const { config } = await import("~/config.server");

afterAll(() => local.stop());

const EMAIL = "maria@example.org";
const PASSWORD = "correct horse battery";
let userId: string;
let accessToken: string;
let refreshToken: string;

beforeAll(async () => {
  await signUp(EMAIL, PASSWORD);
  await confirmSignUp(EMAIL, local.codeFor(EMAIL));
  const answer = await checkPassword(EMAIL, PASSWORD);
  if (answer.kind !== "signed-in") throw new Error("Not signed in");
  ({ accessToken } = answer);
  ({ userId, refreshToken } = answer.signIn);
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part = ""): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString());
const claims = () => decode(accessToken.split(".")[1]);

/** A token as Cognito would sign it, with other claims or another header. */
function signed(more: object = {}, header: object = {}, key: string = cognitoPrivate.pem): string {
  const body = `${encode({ alg: "RS256", typ: "JWT", kid: "CognitoLocal", ...header })}.${encode({ ...claims(), ...more })}`;
  return `${body}.${createSign("RSA-SHA256").update(body).sign(key).toString("base64url")}`;
}

const jwksReads = async () => (await local.counts()).JWKS ?? 0;

describe("An access token", () => {
  test("is believed when Cognito signed it for this client", async () => {
    expect(await verifyAccessToken(accessToken)).toEqual({ userId, accessUntil: Number(claims().exp) * 1000 });
    expect(await verifyAccessToken(signed())).toMatchObject({ userId });
  });

  test.each<[string, () => string]>([
    ["without a signature", () => `${encode({ alg: "none", kid: "CognitoLocal" })}.${encode(claims())}.`],
    [
      "with alg none and the old signature",
      () => `${encode({ alg: "none", kid: "CognitoLocal" })}.${accessToken.split(".").slice(1).join(".")}`,
    ],
    [
      "signed by the public key as a secret",
      () => {
        const body = `${encode({ alg: "HS256", typ: "JWT", kid: "CognitoLocal" })}.${encode(claims())}`;
        return `${body}.${createHmac("sha256", cognitoPublic.pem).update(body).digest("base64url")}`;
      },
    ],
    [
      "signed by somebody else's key",
      () =>
        signed(
          {},
          {},
          generateKeyPairSync("rsa", { modulusLength: 2048 })
            .privateKey.export({ type: "pkcs8", format: "pem" })
            .toString(),
        ),
    ],
    [
      "with another person's id put in",
      () => {
        const [head, , signature] = accessToken.split(".");
        return `${head}.${encode({ ...claims(), sub: "00000000-0000-4000-8000-000000000000" })}.${signature}`;
      },
    ],
    ["that is over", () => signed({ exp: Math.floor(Date.now() / 1000) - 10 })],
    ["that is not valid yet", () => signed({ nbf: Math.floor(Date.now() / 1000) + 3600 })],
    ["of another client", () => signed({ client_id: "another" })],
    ["of another pool", () => signed({ iss: "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other0001" })],
    ["of the emulator's own issuer", () => signed({ iss: `${local.cognitoUrl}/${local.userPoolId}` })],
    ["that is an ID token by its claim", () => signed({ token_use: "id" })],
    ["with an unknown key id", () => signed({}, { kid: "another" })],
    ["without a key id", () => signed({}, { kid: undefined })],
    ["that is a refresh token", () => refreshToken],
    ["that is cut", () => accessToken.slice(0, -20)],
    ["that is nothing", () => ""],
    ["that is not a token", () => "a.b.c"],
  ])("%s is refused", async (_name, token) => {
    await expect(verifyAccessToken(token())).rejects.toThrow();
  });

  test("with one of a thousand unknown key ids costs at most two reads of the keys", async () => {
    const before = await jwksReads();
    for (let number = 0; number < 1000; number += 1)
      await expect(verifyAccessToken(signed({}, { kid: `unknown-${number}` }))).rejects.toThrow();
    expect((await jwksReads()) - before).toBeLessThanOrEqual(2);
    expect(await verifyAccessToken(accessToken)).toMatchObject({ userId });
  });
});

describe("The keys", () => {
  test("are read once for many sign-ins, under Cognito's own issuer", async () => {
    vi.resetModules();
    const fresh = await import("~/auth/cognito.server");
    const before = await jwksReads();
    await Promise.all(Array.from({ length: 5 }, () => fresh.checkPassword(EMAIL, PASSWORD)));
    expect((await jwksReads()) - before).toBe(1);
    expect(claims().iss).toBe(`https://cognito-idp.us-east-1.amazonaws.com/${config.cognito.userPoolId}`);
  });
});
