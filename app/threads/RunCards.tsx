/**
 * How an answer that did not end well says so: what happened, what of it is kept, and one main action. Errors of a
 * model are never shown as if the assistant had said them.
 */
import { type ReactNode, useEffect } from "react";
import { type ErrorCode, errors } from "~/errors";
import { Button, buttonClass } from "~/ui/button";
import { BlockedIcon, DangerIcon, UnpluggedIcon } from "~/ui/icons";
import { ModelButton } from "./ModelButton";
import { noteDenied, type Offer } from "./models-store";
import type { switchTo } from "./switching";
import type { Blocked, Ending } from "./view";

export interface EndActions {
  /** Answers the question once more. */
  retry(): void;
  /** Goes on from the text so far. */
  goOn(): void;
  /** Answers once more with another model, which the thread keeps. */
  retryWith(ref: string, how: typeof switchTo): void;
  editQuestion(): void;
}

/** What the card says below the title. `name` is the model's; a live answer's is not known yet. */
const particulars: Partial<Record<ErrorCode, (name: string | undefined) => string>> = {
  "model-busy": (name = "The model") => `${name} takes no more requests for now. Your message is kept.`,
  "model-denied": (name = "it") => `Whoever runs this Sidenote can enable ${name}. Your message is kept.`,
  "model-missing": () => "Choose another one. Your message is kept.",
  "model-refused": (name = "The model") => `${name} did not accept what was sent. Your message is kept.`,
  "guardrail-unavailable": () => "Nothing passes unchecked. Your message is kept.",
  "model-empty": () => "Your message is kept. Trying again often helps.",
  "model-unreachable": () => "Your message is kept.",
  "model-error": () => "Your message is kept.",
  "context-too-long": (name = "The model") =>
    `${name} cannot read this much at once. Shorten the message, or use a model with a larger window.`,
};

/** The title of a card: the first sentence of the error's message. Where no text came, nothing was cut off. */
function titleOf(code: ErrorCode): string {
  const [first = ""] = errors[code].message.replace(/^Cut off: /, "").split(/\. |\.$/);
  return first.charAt(0).toUpperCase() + first.slice(1);
}

/** Another model than this one, for one more answer. */
function OtherModel({
  kind,
  offer,
  than,
  onChoose,
}: {
  kind: "main" | "second";
  offer: Offer;
  than: string | undefined;
  onChoose: EndActions["retryWith"];
}) {
  const models = offer.models.filter(({ ref }) => ref !== than);
  if (models.length === 0) return null;
  return (
    <ModelButton offer={{ ...offer, models }} current={undefined} className={buttonClass(kind)} onChoose={onChoose}>
      Use another model
    </ModelButton>
  );
}

function Card({
  kind,
  title,
  children,
  actions,
}: {
  kind: "danger" | "caution";
  title: string;
  children: ReactNode;
  actions: ReactNode;
}) {
  const Icon = kind === "danger" ? DangerIcon : BlockedIcon;
  return (
    <div className={`card relative ${kind}`} data-ending>
      <p className="flex items-center gap-2 font-strong text-ink text-ui">
        <Icon className={`shrink-0 ${kind === "danger" ? "text-danger" : "text-caution"}`} />
        {title}
      </p>
      <p className="mt-1 text-ink-2 text-ui">{children}</p>
      <div className="mt-3 flex flex-wrap gap-2">{actions}</div>
    </div>
  );
}

/** The dashed line under the last word, and what it means. */
function CutLine({ grey = false, children, actions }: { grey?: boolean; children: ReactNode; actions: ReactNode }) {
  return (
    <div className={`mt-3 border-t border-dashed pt-2 ${grey ? "border-line" : "border-ink-3"}`} data-ending>
      <div className="flex min-h-9 flex-wrap items-center gap-2 text-ink-2 text-ui">
        <span className="flex grow basis-48 items-center gap-2 py-1">{children}</span>
        <span className="ml-auto flex gap-2">{actions}</span>
      </div>
    </div>
  );
}

