/**
 * Rules of the protocol, each taken out of the module's source text: the model check must catch every one of them,
 * or it proves nothing about it.
 */
import type { Mutation } from "./protocol.ts";

export const mutations: Mutation[] = [
  {
    rule: "the beat condition",
    changes: [{ from: '  { attr: "beat", eq: beat },\n', to: "" }],
  },
  {
    rule: "the stop clause",
    changes: [
      {
        from: 'const unlessStopped: Condition[] = [{ attr: "stop", exists: false }];',
        to: "const unlessStopped: Condition[] = [];",
      },
    ],
  },
  {
    rule: "chunk before beat",
    changes: [{ from: 'if (!(await putChunks(until))) return "lost";', to: "void putChunks(until);" }],
  },
  {
    rule: "the order of a reap",
    changes: [
      {
        from: 'const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });',
        to: `await storeAnswer(address, { ...run, ...set });
    const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });`,
      },
    ],
  },
  {
    rule: "storing before a claim",
    changes: [{ from: '&& run.ending !== "void" && !(await find(head))) {', to: "&& false) {" }],
  },
  {
    rule: "void",
    changes: [{ from: 'if (question?.hash !== run.hash) change = { ending: "void" };', to: "" }],
  },
  {
    rule: "the mark on RUN at a delete",
    changes: [{ from: "await markRunDeleted(address);\n    return true;", to: "return true;" }],
  },
  {
    rule: "the run id in a stop",
    changes: [{ from: '{ and: [{ attr: "runId", eq: runId }, isLive] }', to: "isLive" }],
  },
  {
    rule: "hold-back",
    changes: [
      { from: "return oldest && now - oldest.at >= time.ahead ? saved : text.length;", to: "return text.length;" },
    ],
  },
  {
    rule: "text only after acceptance",
    changes: [{ from: 'if (acceptance === "accepted") freeze();', to: "freeze();" }],
  },
  {
    rule: "replace",
    changes: [
      { from: 'if (from !== claimId || run.ending === "blocked" || offset > text.length) {', to: "if (false) {" },
    ],
  },
  {
    rule: "the chain check",
    changes: [{ from: "if (!isEmpty && !chain.whole && !how.isLast) return undefined;", to: "" }],
  },
  {
    rule: "the lease before a reap",
    changes: [
      {
        from: 'if (run?.state !== "live" || !isExpired(run)) return run;',
        to: 'if (run?.state !== "live") return run;',
      },
    ],
  },
  {
    rule: "the order of ids",
    changes: [{ from: "if (head !== null && ownId <= head) {", to: "if (false) {" }],
  },
];
