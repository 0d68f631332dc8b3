/**
 * The calls of the Cognito API, as a confidential client: only this module knows Cognito's names, errors and the
 * secret. What a person may do about an error comes out as a {@link SignInRefusal} or a PublicError in our words;
 * nothing here tells whether an address has an account. Tokens are believed only after aws-jwt-verify read them.
 */
import { createHmac } from "node:crypto";
import {
  AdminDeleteUserCommand,
  AdminGetUserCommand,
  AdminUserGlobalSignOutCommand,
  type AuthenticationResultType,
  ChangePasswordCommand,
  CognitoIdentityProviderClient,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { FailedAssertionError, JwtInvalidSignatureError, JwtParseError } from "aws-jwt-verify/error";
import { SimpleFetcher } from "aws-jwt-verify/https";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { config } from "~/config.server";
import { PublicError } from "~/errors";

const { userPoolId, clientId, clientSecret } = config.cognito;

const cognito = new CognitoIdentityProviderClient({
  region: config.region,
  maxAttempts: 2,
  requestHandler: { requestTimeout: 4_000, connectionTimeout: 2_000 },
});

/** What a person typed was refused. `field` is where to say so. */
export class SignInRefusal extends Error {
  readonly reason: "no-match" | "unconfirmed" | "password" | "code" | "email" | "ended";
  readonly field: "email" | "password" | "code" | undefined;

  constructor(reason: SignInRefusal["reason"], message: string, field?: SignInRefusal["field"]) {
    super(message);
    this.name = "SignInRefusal";
    this.reason = reason;
    this.field = field;
  }
}

const passwordRules: [RegExp, string][] = [
  [/not long enough/i, "This password is too short. Use at least eight characters."],
  [/uppercase/i, "This password needs a capital letter."],
  [/lowercase/i, "This password needs a small letter."],
  [/numeric/i, "This password needs a digit."],
  [/symbol/i, "This password needs a sign such as a full stop."],
];

function passwordRefusal(message: string): SignInRefusal {
  const rule = passwordRules.find(([pattern]) => pattern.test(message));
  return new SignInRefusal("password", rule?.[1] ?? "This password is not allowed. Choose another one.", "password");
}

const noMatch = () => new SignInRefusal("no-match", "Email and password do not match.", "password");
const wrongCode = () =>
  new SignInRefusal("code", "This code is not right, or no longer valid. Only the newest one counts.", "code");

const firstPasswordEnded = () =>
  new SignInRefusal("ended", "This took too long. Sign in again with the password that you were given.");

const errorName = (error: unknown): string => (error instanceof Error ? error.name : "");

/** What is the same for every call; the rest is thrown on as it is. */
function refusalOf(error: unknown): Error {
  const message = error instanceof Error ? error.message : "";
  switch (errorName(error)) {
    case "NotAuthorizedException":
    case "UserNotFoundException":
    case "PasswordResetRequiredException":
      return noMatch();
    case "UserNotConfirmedException":
      return new SignInRefusal("unconfirmed", "This address is not confirmed yet.", "email");
    case "InvalidPasswordException":
      return passwordRefusal(message);
    case "CodeMismatchException":
    case "ExpiredCodeException":
      return new SignInRefusal(
        "code",
        "This code is not right, or no longer valid. Only the newest one counts.",
        "code",
      );
    case "InvalidParameterException":
      return /password/i.test(message)
        ? new SignInRefusal("password", "A password must not begin or end with a space.", "password")
        : new SignInRefusal("email", "This is not an email address.", "email");
    case "LimitExceededException":
    case "TooManyFailedAttemptsException":
    case "TooManyRequestsException":
      return new PublicError("throttled", { headers: { "Retry-After": "60" }, cause: error });
    default:
      return new PublicError("sign-in-unavailable", { headers: { "Retry-After": "10" }, cause: error });
  }
}

/** Errors that one call expects, and what they mean there: an answer, or an error that is thrown. */
type Expected<T> = [names: string[], meaning: T | SignInRefusal | PublicError];

/** Cognito's own limits on codes hold for known addresses only, so nobody may learn of them. Ours come first. */
const codeLimits = ["LimitExceededException", "TooManyFailedAttemptsException"];

/** Makes a call; what it does not expect is thrown in our words. */
async function call<T>(work: () => Promise<T>, ...expected: Expected<T>[]): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = expected.find(([names]) => names.includes(errorName(error)));
    if (!found) throw refusalOf(error);
    const [, meaning] = found;
    if (meaning instanceof SignInRefusal || meaning instanceof PublicError) throw meaning;
    return meaning;
  }
}

/** For calls whose answer is not needed. */
async function tell(work: () => Promise<unknown>, ...expected: Expected<unknown>[]): Promise<void> {
  await call(work, ...expected);
}

