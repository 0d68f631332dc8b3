/**
 * One user pool with one confidential client, as the app sees it on AWS. cognito-local keeps the people and mints
 * the tokens; this module stands before it and adds what it lacks: the secret hash, the password policy, codes
 * that expire, allowed flows, existence hidden, sign-out everywhere, and Cognito's own error names and words.
 * Calls are made one after the other, because cognito-local reads, waits and writes.
 */
import {
  createHmac,
  createPublicKey,
  createVerify,
  randomBytes,
  randomInt,
  scryptSync,
  timingSafeEqual,
} from "node:crypto";
import { join } from "node:path";
import { CognitoError } from "cognito-local/lib/errors.js";
import cognitoKey from "cognito-local/lib/keys/cognitoLocal.public.json" with { type: "json" };
import { Router } from "cognito-local/lib/server/Router.js";
import type { AppClient } from "cognito-local/lib/services/appClient.js";
import { CognitoServiceFactoryImpl } from "cognito-local/lib/services/cognitoService.js";
import type { Services } from "cognito-local/lib/services/index.js";
import { JwtTokenGenerator } from "cognito-local/lib/services/tokenGenerator.js";
import { type User as StoredUser, UserPoolServiceFactoryImpl } from "cognito-local/lib/services/userPoolService.js";
import { jsonStores } from "./store.ts";

/** A code that went out by mail. `invite` carries a temporary password. */
export interface Delivery {
  kind: "confirm" | "reset" | "resend" | "invite";
  email: string;
  code: string;
}

export interface PoolOptions {
  folder: string;
  onCode(delivery: Delivery): void;
  /** How long an access token lasts; Cognito's own default is an hour. */
  accessTokenSeconds?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** An answer that Cognito gives instead of a result. */
export class CognitoFault extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

interface Code {
  code: string;
  sentAt: number;
  /** Wrong tries since the code went out. */
  tries: number;
}

interface User extends StoredUser {
  Codes?: { confirm?: Code; reset?: Code };
  /** When all was signed out, in milliseconds: older access tokens are refused. */
  SignedOutAt?: number;
}

type Body = Record<string, unknown>;

const USER_POOL_ID = "us-east-1_Local0001";
const REGION = "us-east-1";
const HOUR = 3_600_000;
const CODE_LIFE = { confirm: 24 * HOUR, reset: HOUR };
const CODE_TRIES = 5;
const CHALLENGE_LIFE = 3 * 60_000;

/** Cognito's issuer: the production verifier accepts no other. */
const ISSUER_DOMAIN = `https://cognito-idp.${REGION}.amazonaws.com`;

/** As `infra/auth.ts` has it. */
export const policy = {
  MinimumLength: 8,
  RequireUppercase: false,
  RequireLowercase: false,
  RequireNumbers: false,
  RequireSymbols: false,
};

/** As `infra/auth.ts` has them. */
export const allowedFlows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];

const silent = () => {};
const logger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
  trace: silent,
  silent,
  level: "silent",
  child: () => logger,
} as unknown as Parameters<ReturnType<ReturnType<typeof Router>>>[0]["logger"];
const context = { logger };

const wrongPassword = () => new CognitoFault("NotAuthorizedException", "Incorrect username or password.");
const invalid = (message: string) => new CognitoFault("InvalidParameterException", message);
const expiredCode = () =>
  new CognitoFault("ExpiredCodeException", "Invalid code provided, please request a code again.");

function optional(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new CognitoFault("SerializationException", `${name} must be a string`);
  return value;
}

function required(body: Body, name: string): string {
  const value = optional(body, name);
  if (!value) throw invalid(`Missing required parameter ${name}`);
  return value;
}

