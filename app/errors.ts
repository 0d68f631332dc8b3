/**
 * The one table of error codes: the HTTP status, and the words a person reads. HTTP answers and stream events
 * use the same codes. Anything that is not a PublicError is a bug: it is logged and shown as `internal`.
 */
export const errors = {
  "bad-request": { status: 400, message: "This request could not be understood." },
  "bad-id": { status: 400, message: "This is not an id that Sidenote made." },
  "not-signed-in": { status: 401, message: "Sign in to go on. What you wrote is kept here." },
  "foreign-origin": { status: 403, message: "This request came from another site." },
  "sign-up-closed": { status: 403, message: "Sign-up is closed here. Ask whoever runs this Sidenote to add you." },
  "not-found": { status: 404, message: "There is nothing here." },
  busy: { status: 409, message: "This thread is answering already." },
  mismatch: { status: 409, message: "Another message was sent under this id." },
  stale: { status: 409, message: "This thread has moved on." },
  conflict: { status: 409, message: "This note changed elsewhere. Keep yours, or take theirs?" },
  "too-large": { status: 413, message: "That is too long." },
  "unsupported-type": { status: 415, message: "This type of content is not accepted." },
  "too-many-runs": { status: 429, message: "Too many threads are answering. Wait for one to end, or stop one." },
  "budget-spent": { status: 429, message: "Today's budget is used up." },
  "stage-budget-spent": { status: 429, message: "Today's budget of this Sidenote is used up." },
  throttled: { status: 429, message: "Too many tries. Wait a little." },
  internal: { status: 500, message: "Something went wrong here. Nothing you wrote is lost." },
  "sign-in-unavailable": { status: 503, message: "Sign-in cannot be reached just now. Try again in a moment." },
  "guardrail-unavailable": {
    status: 503,
    message: "The guardrail cannot be reached, and nothing passes unchecked. Your message is kept.",
  },
  unavailable: { status: 503, message: "Sidenote cannot reach its storage. What you wrote is kept here. Try again." },

  "switched-off": { status: 503, message: "Whoever runs this Sidenote has switched the models off for now." },

  // How a run ends badly, beside a budget that is used up and models that are switched off. Stored with the answer and shown in its card.
  "model-busy": { status: 502, message: "The model is busy. Your message is kept." },
  "model-denied": { status: 502, message: "This model is not enabled in the account that runs Sidenote." },
  "model-credit": { status: 502, message: "The account that runs Sidenote has no credit left for this model." },
  "model-missing": { status: 502, message: "This model is not offered any more. Choose another one." },
  "model-refused": { status: 502, message: "The model refused this request." },
  "model-empty": { status: 502, message: "The model answered with nothing." },
  "model-cut": { status: 502, message: "Cut off: the connection to the model broke." },
  "model-silent": { status: 502, message: "Cut off: the model fell silent." },
  "model-unreachable": { status: 502, message: "The model cannot be reached." },
  "model-error": { status: 502, message: "The model failed." },
  "context-too-long": { status: 502, message: "This is longer than the model's window." },
  "server-ended": { status: 502, message: "Cut off: the server ended before the answer did." },
  deadline: { status: 502, message: "Cut off: the answer took longer than the server may run." },
  "log-lost": { status: 502, message: "Cut off: the answer could not be saved any further." },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof errors;

/** What a JSON answer or a stream event says about an error. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string } & Record<string, unknown>;
}

/**
 * An error that a person may read. `details` go into the body as they are and are never logged; they hold no text of
 * messages or notes, save for a note's `conflict`, which gives the other text back.
 */
export class PublicError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    code: ErrorCode,
    options: {
      message?: string;
      details?: Record<string, unknown>;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(options.message ?? errors[code].message, { cause: options.cause });
    this.name = "PublicError";
    this.code = code;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return errors[this.code].status;
  }

  body(): ErrorBody {
    return { error: { ...this.details, code: this.code, message: this.message } };
  }

  /** The JSON answer; never cached. */
  toResponse(): Response {
    return new Response(JSON.stringify(this.body()), {
      status: this.status,
      headers: { "Content-Type": "application/json", "Cache-Control": "private, no-store", ...this.headers },
    });
  }
}
