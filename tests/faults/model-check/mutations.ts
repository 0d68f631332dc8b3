/**
 * Rules of the protocol, each taken out of the modules' source text: the model check must catch every one of them,
 * or it proves nothing about it.
 */
import type { Mutation } from "./protocol.ts";

export const mutations: Mutation[] = [
  { rule: "the beat condition", from: '  { attr: "beat", eq: beat },\n', to: "" },
  { rule: "the stop clause", from: '[{ attr: "stop", exists: false }]', to: "[]" },
  {
    rule: "chunk before beat",
    from: 'if (!(await putChunks(until))) return "lost";',
    to: "void putChunks(until);",
  },
  {
    rule: "the order of a reap",
    from: 'const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });',
    to: `await storeAnswer(address, { ...run, ...set });
    const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });`,
  },
  { rule: "storing before a claim", from: "!(await find(head))", to: "false" },
  { rule: "void", from: "if (question?.hash !== run.hash) change", to: "if (false) change" },
  {
    rule: "the mark on RUN at a delete",
    from: "await markRunDeleted(address);\n    return true;",
    to: "return true;",
  },
  { rule: "the run id in a stop", from: '{ and: [{ attr: "runId", eq: runId }, isLive] }', to: "isLive" },
  {
    rule: "hold-back",
    from: "return isHeld ? { text: saved, thought: savedThought } : {",
    to: "return {",
  },
  { rule: "hold-back of reasoning", from: "[shownAhead[0], thoughtAhead[0]]", to: "[shownAhead[0]]" },
  { rule: "a claim that forgets the reasoning before it", from: '["thought", "thoughtMs"]', to: "[]" },
  {
    rule: "reasoning that begins again after a replace",
    from: "        offset = 0;\n        thought = 0;\n",
    to: "        offset = 0;\n",
  },
  { rule: "replace", from: 'from !== claimId || run.ending === "blocked" || offset > text.length', to: "false" },
  { rule: "the chain check", from: "if (!isEmpty && !chain.whole && !how.isLast) return undefined;", to: "" },
  {
    rule: "a thread that waits for its first question",
    from: "const key = { ...address, messageId: question.id };\n",
    to: "const key = { ...address, messageId: question.id };\n        await enter(question);\n",
  },
  { rule: "the order of ids", from: "head !== null && ownId <= head", to: "false" },
  {
    rule: "asking before a question is put",
    from: "const entered = check ? askFirst() : accept(mine.question);",
    to: "const entered = accept(mine.question);",
  },
  {
    rule: "asking before a repeat puts a question",
    from: "const item = checked?.verdicts ? checkedQuestion(raw, checked.verdicts) : raw;",
    to: "const item = raw;",
  },
  {
    rule: "no model for a blocked question",
    from: 'result === "accepted" && !blocked && !isStopped',
    to: 'result === "accepted"',
  },
  {
    rule: "what a repeat found out",
    from: "if (earlier.blocked && !blocked) block(earlier.blocked);",
    to: "",
  },
  {
    rule: "the reaper of a blocked question",
    from: "else if (question?.blocked) change = blockedBy(question.blocked);",
    to: "",
  },
  { rule: "the count of what a repeat asked", from: "claimOptions.asked?.(checked?.units ?? 0);", to: "" },
  {
    rule: "asking about a system prompt",
    from: "systemPrompt === undefined ? undefined : one(systemPrompt)",
    to: "undefined",
  },
  { rule: "the masked system prompt of an answer", from: "mine.given = checkedGiven(mine.given, verdicts);", to: "" },
  { rule: "the guardrail in an ending", from: "...reasoning, ...guardrailOf() };", to: "...reasoning };" },
  { rule: "the masked question", from: "asked = verdicts.question.text;", to: 'asked = question?.text ?? "";' },
  {
    rule: "a void end of an unchecked claim",
    from: 'if (!verdicts) return "unchecked";',
    to: "if (!verdicts) return await accept(question);",
  },
];
