import { createHmac, createPublicKey, createVerify } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminUserGlobalSignOutCommand,
  ChangePasswordCommand,
  CognitoIdentityProviderClient,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  DeleteUserCommand,
  ForgotPasswordCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allowedFlows, type Delivery, policy } from "./pool.ts";
import { type Cognito, startCognito } from "./server.ts";

const HOUR = 3_600_000;
const PASSWORD = "correct horse battery";

let folder: string;
let cognito: Cognito;
let client: CognitoIdentityProviderClient;
let people = 0;
let clockAhead = 0;
const mails: Delivery[] = [];

const connect = (url: string) =>
  new CognitoIdentityProviderClient({
    region: "us-east-1",
    endpoint: url,
    maxAttempts: 1,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });

const start = () =>
  startCognito({ dataFolder: folder, onCode: (mail) => mails.push(mail), now: () => Date.now() + clockAhead });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidenote-cognito-"));
  cognito = await start();
  client = connect(cognito.url);
});

afterAll(async () => {
  client.destroy();
  await cognito.stop();
  await rm(folder, { recursive: true });
});

const hash = (username: string) =>
  createHmac("sha256", cognito.clientSecret)
    .update(username + cognito.clientId)
    .digest("base64");

const newAddress = () => {
  people += 1;
  return `person${people}@example.org`;
};

const codeFor = (email: string): string => {
  const mail = mails.filter((other) => other.email === email).at(-1);
  if (!mail) throw new Error(`No mail for ${email}`);
  return mail.code;
};

const identity = (email: string) => ({ ClientId: cognito.clientId, Username: email, SecretHash: hash(email) });

const signUp = (email: string, password = PASSWORD) =>
  client.send(new SignUpCommand({ ...identity(email), Password: password }));

const confirm = (email: string, code: string) =>
  client.send(new ConfirmSignUpCommand({ ...identity(email), ConfirmationCode: code }));

const signIn = (email: string, password = PASSWORD) =>
  client.send(
    new InitiateAuthCommand({
      ClientId: cognito.clientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: email, PASSWORD: password, SECRET_HASH: hash(email) },
    }),
  );

const refresh = (token: string | undefined, username: string) =>
  client.send(
    new InitiateAuthCommand({
      ClientId: cognito.clientId,
      AuthFlow: "REFRESH_TOKEN_AUTH",
      AuthParameters: { REFRESH_TOKEN: token ?? "", SECRET_HASH: hash(username) },
    }),
  );

async function newPerson() {
  const email = newAddress();
  const { UserSub: sub = "" } = await signUp(email);
  await confirm(email, codeFor(email));
  const { AuthenticationResult: tokens } = await signIn(email);
  return { email, sub, tokens: { ...tokens } };
}

const claims = (token = "") => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

const later = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
  clockAhead += ms;
  try {
    return await work();
  } finally {
    clockAhead -= ms;
  }
};

const refusal = (name: string, message?: string) => (message ? { name, message } : { name });

