/**
 * What the pages around sign-in do. Each function takes the request and its form, counts the try, asks Cognito and
 * says what comes next. An answer never tells whether an address is known: the same calls, the same words and the
 * same least time for both, and whatever must happen for a known address happens after the answer.
 */
import { Entity } from "dynamodb-toolbox/entity";
import { DeleteItemCommand } from "dynamodb-toolbox/entity/actions/delete";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { z } from "zod";
import { config } from "~/config.server";
import { keys } from "~/data/keys.server";
import { isOutage, table } from "~/data/table.server";
import { PublicError } from "~/errors";
import { logError } from "~/http.server";
import { currentInvocation } from "~/invocation.server";
import { isAccountDeleted } from "./account.server";
import * as cognito from "./cognito.server";
import { SignInRefusal } from "./cognito.server";
import { readCookie, setCookie } from "./cookies.server";
import { beginAccountDeletion, deleteAccount } from "./delete-account.server";
import { newToken, seal, tokenHash, unseal } from "./seal.server";
import { createSession, endAllSessions, endSession, type Person } from "./session.server";
import { throttle } from "./throttle.server";

/** How long the address stays in its cookie between sign-up and confirmation, or between forgetting and reset. */
const ADDRESS_SECONDS = 3_600;
/** How long a browser may take from a sign-out to the page that clears what it keeps. */
const SIGNED_OUT_SECONDS = 120;
const CHALLENGE_SECONDS = 600;

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Answers after the least wait, however the work ends: its length tells nothing. */
async function evenly<T>(work: Promise<T>): Promise<T> {
  const [result] = await Promise.allSettled([work, wait(config.limits.leastWaitMs)]);
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

/** The same for work whose success tells nothing new to whoever can bring it about: only failures wait. */
async function failEvenly<T>(work: Promise<T>): Promise<T> {
  const waited = wait(config.limits.leastWaitMs);
  try {
    return await work;
  } catch (error) {
    await waited;
    throw error;
  }
}

/** Work that the answer does not wait for. */
function afterwards(where: string, work: Promise<unknown>): void {
  currentInvocation().waitUntil(work.catch((error: unknown) => logError(error, where)));
}

/** An address as it is counted, compared and sent to Cognito: one person, one account. */
export const emailAddress = z
  .string()
  .transform((text) => text.normalize("NFC").trim().toLowerCase())
  .pipe(
    z
      .string()
      .min(1, "Enter your email address.")
      .max(254, "This is not an email address.")
      .regex(/^[^\s@\p{C}]+@[^\s@\p{C}]+$/u, "This is not an email address."),
  );
const password = z.string().min(1, "Enter a password.").max(256, "A password may have at most 256 characters.");
const code = z
  .string()
  .transform((text) => text.replace(/\s/g, ""))
  .pipe(z.string().regex(/^\d{6}$/, "The code has six digits."));

export type FieldName = "email" | "password" | "newPassword" | "code" | "form";

/** What a form shows again: the address, and what is wrong where. `intent` says which form of a page it was. */
export interface FormProblem {
  intent?: string;
  email?: string;
  errors: Partial<Record<FieldName, string>>;
}

/** The form was not filled in as it must be. */
class FormRefusal extends Error {
  readonly errors: FormProblem["errors"];

  constructor(errors: FormProblem["errors"]) {
    super("The form was not filled in");
    this.name = "FormRefusal";
    this.errors = errors;
  }
}

function fields<T extends z.ZodRawShape>(form: Record<string, string>, shape: T): z.infer<z.ZodObject<T>> {
  const parsed = z
    .object(shape)
    .safeParse({ ...Object.fromEntries(Object.keys(shape).map((key) => [key, ""])), ...form });
  if (parsed.success) return parsed.data;
  const errors: FormProblem["errors"] = {};
  for (const { path, message } of parsed.error.issues) errors[path[0] as FieldName] ??= message;
  throw new FormRefusal(errors);
}

/** The error as one of the table: what is no PublicError is an outage of the table, or a bug. Both are logged. */
function publicError(error: unknown): PublicError {
  if (error instanceof PublicError && error.status < 500) return error;
  logError(error instanceof PublicError ? (error.cause ?? error) : error, "sign-in");
  return error instanceof PublicError ? error : new PublicError(isOutage(error) ? "unavailable" : "internal");
}

/** What the form says again after `error`, with the status and headers to say it with. */
export function problemOf(
  error: unknown,
  form: Record<string, string> = {},
): { problem: FormProblem; status: number; headers: Record<string, string> } {
  const problem = (errors: FormProblem["errors"]): FormProblem => ({
    ...(form.intent === undefined ? {} : { intent: form.intent.slice(0, 40) }),
    ...(form.email === undefined ? {} : { email: form.email.slice(0, 254) }),
    errors,
  });
  if (error instanceof FormRefusal) return { problem: problem(error.errors), status: 400, headers: {} };
  if (error instanceof SignInRefusal)
    return { problem: problem({ [error.field ?? "form"]: error.message }), status: 400, headers: {} };
  const { message, status, headers } = publicError(error);
  return { problem: problem({ form: message }), status, headers };
}

/** Keeps the address for the next page. */
const rememberAddress = (email: string): string =>
  setCookie("__Host-address", encodeURIComponent(email), ADDRESS_SECONDS);

/** The address that the page before was about. */
export function rememberedAddress(request: Request): string | undefined {
  const value = readCookie(request, "__Host-address");
  if (!value) return undefined;
  try {
    return emailAddress.safeParse(decodeURIComponent(value)).data;
  } catch {
    return undefined;
  }
}

const withAddress = (request: Request, form: Record<string, string>): Record<string, string> => ({
  ...form,
  email: form.email ?? rememberedAddress(request) ?? "",
});

/** Cookies and place to go to next. */
export interface Next {
  cookie?: string;
  /** Says that the person ended their session themselves, see {@link hasSignedOut}; or no longer says so. */
  signedOut?: string;
  to: string;
  /** Whoever is signed in from here on. */
  userId?: string;
}

/** A known address gets what fits it: a new code if it was never confirmed, else a way to reset its password. */
async function answerKnownAddress(email: string): Promise<void> {
  if ((await cognito.resendCode(email)) === "confirmed") await cognito.forgotPassword(email);
}

/** Signs somebody up; the code goes out by mail. */
export async function signUpPerson(request: Request, form: Record<string, string>): Promise<Next> {
  if (config.signUp === "closed") throw new PublicError("sign-up-closed");
  const { email, password: chosen } = fields(form, { email: emailAddress, password });
  await throttle("signUp", request, email);
  if ((await evenly(cognito.signUp(email, chosen))) === "known")
    afterwards("sign-up of a known address", answerKnownAddress(email));
  return { cookie: rememberAddress(email), to: "/confirm" };
}

/** Confirms an address by its code. */
export async function confirmPerson(request: Request, form: Record<string, string>): Promise<Next> {
  const { email, code: given } = fields(withAddress(request, form), { email: emailAddress, code });
  await throttle("code", request, email);
  await failEvenly(cognito.confirmSignUp(email, given));
  return { cookie: rememberAddress(email), to: "/sign-in?done=confirmed" };
}

/** Mails a new code, if the address waits for one. */
export async function resendCode(request: Request, form: Record<string, string>): Promise<Next> {
  const { email } = fields(withAddress(request, form), { email: emailAddress });
  await throttle("resend", request, email);
  await evenly(cognito.resendCode(email));
  return { cookie: rememberAddress(email), to: "/confirm?done=sent" };
}

const ChallengeEntity = new Entity({
  name: "Challenge",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({ pk: string().key(), sk: string().key(), sealed: string(), expiresAt: number() }),
});

interface Challenge {
  username: string;
  session: string;
  redirectTo: string;
}

const challengePlace = (hash: string): string => `challenge:${hash}`;

async function keepChallenge(challenge: Challenge): Promise<string> {
  const token = newToken();
  const hash = tokenHash(token);
  await ChallengeEntity.build(PutItemCommand)
    .item({
      ...keys.challenge(hash),
      sealed: seal(JSON.stringify(challenge), challengePlace(hash)),
      expiresAt: Math.floor(Date.now() / 1000) + CHALLENGE_SECONDS,
    })
    .send();
  return setCookie("__Host-challenge", token, CHALLENGE_SECONDS);
}

const challengeHash = (request: Request): string => tokenHash(readCookie(request, "__Host-challenge") ?? "");

async function getChallenge(request: Request): Promise<Challenge | undefined> {
  const hash = challengeHash(request);
  const { Item } = await ChallengeEntity.build(GetItemCommand)
    .key(keys.challenge(hash))
    .options({ consistent: true })
    .send();
  if (!Item || Item.expiresAt * 1000 <= Date.now()) return undefined;
  const text = unseal(Item.sealed, challengePlace(hash));
  return text === undefined ? undefined : (JSON.parse(text) as Challenge);
}

async function openAccount(request: Request, signIn: cognito.SignIn, redirectTo: string): Promise<Next> {
  if (await isAccountDeleted(signIn.userId)) {
    afterwards("account deletion", deleteAccount(signIn.userId));
    throw new SignInRefusal("no-match", "Email and password do not match.", "password");
  }
  const headers = await createSession(signIn, signIn);
  return {
    cookie: headers.get("Set-Cookie") ?? undefined,
    // Should this session end by itself in a moment, what is written in it is not to be cleared.
    ...(hasSignedOut(request) && { signedOut: setCookie("__Host-signed-out", "", 0) }),
    to: redirectTo,
    userId: signIn.userId,
  };
}

/** Signs a person in, or leads to what is missing: the confirmation, or a password of their own. */
export async function signInPerson(request: Request, form: Record<string, string>, redirectTo: string): Promise<Next> {
  const { email, password: given } = fields(form, { email: emailAddress, password });
  await throttle("signIn", request, email);
  let answer: cognito.PasswordAnswer;
  try {
    answer = await failEvenly(cognito.checkPassword(email, given));
  } catch (error) {
    // Only the right password learns this.
    if (error instanceof SignInRefusal && error.reason === "unconfirmed")
      return { cookie: rememberAddress(email), to: "/confirm" };
    throw error;
  }
  if (answer.kind === "signed-in") return openAccount(request, answer.signIn, redirectTo);
  const { username, session } = answer;
  return { cookie: await keepChallenge({ username, session, redirectTo }), to: "/first-password" };
}

/** Whether this browser is between signing in with a given password and choosing its own. */
export async function awaitsFirstPassword(request: Request): Promise<boolean> {
  return (await getChallenge(request)) !== undefined;
}

/** Sets the first password of a person whom the operator added, and signs in. */
export async function chooseFirstPassword(request: Request, form: Record<string, string>): Promise<Next> {
  const { newPassword } = fields(form, { newPassword: password });
  const challenge = await getChallenge(request);
  if (!challenge) return { to: "/sign-in?done=ended" };
  await throttle("code", request, challenge.username);
  try {
    const signIn = await cognito.setFirstPassword(challenge.username, challenge.session, newPassword);
    await ChallengeEntity.build(DeleteItemCommand)
      .key(keys.challenge(challengeHash(request)))
      .send();
    return await openAccount(request, signIn, challenge.redirectTo);
  } catch (error) {
    throw atField(error, "newPassword");
  }
}

/** Says a refusal of a password beside the field of the new one. */
function atField(error: unknown, field: "newPassword"): unknown {
  return error instanceof SignInRefusal && error.reason === "password"
    ? new FormRefusal({ [field]: error.message })
    : error;
}

/** Mails a code to reset the password, if the address has an account. */
export async function forgetPassword(request: Request, form: Record<string, string>): Promise<Next> {
  const { email } = fields(form, { email: emailAddress });
  await throttle("forgot", request, email);
  await evenly(cognito.forgotPassword(email));
  return { cookie: rememberAddress(email), to: "/reset-password" };
}

/** Sets a new password by a mailed code, and ends all sessions of that person. */
export async function resetPassword(request: Request, form: Record<string, string>): Promise<Next> {
  const shape = { email: emailAddress, code, newPassword: password };
  const { email, code: given, newPassword } = fields(withAddress(request, form), shape);
  await throttle("code", request, email);
  try {
    await failEvenly(cognito.resetPassword(email, given, newPassword));
  } catch (error) {
    throw atField(error, "newPassword");
  }
  const userId = await cognito.findUserId(email);
  if (userId) {
    await endAllSessions(userId);
    afterwards("sign-out everywhere", cognito.signOutEverywhere(userId));
  }
  return { cookie: rememberAddress(email), to: "/sign-in?done=reset" };
}

/** Tries the person's own password. Throws where the form shows it. */
async function checkOwnPassword(request: Request, person: Person, given: string) {
  await throttle("signIn", request, person.email);
  try {
    const answer = await cognito.checkPassword(person.email, given);
    if (answer.kind === "signed-in" && answer.signIn.userId === person.userId) return answer;
  } catch (error) {
    if (!(error instanceof SignInRefusal)) throw error;
  }
  throw new FormRefusal({ password: "This is not your password." });
}

/** Changes the password, ends all sessions of the person and opens a new one here. */
export async function changePassword(request: Request, form: Record<string, string>, person: Person): Promise<Next> {
  const { password: given, newPassword } = fields(form, { password, newPassword: password });
  const { accessToken, signIn } = await checkOwnPassword(request, person, given);
  try {
    await cognito.changePassword(accessToken, given, newPassword);
  } catch (error) {
    throw atField(error, "newPassword");
  }
  await endAllSessions(person.userId);
  const headers = await createSession(signIn, signIn);
  return { cookie: headers.get("Set-Cookie") ?? undefined, to: "/settings?done=password" };
}

/** Signs the person out in this browser. */
export async function signOut(request: Request): Promise<Next> {
  const headers = await endSession(request);
  return {
    cookie: headers.get("Set-Cookie") ?? undefined,
    signedOut: setCookie("__Host-signed-out", "1", SIGNED_OUT_SECONDS),
    to: "/sign-in?done=signed-out",
  };
}

/**
 * Whether the person has just signed out in this browser, by our own button: an address alone does not say so, since
 * anybody may write a link to it, an answer too.
 */
export const hasSignedOut = (request: Request): boolean => readCookie(request, "__Host-signed-out") !== undefined;

/** Signs the person out on every device, this one included. */
export async function signOutEverywhere(request: Request, person: Person): Promise<Next> {
  await endAllSessions(person.userId);
  afterwards("sign-out everywhere", cognito.signOutEverywhere(person.userId));
  return signOut(request);
}

/** Deletes the person's account with everything in it; the password says that they mean it. */
export async function deleteOwnAccount(
  request: Request,
  form: Record<string, string>,
  person: Person,
  removeThread?: (userId: string, threadId: string) => Promise<void>,
): Promise<Next> {
  const { password: given } = fields(form, { password });
  await checkOwnPassword(request, person, given);
  await beginAccountDeletion(person.userId);
  afterwards("account deletion", deleteAccount(person.userId, { sweepThread: removeThread }));
  return { ...(await signOut(request)), to: "/sign-in?done=deleted" };
}
