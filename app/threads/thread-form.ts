/** What is posted to a thread's page: one intent each. */
import { z } from "zod";
import { isRunId } from "./ids";

const flag = z.enum(["true", "false"]).transform((value) => value === "true");

export const threadForm = z.discriminatedUnion("intent", [
  z.strictObject({ intent: z.literal("rename"), title: z.string().max(500) }),
  z.strictObject({ intent: z.literal("pin"), pinned: flag }),
  z.strictObject({ intent: z.literal("delete") }),
  z.strictObject({ intent: z.literal("seen") }),
  z.strictObject({
    intent: z.literal("suggestion"),
    messageId: z.string().refine(isRunId, "This is not the id of an answer."),
    nth: z.string().regex(/^[0-7]$/),
    dismissed: flag,
  }),
]);

export type ThreadForm = z.output<typeof threadForm>;