const secretHash = (username: string): string =>
  createHmac("sha256", clientSecret)
    .update(username + clientId)
    .digest("base64");

const identity = (email: string) => ({ ClientId: clientId, Username: email, SecretHash: secretHash(email) });

/** What a session is made of: who it is, and how to ask again whether that still holds. */
export interface SignIn {
  userId: string;
  email: string;
  refreshToken: string;
  /** When the access token ends, in milliseconds since the epoch. */
  accessUntil: number;
}

/** The local Cognito has its keys at its own address; the verifier asks for them where Cognito has them. */
class KeyFetcher extends SimpleFetcher {
  override async fetch(...[uri, ...rest]: Parameters<SimpleFetcher["fetch"]>): Promise<ArrayBuffer> {
    if (!config.endpoints.cognito) return super.fetch(uri, ...rest);
    const response = await fetch(new URL(new URL(uri).pathname, config.endpoints.cognito), {
      signal: AbortSignal.timeout(3_000),
    });
    if (!response.ok) throw new Error(`The keys of the user pool could not be read: ${response.status}`);
    return response.arrayBuffer();
  }
}

const jwksCache = new SimpleJwksCache({ fetcher: new KeyFetcher() });
const accessTokens = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: "access" }, { jwksCache });
const idTokens = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: "id" }, { jwksCache });

/** Whether a token is itself bad, as opposed to the keys being out of reach. */
const isBadToken = (error: unknown): boolean =>
  error instanceof FailedAssertionError || error instanceof JwtInvalidSignatureError || error instanceof JwtParseError;

/** The claims of a genuine, living access token of this client. Throws otherwise. */
export async function verifyAccessToken(token: string): Promise<{ userId: string; accessUntil: number }> {
  const { sub, exp } = await accessTokens.verify(token);
  return { userId: sub, accessUntil: exp * 1000 };
}

async function readSignIn(tokens: AuthenticationResultType | undefined): Promise<SignIn> {
  if (!tokens?.AccessToken || !tokens.IdToken || !tokens.RefreshToken)
    throw new PublicError("sign-in-unavailable", { cause: new Error("Cognito gave no tokens") });
  try {
    const access = await verifyAccessToken(tokens.AccessToken);
    const { sub, email } = await idTokens.verify(tokens.IdToken);
    if (sub !== access.userId || typeof email !== "string") throw new Error("Cognito's tokens do not fit together");
    return { ...access, email, refreshToken: tokens.RefreshToken };
  } catch (error) {
    throw new PublicError("sign-in-unavailable", { cause: error });
  }
}

/** Signs up. `known` is for the server alone: the address has an account already, and nothing was sent. */
export function signUp(email: string, password: string): Promise<"new" | "known"> {
  const UserAttributes = [{ Name: "email", Value: email }];
  return call(async (): Promise<"new" | "known"> => {
    await cognito.send(new SignUpCommand({ ...identity(email), Password: password, UserAttributes }));
    return "new";
  }, [["UsernameExistsException"], "known"]);
}

/** Confirms an address by its mailed code. An address that needs no confirming is refused like a wrong code. */
export async function confirmSignUp(email: string, code: string): Promise<void> {
  await tell(
    () => cognito.send(new ConfirmSignUpCommand({ ...identity(email), ConfirmationCode: code })),
    [["NotAuthorizedException", "UserNotFoundException", "AliasExistsException", ...codeLimits], wrongCode()],
  );
}

/** Mails a new code. `confirmed` is for the server alone: the address needs none. */
export function resendCode(email: string): Promise<"sent" | "confirmed"> {
  return call(
    async (): Promise<"sent" | "confirmed"> => {
      await cognito.send(new ResendConfirmationCodeCommand(identity(email)));
      return "sent";
    },
    [["InvalidParameterException"], "confirmed"],
    [["UserNotFoundException", "CodeDeliveryFailureException", ...codeLimits], "sent"],
  );
}

/** What a right password leads to: a sign-in, or the demand for a password of one's own. */
export type PasswordAnswer =
  | { kind: "signed-in"; signIn: SignIn; accessToken: string }
  | { kind: "first-password"; session: string; username: string };