describe("Signing up", () => {
  test("mails six digits, which confirm the address", async () => {
    const email = newAddress();
    const answer = await signUp(email);
    expect(answer.UserConfirmed).toBe(false);
    expect(answer.CodeDeliveryDetails).toEqual({
      AttributeName: "email",
      DeliveryMedium: "EMAIL",
      Destination: "p***@e***",
    });
    expect(mails.at(-1)).toEqual({ kind: "confirm", email, code: expect.stringMatching(/^\d{6}$/) });
    await confirm(email, codeFor(email));
    const user = await client.send(new AdminGetUserCommand({ UserPoolId: cognito.userPoolId, Username: email }));
    expect(user.UserStatus).toBe("CONFIRMED");
    expect(user.UserCreateDate).toBeInstanceOf(Date);
    expect(user.UserAttributes).toContainEqual({ Name: "email_verified", Value: "true" });
    await expect(confirm(email, "000000")).rejects.toMatchObject(
      refusal("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"),
    );
  });

  test("tells that an address has an account, in whatever case it is written", async () => {
    const { email } = await newPerson();
    await expect(signUp(email.toUpperCase())).rejects.toMatchObject(
      refusal("UsernameExistsException", "An account with the given email already exists."),
    );
  });

  test("refuses a short password in Cognito's words", async () => {
    await expect(signUp(newAddress(), "short")).rejects.toMatchObject(
      refusal("InvalidPasswordException", "Password did not conform with policy: Password not long enough"),
    );
    await expect(signUp(newAddress(), ` ${PASSWORD}`)).rejects.toMatchObject(refusal("InvalidParameterException"));
    await expect(signUp(newAddress(), "a".repeat(257))).rejects.toMatchObject(refusal("InvalidParameterException"));
  });

  test("takes only an e-mail address", async () => {
    await expect(signUp("maria")).rejects.toMatchObject(
      refusal("InvalidParameterException", "Username should be an email."),
    );
  });

  test("sends a new code, and only the newest counts", async () => {
    const email = newAddress();
    await signUp(email);
    const first = codeFor(email);
    await client.send(new ResendConfirmationCodeCommand(identity(email)));
    expect(mails.at(-1)).toMatchObject({ kind: "resend", email });
    if (first !== codeFor(email))
      await expect(confirm(email, first)).rejects.toMatchObject(refusal("CodeMismatchException"));
    await confirm(email, codeFor(email));
    await expect(client.send(new ResendConfirmationCodeCommand(identity(email)))).rejects.toMatchObject(
      refusal("InvalidParameterException", "User is already confirmed."),
    );
  });

  test("accepts a code for 24 hours", async () => {
    const email = newAddress();
    await signUp(email);
    await expect(later(24 * HOUR + 1000, () => confirm(email, codeFor(email)))).rejects.toMatchObject(
      refusal("ExpiredCodeException", "Invalid code provided, please request a code again."),
    );
    await later(24 * HOUR - 5000, () => confirm(email, codeFor(email)));
  });

  test("allows five wrong tries of a code", async () => {
    const email = newAddress();
    await signUp(email);
    const wrong = codeFor(email) === "000000" ? "000001" : "000000";
    for (let attempt = 1; attempt <= 5; attempt += 1)
      await expect(confirm(email, wrong)).rejects.toMatchObject(refusal("CodeMismatchException"));
    await expect(confirm(email, codeFor(email))).rejects.toMatchObject(refusal("LimitExceededException"));
  });
});

describe("The secret hash", () => {
  test("is demanded and checked by every call that takes one", async () => {
    const { email, tokens } = await newPerson();
    const calls = (secretHash: string | undefined) => {
      const base = { ClientId: cognito.clientId, Username: email, SecretHash: secretHash };
      const parameters: Record<string, string> = secretHash === undefined ? {} : { SECRET_HASH: secretHash };
      return [
        new SignUpCommand({ ...base, Password: PASSWORD }),
        new ConfirmSignUpCommand({ ...base, ConfirmationCode: "123456" }),
        new ResendConfirmationCodeCommand(base),
        new ForgotPasswordCommand(base),
        new ConfirmForgotPasswordCommand({ ...base, ConfirmationCode: "123456", Password: PASSWORD }),
        new InitiateAuthCommand({
          ClientId: cognito.clientId,
          AuthFlow: "USER_PASSWORD_AUTH",
          AuthParameters: { USERNAME: email, PASSWORD, ...parameters },
        }),
        new InitiateAuthCommand({
          ClientId: cognito.clientId,
          AuthFlow: "REFRESH_TOKEN_AUTH",
          AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken ?? "", ...parameters },
        }),
        new RespondToAuthChallengeCommand({
          ClientId: cognito.clientId,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: "0123456789012345678901234567890123456789",
          ChallengeResponses: { USERNAME: email, NEW_PASSWORD: PASSWORD, ...parameters },
        }),
      ];
    };
    for (const call of calls(undefined))
      await expect(client.send(call as SignUpCommand), call.constructor.name).rejects.toMatchObject(
        refusal("NotAuthorizedException", expect.stringContaining("SECRET_HASH was not received")),
      );
    for (const call of calls(hash("someone@example.org")))
      await expect(client.send(call as SignUpCommand), call.constructor.name).rejects.toMatchObject(
        refusal("NotAuthorizedException", expect.stringContaining("Unable to verify secret hash")),
      );
  });

  test("is over the sub at a refresh, not over the address", async () => {
    const { email, sub, tokens } = await newPerson();
    await expect(refresh(tokens.RefreshToken, email)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    expect((await refresh(tokens.RefreshToken, sub)).AuthenticationResult?.AccessToken).toBeDefined();
  });
});