/** What a block means. The operator's own words stand before it; they speak of questions and answers alone. */
const blockedWords: Record<Blocked["where"], string> = {
  input: "This message was not sent to a model. It stays here for you and is left out of later messages.",
  "system-prompt":
    "Your message was not sent to a model. Change the system prompt in the thread settings, then try again.",
  output: "Your message stays here for you. It and the answer are left out of later messages.",
};

/** What happened, and below it what that cost. */
function Kept({ billed, children }: { billed: string | undefined; children: ReactNode }) {
  return (
    <span>
      {children}
      {billed && <span className="block text-ink-3 text-meta">{billed}</span>}
    </span>
  );
}

/** What stands below an answer because of how it ended; nothing below one that is whole. */
export function EndCard({
  answerId,
  createdAt,
  ending,
  error,
  finishReason,
  blocked,
  text,
  model,
  billed,
  offer,
  off,
  actions,
}: {
  answerId: string;
  /** When the answer was begun; a live one's is not known yet. */
  createdAt: number | undefined;
  ending: Ending;
  error: ErrorCode | undefined;
  finishReason: string | undefined;
  blocked: Blocked | undefined;
  text: string;
  model: { ref: string; name: string } | undefined;
  /** What it cost, as a sentence; undefined as long as that is not known to the page. */
  billed: string | undefined;
  offer: Offer;
  /** While another answer runs nothing can be asked for. */
  off: boolean;
  actions: EndActions;
}) {
  const hasText = text.trim() !== "";
  const denied = error === "model-denied" ? model?.ref : undefined;
  useEffect(() => {
    if (denied !== undefined && createdAt !== undefined) noteDenied(answerId, denied, createdAt);
  }, [answerId, denied, createdAt]);
  const retry = (kind: "main" | "second" | "quiet") => (
    <Button kind={kind} disabled={off} onClick={actions.retry}>
      Retry
    </Button>
  );
  const goOn = (
    <Button disabled={off} onClick={actions.goOn}>
      Continue
    </Button>
  );
  switch (ending) {
    case "complete":
      if (finishReason !== "length") return null;
      return (
        <CutLine grey actions={goOn}>
          This answer reached its greatest length.
        </CutLine>
      );
    case "stopped":
      return (
        <CutLine grey actions={hasText ? goOn : retry("second")}>
          <Kept billed={billed}>You stopped this answer.</Kept>
        </CutLine>
      );
    case "interrupted":
      return (
        <CutLine
          actions={
            <>
              {retry(hasText ? "quiet" : "second")}
              {hasText && goOn}
            </>
          }
        >
          <UnpluggedIcon className="shrink-0 text-caution" />
          <Kept billed={text.trim() !== "" && billed ? `The text so far is kept. ${billed}` : billed}>
            {error === "guardrail-unavailable"
              ? "Cut off: the guardrail cannot be reached."
              : errors[error ?? "server-ended"].message}
          </Kept>
        </CutLine>
      );
    case "blocked": {
      const isPrompt = blocked?.where === "system-prompt";
      return (
        <Card
          kind="caution"
          title={isPrompt ? "System prompt blocked by the guardrail" : "Blocked by the guardrail"}
          actions={
            <>
              {isPrompt && retry("main")}
              <Button disabled={off} onClick={actions.editQuestion}>
                Edit message
              </Button>
            </>
          }
        >
          {!isPrompt && text.trim()} {blocked && blockedWords[blocked.where]} {billed}
          {blocked && blocked.policies.length > 0 && (
            <span className="mt-2 block text-ink-3 text-meta">
              {blocked.policies.map((policy) => (
                <span key={policy} className="block">
                  {policy}
                </span>
              ))}
            </span>
          )}
        </Card>
      );
    }
    case "failed": {
      const code = error ?? "model-error";
      // The same one would say the same again.
      const needsAnother = code === "model-denied" || code === "model-missing";
      return (
        <Card
          kind="danger"
          title={titleOf(code)}
          actions={
            <>
              {retry(needsAnother ? "second" : "main")}
              {!off && (
                <OtherModel
                  kind={needsAnother ? "main" : "second"}
                  offer={offer}
                  than={model?.ref}
                  onChoose={actions.retryWith}
                />
              )}
            </>
          }
        >
          {particulars[code]?.(model?.name) ?? "Your message is kept."} {billed}
        </Card>
      );
    }
  }
}
