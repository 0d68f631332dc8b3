/** What differs between stages, and what the operator decides. Change it here, then deploy. */

export const production = $app.stage === "production";

/**
 * Whether strangers may make an account. Closed as shipped, since a public address must not spend the operator's
 * money: add people with the AWS console or `aws cognito-idp admin-create-user`.
 */
export const signUp: "open" | "closed" = "closed";

/** How many threads of one person may answer at the same time. Each holds one Lambda execution while it does. */
export const liveRuns = 3;

/**
 * Tokens that may be used in one day (UTC), by one person and by all together. Tokens are no dollars: two million are some
 * 30 cents with Nova Lite, 7 to 33 dollars with Claude Sonnet 4.5, and hundreds with the dearest models there are. Look at
 * the list of allowed models before you raise this.
 */
export const budgets = { person: 500_000, stage: 2_000_000 };

/** Threads without a message for this long are hidden, and deleted when their owner signs in next; pinned ones never are. */
export const retentionDays = 90;