function record(body: Body, name: string): Body {
  const value = body[name];
  if (typeof value !== "object" || value === null) throw invalid(`Missing required parameter ${name}`);
  return value as Body;
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** How Cognito shows an address that it mailed to. */
function masked(email: string): string {
  const [name = "", domain = ""] = email.split("@");
  return `${name.slice(0, 1)}***@${domain.slice(0, 1)}***`;
}

const delivered = (email: string) => ({
  CodeDeliveryDetails: { AttributeName: "email", DeliveryMedium: "EMAIL", Destination: masked(email) },
});

/** Refuses what Cognito's password policy refuses, in its words. */
function checkPassword(password: string): void {
  if (password.length > 256 || !/^\S+.*\S+$/s.test(password))
    throw invalid(
      "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$",
    );
  const refuse = (what: string) =>
    new CognitoFault("InvalidPasswordException", `Password did not conform with policy: ${what}`);
  if (password.length < policy.MinimumLength) throw refuse("Password not long enough");
  if (policy.RequireUppercase && !/[A-Z]/.test(password)) throw refuse("Password must have uppercase characters");
  if (policy.RequireLowercase && !/[a-z]/.test(password)) throw refuse("Password must have lowercase characters");
  if (policy.RequireNumbers && !/[0-9]/.test(password)) throw refuse("Password must have numeric characters");
  if (policy.RequireSymbols && !/[^A-Za-z0-9\s]/.test(password)) throw refuse("Password must have symbol characters");
}

const verifyKey = createPublicKey(cognitoKey.pem);

/** The claims of a token that this pool signed and that has not expired. */
function readToken(token: string, now: number): Body | undefined {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const verifier = createVerify("RSA-SHA256").update(`${head}.${claims}`);
  if (!verifier.verify(verifyKey, Buffer.from(signature, "base64url"))) return undefined;
  const parsed = JSON.parse(Buffer.from(claims, "base64url").toString()) as Body;
  return Number(parsed.exp) * 1000 > now ? parsed : undefined;
}

export interface Pool {
  userPoolId: string;
  clientId: string;
  clientSecret: string;
  jwks: { keys: object[] };
  /** One call of Cognito's API. Throws a {@link CognitoFault}. */
  call(operation: string, body: Body): Promise<object>;
}

export async function openPool(options: PoolOptions): Promise<Pool> {
  const now = options.now ?? Date.now;
  const folder = join(options.folder, ".cognito", "db");
  const stores = jsonStores(folder);
  const clock = { get: () => new Date(now()) };
  const clients = await stores.create(context, "clients", { Clients: {} });

  const stored = Object.values(await clients.get<Record<string, AppClient>>(context, "Clients", {}))[0];
  const client: AppClient = {
    UserPoolId: USER_POOL_ID,
    ClientName: "sidenote",
    ClientId: stored?.ClientId ?? randomBytes(13).toString("hex"),
    ClientSecret: stored?.ClientSecret ?? randomBytes(26).toString("hex"),
    CreationDate: stored?.CreationDate ?? clock.get(),
    LastModifiedDate: clock.get(),
    AccessTokenValidity: options.accessTokenSeconds ?? 3600,
    IdTokenValidity: options.accessTokenSeconds ?? 3600,
    RefreshTokenValidity: 30,
    TokenValidityUnits: { AccessToken: "seconds", IdToken: "seconds", RefreshToken: "days" },
    ExplicitAuthFlows: [...allowedFlows],
    PreventUserExistenceErrors: "ENABLED",
    EnableTokenRevocation: true,
  };
  await clients.set(context, ["Clients", client.ClientId], client);
  const secret = client.ClientSecret ?? "";
  await stores.create(context, USER_POOL_ID, {
    Users: {},
    Options: {
      Id: USER_POOL_ID,
      Name: "sidenote",
      UsernameAttributes: ["email"],
      UsernameConfiguration: { CaseSensitive: false },
      AutoVerifiedAttributes: ["email"],
      MfaConfiguration: "OFF",
      Policies: { PasswordPolicy: policy },
    },
  });

  const cognito = await new CognitoServiceFactoryImpl(
    folder,
    stores,
    new UserPoolServiceFactoryImpl(clock, stores),
  ).create(context, {});
  const triggers = { enabled: () => false } as unknown as Services["triggers"];

  /** What cognito-local would have mailed during the call that runs now. */
  let mail: { source: string; code: string } | undefined;
  const newCode = () => String(randomInt(1_000_000)).padStart(6, "0");
  const route = Router({
    clock,
    cognito,
    triggers,
    otp: newCode,
    tokenGenerator: new JwtTokenGenerator(clock, triggers, { IssuerDomain: ISSUER_DOMAIN }),
    messages: {
      deliver: async (_context, source, _clientId, _poolId, _user, code) => {
        mail = { source, code };
      },
    },
    config: { UserPoolDefaults: { UsernameAttributes: ["email"] } } as Services["config"],
  });
  const pool = await cognito.getUserPool(context, USER_POOL_ID);
  const challenges = new Map<string, { username: string; until: number }>();

  const secretHash = (username: string): string =>
    createHmac("sha256", secret)
      .update(username + client.ClientId)
      .digest("base64");

  function checkClient(body: Body): void {
    const clientId = required(body, "ClientId");
    if (clientId !== client.ClientId)
      throw new CognitoFault("ResourceNotFoundException", `User pool client ${clientId} does not exist.`);
  }

  /** `hash` must be over `username` as it was given, whatever its case. */
  function checkSecret(username: string, hash: string | undefined): void {
    if (hash === undefined)
      throw new CognitoFault(
        "NotAuthorizedException",
        `Client ${client.ClientId} is configured with secret but SECRET_HASH was not received`,
      );
    if (!same(hash, secretHash(username)))
      throw new CognitoFault("NotAuthorizedException", `Unable to verify secret hash for client ${client.ClientId}`);
  }

  function checkPool(body: Body): void {
    const userPoolId = required(body, "UserPoolId");
    if (userPoolId !== USER_POOL_ID)
      throw new CognitoFault("ResourceNotFoundException", `User pool ${userPoolId} does not exist.`);
  }

  const findUser = async (username: string): Promise<User | undefined> =>
    ((await pool.getUserByUsername(context, username.toLowerCase())) as User | null) ?? undefined;

  async function requireUser(body: Body): Promise<User> {
    checkPool(body);
    const user = await findUser(required(body, "Username"));
    if (!user) throw new CognitoFault("UserNotFoundException", "User does not exist.");
    return user;
  }

  const emailOf = (user: User): string => user.Attributes.find(({ Name }) => Name === "email")?.Value ?? "";

  /** Passwords are not kept as they are, not even here. */
  const sealed = (password: string): string => scryptSync(password, secret, 32, { N: 1024 }).toString("base64url");

  async function save(user: User, changes: Partial<User>): Promise<void> {
    const current = (await findUser(user.Username)) ?? user;
    await pool.saveUser(context, { ...current, ...changes } as StoredUser);
  }

  async function verifyEmail(username: string): Promise<void> {
    const user = await findUser(username);
    if (!user) return;
    const others = user.Attributes.filter(({ Name }) => Name !== "email_verified");
    await save(user, { Attributes: [...others, { Name: "email_verified", Value: "true" }] });
  }

  async function sendCode(user: User, purpose: "confirm" | "reset", kind: Delivery["kind"], code: string) {
    await save(user, { Codes: { ...user.Codes, [purpose]: { code, sentAt: now(), tries: 0 } } });
    options.onCode({ kind, email: emailOf(user), code });
  }

  /** Throws unless `given` is the newest code for this purpose; a wrong try is counted. */
  async function checkCode(user: User, purpose: "confirm" | "reset", given: string): Promise<void> {
    const code = user.Codes?.[purpose];
    if (!code) throw expiredCode();
    if (code.tries >= CODE_TRIES)
      throw new CognitoFault("LimitExceededException", "Attempt limit exceeded, please try after some time.");
    if (!same(code.code, given)) {
      await save(user, { Codes: { ...user.Codes, [purpose]: { ...code, tries: code.tries + 1 } } });
      throw new CognitoFault("CodeMismatchException", "Invalid verification code provided, please try again.");
    }
    if (now() - code.sentAt > CODE_LIFE[purpose]) throw expiredCode();
    await save(user, { Codes: { ...user.Codes, [purpose]: undefined }, ConfirmationCode: given });
  }

  async function requireToken(body: Body): Promise<User> {
    const claims = readToken(required(body, "AccessToken"), now());
    if (claims?.token_use !== "access") throw new CognitoFault("NotAuthorizedException", "Invalid Access Token");
    const user = await findUser(String(claims.username));
    if (!user) throw new CognitoFault("NotAuthorizedException", "Invalid Access Token");
    if (Number(claims.iat) * 1000 + 999 < (user.SignedOutAt ?? 0))
      throw new CognitoFault("NotAuthorizedException", "Access Token has been revoked");
    return user;
  }

  const signOut = (user: User) => save(user, { RefreshTokens: [], SignedOutAt: now() });

  type Tokens = { AccessToken: string; IdToken: string; RefreshToken?: string };
  const authenticated = (tokens: Tokens) => ({
    ChallengeParameters: {},
    AuthenticationResult: { ...tokens, ExpiresIn: client.AccessTokenValidity, TokenType: "Bearer" },
  });

  async function signIn(parameters: Body): Promise<object> {
    const username = required(parameters, "USERNAME");
    const password = required(parameters, "PASSWORD");
    checkSecret(username, optional(parameters, "SECRET_HASH"));
    const user = await findUser(username);
    if (!user || !same(user.Password, sealed(password))) throw wrongPassword();
    if (!user.Enabled) throw new CognitoFault("NotAuthorizedException", "User is disabled.");
    if (user.UserStatus === "UNCONFIRMED")
      throw new CognitoFault("UserNotConfirmedException", "User is not confirmed.");
    const alive = user.RefreshTokens.filter((token) => readToken(token, now()));
    await save(user, { RefreshTokens: alive });
    const result = (await route("InitiateAuth")(context, {
      ClientId: client.ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: user.Username, PASSWORD: user.Password },
    })) as { ChallengeName?: string; Session?: string; AuthenticationResult?: Tokens };
    if (result.ChallengeName && result.Session)
      challenges.set(result.Session, { username: user.Username, until: now() + CHALLENGE_LIFE });
    return result.AuthenticationResult ? authenticated(result.AuthenticationResult) : result;
  }

  async function refresh(parameters: Body): Promise<object> {
    const token = required(parameters, "REFRESH_TOKEN");
    const user = (await pool.getUserByRefreshToken(context, token)) as User | null;
    if (!user) throw new CognitoFault("NotAuthorizedException", "Refresh Token has been revoked");
    checkSecret(user.Username, optional(parameters, "SECRET_HASH"));
    if (!readToken(token, now())) throw new CognitoFault("NotAuthorizedException", "Refresh Token has expired");
    if (!user.Enabled) throw new CognitoFault("NotAuthorizedException", "User is disabled.");
    const { AuthenticationResult } = (await route("InitiateAuth")(context, {
      ClientId: client.ClientId,
      AuthFlow: "REFRESH_TOKEN_AUTH",
      AuthParameters: { REFRESH_TOKEN: token },
    })) as { AuthenticationResult: Tokens };
    return authenticated(AuthenticationResult);
  }

  const operations: Record<string, (body: Body) => Promise<object>> = {
    async SignUp(body) {
      checkClient(body);
      const username = required(body, "Username");
      const password = required(body, "Password");
      checkSecret(username, optional(body, "SecretHash"));
      if (!/^\S+@\S+\.?\S+$/.test(username)) throw invalid("Username should be an email.");
      checkPassword(password);
      const email = username.toLowerCase();
      if (await findUser(email))
        throw new CognitoFault("UsernameExistsException", "An account with the given email already exists.");
      const result = (await route("SignUp")(context, {
        ...body,
        Username: email,
        Password: sealed(password),
        UserAttributes: [{ Name: "email", Value: email }],
      })) as { UserSub: string };
      const user = await findUser(email);
      if (user && mail) await sendCode(user, "confirm", "confirm", mail.code);
      return { ...delivered(email), UserConfirmed: false, UserSub: result.UserSub };
    },

    async ConfirmSignUp(body) {
      checkClient(body);
      const username = required(body, "Username");
      checkSecret(username, optional(body, "SecretHash"));
      const user = await findUser(username);
      if (!user) throw expiredCode();
      if (user.UserStatus !== "UNCONFIRMED")
        throw new CognitoFault(
          "NotAuthorizedException",
          `User cannot be confirmed. Current status is ${user.UserStatus}`,
        );
      await checkCode(user, "confirm", required(body, "ConfirmationCode"));
      await route("ConfirmSignUp")(context, { ...body, Username: user.Username });
      await verifyEmail(user.Username);
      return {};
    },

    async ResendConfirmationCode(body) {
      checkClient(body);
      const username = required(body, "Username");
      checkSecret(username, optional(body, "SecretHash"));
      const user = await findUser(username);
      if (!user?.Enabled) return delivered(username);
      if (user.UserStatus !== "UNCONFIRMED") throw invalid("User is already confirmed.");
      await sendCode(user, "confirm", "resend", newCode());
      return delivered(emailOf(user));
    },

    async InitiateAuth(body) {
      checkClient(body);
      const flow = required(body, "AuthFlow");
      const allowed = client.ExplicitAuthFlows ?? [];
      if (!allowed.includes(`ALLOW_${flow === "REFRESH_TOKEN" ? "REFRESH_TOKEN_AUTH" : flow}`))
        throw invalid(`${flow} flow not enabled for this client`);
      const parameters = record(body, "AuthParameters");
      return flow === "USER_PASSWORD_AUTH" ? signIn(parameters) : refresh(parameters);
    },

    async RespondToAuthChallenge(body) {
      checkClient(body);
      const responses = record(body, "ChallengeResponses");
      const username = required(responses, "USERNAME");
      checkSecret(username, optional(responses, "SECRET_HASH"));
      if (required(body, "ChallengeName") !== "NEW_PASSWORD_REQUIRED") throw invalid("Challenge response is invalid.");
      const session = required(body, "Session");
      const challenge = challenges.get(session);
      const user = await findUser(username);
      if (!challenge || challenge.until < now() || !user || user.Username !== challenge.username)
        throw new CognitoFault("NotAuthorizedException", "Invalid session for the user, session is expired.");
      const password = required(responses, "NEW_PASSWORD");
      checkPassword(password);
      challenges.delete(session);
      const { AuthenticationResult } = (await route("RespondToAuthChallenge")(context, {
        ...body,
        ChallengeResponses: { USERNAME: user.Username, NEW_PASSWORD: sealed(password) },
      })) as { AuthenticationResult: Tokens & { RefreshToken: string } };
      const changed = await findUser(user.Username);
      if (changed) await pool.storeRefreshToken(context, AuthenticationResult.RefreshToken, changed);
      return authenticated(AuthenticationResult);
    },

    async ForgotPassword(body) {
      checkClient(body);
      const username = required(body, "Username");
      checkSecret(username, optional(body, "SecretHash"));
      const user = await findUser(username);
      const verified = user?.Attributes.some(({ Name, Value }) => Name === "email_verified" && Value === "true");
      if (user?.UserStatus === "FORCE_CHANGE_PASSWORD")
        throw new CognitoFault("NotAuthorizedException", "User password cannot be reset in the current state.");
      if (!user?.Enabled || !verified) return delivered(username);
      await sendCode(user, "reset", "reset", newCode());
      return delivered(emailOf(user));
    },

    async ConfirmForgotPassword(body) {
      checkClient(body);
      const username = required(body, "Username");
      checkSecret(username, optional(body, "SecretHash"));
      const password = required(body, "Password");
      checkPassword(password);
      const user = await findUser(username);
      if (!user) throw expiredCode();
      await checkCode(user, "reset", required(body, "ConfirmationCode"));
      await route("ConfirmForgotPassword")(context, {
        ...body,
        Username: user.Username,
        Password: sealed(password),
      });
      await verifyEmail(user.Username);
      return {};
    },

    async ChangePassword(body) {
      const user = await requireToken(body);
      const password = required(body, "ProposedPassword");
      checkPassword(password);
      const previous = sealed(required(body, "PreviousPassword"));
      if (!same(previous, user.Password)) throw wrongPassword();
      await route("ChangePassword")(context, {
        AccessToken: body.AccessToken,
        PreviousPassword: previous,
        ProposedPassword: sealed(password),
      });
      return {};
    },

    async GetUser(body) {
      await requireToken(body);
      return route("GetUser")(context, body);
    },

    async DeleteUser(body) {
      await pool.deleteUser(context, await requireToken(body));
      return {};
    },

    async GlobalSignOut(body) {
      await signOut(await requireToken(body));
      return {};
    },

    async RevokeToken(body) {
      checkClient(body);
      if (!same(optional(body, "ClientSecret") ?? "", secret))
        throw new CognitoFault("NotAuthorizedException", "Invalid client secret");
      const token = required(body, "Token");
      const user = (await pool.getUserByRefreshToken(context, token)) as User | null;
      if (user) await save(user, { RefreshTokens: user.RefreshTokens.filter((other) => other !== token) });
      return {};
    },

    async AdminGetUser(body) {
      const user = await requireUser(body);
      return route("AdminGetUser")(context, { ...body, Username: user.Username });
    },

    async AdminCreateUser(body) {
      checkPool(body);
      const email = required(body, "Username").toLowerCase();
      const password = optional(body, "TemporaryPassword") ?? randomBytes(9).toString("base64url");
      checkPassword(password);
      if (await findUser(email))
        throw new CognitoFault("UsernameExistsException", "An account with the given email already exists.");
      const result = (await route("AdminCreateUser")(context, {
        ...body,
        Username: email,
        TemporaryPassword: sealed(password),
      })) as object;
      if (mail) options.onCode({ kind: "invite", email, code: password });
      return result;
    },

    async AdminSetUserPassword(body) {
      const user = await requireUser(body);
      const password = required(body, "Password");
      checkPassword(password);
      return route("AdminSetUserPassword")(context, { ...body, Username: user.Username, Password: sealed(password) });
    },

    async AdminDeleteUser(body) {
      await pool.deleteUser(context, await requireUser(body));
      return {};
    },

    async AdminDisableUser(body) {
      await save(await requireUser(body), { Enabled: false });
      return {};
    },

    async AdminEnableUser(body) {
      await save(await requireUser(body), { Enabled: true });
      return {};
    },

    async AdminUserGlobalSignOut(body) {
      await signOut(await requireUser(body));
      return {};
    },
  };

  async function run(operation: string, body: Body): Promise<object> {
    const perform = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (!perform) throw new CognitoFault("UnknownOperationException", `The local Cognito does not know ${operation}.`);
    mail = undefined;
    try {
      return await perform(body);
    } catch (error) {
      if (error instanceof CognitoFault || !(error instanceof CognitoError)) throw error;
      throw new CognitoFault(error.code, error.message);
    }
  }

  let last: Promise<unknown> = Promise.resolve();
  return {
    userPoolId: USER_POOL_ID,
    clientId: client.ClientId,
    clientSecret: secret,
    jwks: { keys: [cognitoKey.jwk] },
    call(operation, body) {
      const result = last.then(() => run(operation, body));
      last = result.catch(silent);
      return result;
    },
  };
}