describe("Signing in", () => {
  test("gives tokens for an hour, signed by the published key, under Cognito's issuer", async () => {
    const { email, sub, tokens } = await newPerson();
    expect(tokens).toMatchObject({ ExpiresIn: 3600, TokenType: "Bearer" });
    const access = claims(tokens.AccessToken);
    expect(access).toMatchObject({
      sub,
      username: sub,
      token_use: "access",
      client_id: cognito.clientId,
      iss: `https://cognito-idp.us-east-1.amazonaws.com/${cognito.userPoolId}`,
    });
    expect(access.exp - access.iat).toBe(3600);
    expect(claims(tokens.IdToken)).toMatchObject({ sub, email, email_verified: true, token_use: "id" });
    const { keys } = await (await fetch(`${cognito.url}/${cognito.userPoolId}/.well-known/jwks.json`)).json();
    const [head, body, signature] = (tokens.AccessToken ?? "").split(".");
    const key = createPublicKey({ key: keys[0], format: "jwk" });
    const verifier = createVerify("RSA-SHA256").update(`${head}.${body}`);
    expect(verifier.verify(key, Buffer.from(signature ?? "", "base64url"))).toBe(true);
  });

  test("works in whatever case the address is written", async () => {
    const { email, sub } = await newPerson();
    const { AuthenticationResult } = await signIn(email.toUpperCase());
    expect(claims(AuthenticationResult?.AccessToken).sub).toBe(sub);
  });

  test("says the same of a wrong password and of an unknown address", async () => {
    const { email } = await newPerson();
    const said = refusal("NotAuthorizedException", "Incorrect username or password.");
    await expect(signIn(email, "wrong password")).rejects.toMatchObject(said);
    await expect(signIn(newAddress())).rejects.toMatchObject(said);
  });

  test("tells only the right password that the address is not confirmed", async () => {
    const email = newAddress();
    await signUp(email);
    await expect(signIn(email)).rejects.toMatchObject(refusal("UserNotConfirmedException", "User is not confirmed."));
    await expect(signIn(email, "wrong password")).rejects.toMatchObject(refusal("NotAuthorizedException"));
  });

  test("allows no flow but the two of this client", async () => {
    for (const AuthFlow of ["USER_SRP_AUTH", "CUSTOM_AUTH", "ADMIN_USER_PASSWORD_AUTH"] as const)
      await expect(
        client.send(new InitiateAuthCommand({ ClientId: cognito.clientId, AuthFlow, AuthParameters: {} })),
      ).rejects.toMatchObject(refusal("InvalidParameterException", `${AuthFlow} flow not enabled for this client`));
  });

  test("asks an invited person for a password of their own", async () => {
    const email = newAddress();
    await client.send(
      new AdminCreateUserCommand({
        UserPoolId: cognito.userPoolId,
        Username: email,
        TemporaryPassword: "temporary pass",
        UserAttributes: [
          { Name: "email", Value: email },
          { Name: "email_verified", Value: "true" },
        ],
        DesiredDeliveryMediums: ["EMAIL"],
      }),
    );
    expect(mails.at(-1)).toEqual({ kind: "invite", email, code: "temporary pass" });
    await expect(signIn(email, "wrong password")).rejects.toMatchObject(refusal("NotAuthorizedException"));
    const challenge = await signIn(email, "temporary pass");
    expect(challenge.ChallengeName).toBe("NEW_PASSWORD_REQUIRED");
    expect(challenge.AuthenticationResult).toBeUndefined();
    const username = challenge.ChallengeParameters?.USER_ID_FOR_SRP ?? "";
    const respond = (password: string) =>
      client.send(
        new RespondToAuthChallengeCommand({
          ClientId: cognito.clientId,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: challenge.Session,
          ChallengeResponses: { USERNAME: username, NEW_PASSWORD: password, SECRET_HASH: hash(username) },
        }),
      );
    await expect(respond("short")).rejects.toMatchObject(refusal("InvalidPasswordException"));
    await expect(later(3 * 60_000 + 1, () => respond(PASSWORD))).rejects.toMatchObject(
      refusal("NotAuthorizedException", "Invalid session for the user, session is expired."),
    );
    const { AuthenticationResult: tokens } = await respond(PASSWORD);
    expect((await refresh(tokens?.RefreshToken, username)).AuthenticationResult?.AccessToken).toBeDefined();
    await expect(respond(PASSWORD)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    expect((await signIn(email)).AuthenticationResult).toBeDefined();
  });
});

describe("Existence", () => {
  test("is hidden from all who ask for an unknown address", async () => {
    const email = newAddress();
    const before = mails.length;
    const details = { CodeDeliveryDetails: { Destination: "p***@e***", DeliveryMedium: "EMAIL" } };
    expect(await client.send(new ForgotPasswordCommand(identity(email)))).toMatchObject(details);
    expect(await client.send(new ResendConfirmationCodeCommand(identity(email)))).toMatchObject(details);
    expect(mails.length).toBe(before);
    await expect(confirm(email, "123456")).rejects.toMatchObject(refusal("ExpiredCodeException"));
    await expect(
      client.send(
        new ConfirmForgotPasswordCommand({ ...identity(email), ConfirmationCode: "123456", Password: PASSWORD }),
      ),
    ).rejects.toMatchObject(refusal("ExpiredCodeException"));
  });

  test("is told to the operator", async () => {
    await expect(
      client.send(new AdminGetUserCommand({ UserPoolId: cognito.userPoolId, Username: newAddress() })),
    ).rejects.toMatchObject(refusal("UserNotFoundException", "User does not exist."));
  });
});

describe("A forgotten password", () => {
  const reset = (email: string, code: string, password: string) =>
    client.send(new ConfirmForgotPasswordCommand({ ...identity(email), ConfirmationCode: code, Password: password }));

  test("is replaced by a mailed code within the hour", async () => {
    const { email } = await newPerson();
    await client.send(new ForgotPasswordCommand(identity(email)));
    expect(mails.at(-1)).toMatchObject({ kind: "reset", email });
    await expect(reset(email, codeFor(email), "short")).rejects.toMatchObject(refusal("InvalidPasswordException"));
    await expect(later(HOUR + 1000, () => reset(email, codeFor(email), "another password"))).rejects.toMatchObject(
      refusal("ExpiredCodeException"),
    );
    await reset(email, codeFor(email), "another password");
    await expect(signIn(email)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    expect((await signIn(email, "another password")).AuthenticationResult).toBeDefined();
  });

  test("is not replaced by the code of a sign-up", async () => {
    const email = newAddress();
    await signUp(email);
    await expect(reset(email, codeFor(email), "another password")).rejects.toMatchObject(
      refusal("ExpiredCodeException"),
    );
  });

  test("mails nothing to an address that was never confirmed", async () => {
    const email = newAddress();
    await signUp(email);
    const before = mails.length;
    await client.send(new ForgotPasswordCommand(identity(email)));
    expect(mails.length).toBe(before);
  });
});

describe("Signing out", () => {
  test("everywhere refuses the refresh tokens and access tokens of before", async () => {
    for (const way of ["person", "operator"]) {
      const { email, sub, tokens } = await newPerson();
      await later(2000, () =>
        way === "person"
          ? client.send(new GlobalSignOutCommand({ AccessToken: tokens.AccessToken }))
          : client.send(new AdminUserGlobalSignOutCommand({ UserPoolId: cognito.userPoolId, Username: sub })),
      );
      await expect(refresh(tokens.RefreshToken, sub)).rejects.toMatchObject(
        refusal("NotAuthorizedException", "Refresh Token has been revoked"),
      );
      await expect(client.send(new GetUserCommand({ AccessToken: tokens.AccessToken }))).rejects.toMatchObject(
        refusal("NotAuthorizedException", "Access Token has been revoked"),
      );
      const again = await later(5000, () => signIn(email));
      expect((await refresh(again.AuthenticationResult?.RefreshToken, sub)).AuthenticationResult).toBeDefined();
    }
  });

  test("here refuses one refresh token and leaves the others", async () => {
    const { email, sub, tokens } = await newPerson();
    const { AuthenticationResult: other } = await signIn(email);
    const revoke = (ClientSecret: string) =>
      client.send(new RevokeTokenCommand({ ClientId: cognito.clientId, ClientSecret, Token: tokens.RefreshToken }));
    await expect(revoke("not the secret")).rejects.toMatchObject(refusal("NotAuthorizedException"));
    await revoke(cognito.clientSecret);
    await expect(refresh(tokens.RefreshToken, sub)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    expect((await refresh(other?.RefreshToken, sub)).AuthenticationResult).toBeDefined();
    await revoke(cognito.clientSecret);
  });

  test("comes by itself after 30 days", async () => {
    const { sub, tokens } = await newPerson();
    await expect(later(30 * 24 * HOUR + 1000, () => refresh(tokens.RefreshToken, sub))).rejects.toMatchObject(
      refusal("NotAuthorizedException", "Refresh Token has expired"),
    );
  });

  test("comes with being disabled", async () => {
    const { email, sub, tokens } = await newPerson();
    await client.send(new AdminDisableUserCommand({ UserPoolId: cognito.userPoolId, Username: sub }));
    const said = refusal("NotAuthorizedException", "User is disabled.");
    await expect(refresh(tokens.RefreshToken, sub)).rejects.toMatchObject(said);
    await expect(signIn(email)).rejects.toMatchObject(said);
  });
});

describe("An account", () => {
  test("changes its password with the old one", async () => {
    const { email, tokens } = await newPerson();
    const change = (PreviousPassword: string, ProposedPassword: string) =>
      client.send(new ChangePasswordCommand({ AccessToken: tokens.AccessToken, PreviousPassword, ProposedPassword }));
    await expect(change("wrong password", "another password")).rejects.toMatchObject(
      refusal("NotAuthorizedException", "Incorrect username or password."),
    );
    await expect(change(PASSWORD, "short")).rejects.toMatchObject(refusal("InvalidPasswordException"));
    await change(PASSWORD, "another password");
    expect((await signIn(email, "another password")).AuthenticationResult).toBeDefined();
  });

  test("answers only to a genuine, living access token", async () => {
    const { tokens } = await newPerson();
    const user = (AccessToken: string | undefined) => client.send(new GetUserCommand({ AccessToken }));
    expect((await user(tokens.AccessToken)).UserAttributes).toBeDefined();
    const [head, , signature] = (tokens.AccessToken ?? "").split(".");
    const forged = `${head}.${Buffer.from(JSON.stringify({ ...claims(tokens.AccessToken), sub: "x" })).toString("base64url")}.${signature}`;
    for (const token of [forged, tokens.IdToken])
      await expect(user(token)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    await expect(later(HOUR + 1000, () => user(tokens.AccessToken))).rejects.toMatchObject(
      refusal("NotAuthorizedException"),
    );
  });

  test("can be deleted by the person and by the operator", async () => {
    const first = await newPerson();
    await client.send(new DeleteUserCommand({ AccessToken: first.tokens.AccessToken }));
    await expect(signIn(first.email)).rejects.toMatchObject(refusal("NotAuthorizedException"));
    const second = await newPerson();
    await client.send(new AdminDeleteUserCommand({ UserPoolId: cognito.userPoolId, Username: second.sub }));
    await expect(refresh(second.tokens.RefreshToken, second.sub)).rejects.toMatchObject(
      refusal("NotAuthorizedException"),
    );
    const again = await signUp(second.email);
    expect(again.UserSub).not.toBe(second.sub);
  });
});

describe("The service", () => {
  test("has the policy and the flows of the pool that is deployed", async () => {
    const deployed = await readFile(new URL("../../auth.ts", import.meta.url), "utf8");
    const value = (name: string) => new RegExp(`\\b${name}: (\\S+),`).exec(deployed)?.[1];
    for (const [name, here] of Object.entries(policy))
      expect(value(name[0]?.toLowerCase() + name.slice(1)), name).toBe(String(here));
    expect(deployed).toContain(`explicitAuthFlows: ${JSON.stringify(allowedFlows).replace(",", ", ")}`);
    expect(value("preventUserExistenceErrors")).toBe('"ENABLED"');
    expect([value("accessTokenValidity"), value("refreshTokenValidity")]).toEqual(["1", "30"]);
  });

  test("counts its calls by operation", async () => {
    const counts = async () => (await (await fetch(`${cognito.url}/__counts`)).json()) as Record<string, number>;
    const { sub, tokens } = await newPerson();
    const before = await counts();
    await refresh(tokens.RefreshToken, sub);
    const name = "InitiateAuth:REFRESH_TOKEN_AUTH";
    expect((await counts())[name]).toBe((before[name] ?? 0) + 1);
  });

  test("refuses what it does not know, unsigned calls of the operator, and text that is not JSON", async () => {
    await expect(client.send(new ListUsersCommand({ UserPoolId: cognito.userPoolId }))).rejects.toMatchObject(
      refusal("UnknownOperationException"),
    );
    const post = async (operation: string, body: string) => {
      const response = await fetch(cognito.url, {
        method: "POST",
        headers: { "x-amz-target": `AWSCognitoIdentityProviderService.${operation}` },
        body,
      });
      return { status: response.status, type: ((await response.json()) as { __type: string }).__type };
    };
    expect(await post("AdminGetUser", "{}")).toEqual({ status: 400, type: "MissingAuthenticationTokenException" });
    expect(await post("SignUp", "[")).toEqual({ status: 400, type: "SerializationException" });
    expect(await post("SignUp", "{}")).toEqual({ status: 400, type: "InvalidParameterException" });
    expect(await post("constructor", "{}")).toEqual({ status: 400, type: "UnknownOperationException" });
  });

  test("keeps its people, its client and no plain password over a restart", async () => {
    const { email, sub, tokens } = await newPerson();
    const { clientId, clientSecret, userPoolId } = cognito;
    client.destroy();
    await cognito.stop();
    const file = await readFile(join(folder, ".cognito", "db", `${userPoolId}.json`), "utf8");
    expect(file).toContain(email);
    expect(file).not.toContain(PASSWORD);
    cognito = await start();
    client = connect(cognito.url);
    expect(cognito).toMatchObject({ clientId, clientSecret, userPoolId });
    expect((await refresh(tokens.RefreshToken, sub)).AuthenticationResult?.AccessToken).toBeDefined();
    expect((await signIn(email)).AuthenticationResult).toBeDefined();
  });
});