/** Tries a password. Throws `no-match`, or `unconfirmed` for the right password of an unconfirmed address. */
export async function checkPassword(email: string, password: string): Promise<PasswordAnswer> {
  const AuthParameters = { USERNAME: email, PASSWORD: password, SECRET_HASH: secretHash(email) };
  const answer = await call(
    () => cognito.send(new InitiateAuthCommand({ ClientId: clientId, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters })),
    // A password that no account can have cannot match.
    [["InvalidParameterException"], noMatch()],
  );
  if (answer.ChallengeName === "NEW_PASSWORD_REQUIRED" && answer.Session)
    return {
      kind: "first-password",
      session: answer.Session,
      username: answer.ChallengeParameters?.USER_ID_FOR_SRP ?? email,
    };
  const signIn = await readSignIn(answer.AuthenticationResult);
  return { kind: "signed-in", signIn, accessToken: answer.AuthenticationResult?.AccessToken ?? "" };
}

/** Answers the demand for a password of one's own. Throws `ended` when too much time went by. */
export async function setFirstPassword(username: string, session: string, password: string): Promise<SignIn> {
  const { AuthenticationResult } = await call(
    () =>
      cognito.send(
        new RespondToAuthChallengeCommand({
          ClientId: clientId,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: session,
          ChallengeResponses: { USERNAME: username, NEW_PASSWORD: password, SECRET_HASH: secretHash(username) },
        }),
      ),
    [["NotAuthorizedException", "CodeMismatchException", "ExpiredCodeException"], firstPasswordEnded()],
  );
  return readSignIn(AuthenticationResult);
}

/** Mails a code to reset the password, if the address has an account that can have one. Never tells which. */
export async function forgotPassword(email: string): Promise<void> {
  await tell(
    () => cognito.send(new ForgotPasswordCommand(identity(email))),
    [
      [
        "UserNotFoundException",
        "NotAuthorizedException",
        "InvalidParameterException",
        "UserNotConfirmedException",
        "CodeDeliveryFailureException",
        ...codeLimits,
      ],
      undefined,
    ],
  );
}

/** Sets a new password by a mailed code. */
export async function resetPassword(email: string, code: string, password: string): Promise<void> {
  await tell(
    () =>
      cognito.send(
        new ConfirmForgotPasswordCommand({ ...identity(email), ConfirmationCode: code, Password: password }),
      ),
    [["UserNotFoundException", "NotAuthorizedException", "UserNotConfirmedException", ...codeLimits], wrongCode()],
  );
}

/** Changes the password of whoever `accessToken` is for. */
export async function changePassword(accessToken: string, previous: string, proposed: string): Promise<void> {
  await tell(() =>
    cognito.send(
      new ChangePasswordCommand({ AccessToken: accessToken, PreviousPassword: previous, ProposedPassword: proposed }),
    ),
  );
}

/**
 * Asks whether a session still holds. `refused` means that it was revoked, has ended, or that the person was
 * disabled or deleted. Throws when Cognito cannot be asked: that says nothing about the session.
 */
export async function refresh(
  userId: string,
  refreshToken: string,
): Promise<{ accessUntil: number; refreshToken: string } | "refused"> {
  const AuthParameters = { REFRESH_TOKEN: refreshToken, SECRET_HASH: secretHash(userId) };
  try {
    const { AuthenticationResult: tokens } = await cognito.send(
      new InitiateAuthCommand({ ClientId: clientId, AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters }),
    );
    const access = await verifyAccessToken(tokens?.AccessToken ?? "");
    if (access.userId !== userId) return "refused";
    return { accessUntil: access.accessUntil, refreshToken: tokens?.RefreshToken ?? refreshToken };
  } catch (error) {
    if (isBadToken(error) || ["NotAuthorizedException", "UserNotFoundException"].includes(errorName(error)))
      return "refused";
    throw error;
  }
}

/** Makes one refresh token worthless. */
export async function revokeToken(refreshToken: string): Promise<void> {
  await tell(() =>
    cognito.send(new RevokeTokenCommand({ ClientId: clientId, ClientSecret: clientSecret, Token: refreshToken })),
  );
}

/** Makes all of a person's refresh tokens worthless. */
export async function signOutEverywhere(userId: string): Promise<void> {
  await tell(
    () => cognito.send(new AdminUserGlobalSignOutCommand({ UserPoolId: userPoolId, Username: userId })),
    [["UserNotFoundException"], undefined],
  );
}

/** The id of the person with this address; for the server alone. */
export function findUserId(email: string): Promise<string | undefined> {
  return call<string | undefined>(async () => {
    const user = await cognito.send(new AdminGetUserCommand({ UserPoolId: userPoolId, Username: email }));
    return user.UserAttributes?.find(({ Name }) => Name === "sub")?.Value;
  }, [["UserNotFoundException"], undefined]);
}

/** Deletes the person from the pool; a repeat does nothing. */
export async function deleteUser(userId: string): Promise<void> {
  await tell(
    () => cognito.send(new AdminDeleteUserCommand({ UserPoolId: userPoolId, Username: userId })),
    [["UserNotFoundException"], undefined],
  );
}
