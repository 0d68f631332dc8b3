/** "What the model saw": the page about one answer. Plain links and details, so it needs no script. */
import { Link } from "@remix-run/react";
import type { ReactNode } from "react";
import { ChevronRightIcon } from "~/ui/icons";
import { Bar } from "~/ui/page";
import { Since } from "./Sidenotes";
import type { SeenNote, SeenView } from "./seen.server";

export function Seen({ view }: { view: SeenView }) {
  const { threadId, threadTitle, answerId, model, settings, system, notes, notesLeftOut, shortened, continued } = view;
  const { messages, messagesLeftOut } = view;
  if (view.unasked)
    return (
      <div className="sheet ruled">
        <Bar title="What the model saw" />
        <div className="pt-5 pb-16">
          <Part title="Nothing">
            <p className="text-ui">The guardrail blocked the {view.unasked}, so nothing was sent to a model.</p>
            <p className="mt-2 text-ui">
              <Link to={`/threads/${threadId}?at=${answerId}#message-${answerId}`} className="link">
                {threadTitle}
              </Link>
            </p>
          </Part>
        </div>
      </div>
    );
  return (
    <div className="sheet ruled">
      <Bar title="What the model saw" remark={model} />
      <div className="pt-5 pb-16">
        <Part
          title="Answer"
          aside="What was sent to the model for this one answer. It changes no more, save that notes can be edited or deleted."
        >
          <p className="text-ui">
            <Link to={`/threads/${threadId}?at=${answerId}#message-${answerId}`} className="link">
              {threadTitle}
            </Link>
          </p>
          {shortened && (
            <p className="mt-1 text-ink-2 text-ui">
              The model found the first try too long. This is the shorter one that it was sent then.
            </p>
          )}
        </Part>

        <Part title="Settings" aside="What nobody set is not sent: the model then does as its vendor chose.">
          {settings ? (
            <>
              <Facts facts={settings.sent} none="None were sent." />
              {settings.dropped.map(({ name, value, reason }) => (
                <p key={name} className="mt-2 text-ink-2 text-ui">
                  {name}
                  {value && ` ${value}`} was not sent. {reason}
                </p>
              ))}
            </>
          ) : (
            <Unknown />
          )}
        </Part>

        <Part
          title="System prompt"
          aside={
            system.inMessage
              ? "This model takes no system prompt: all of this stood at the head of the first message."
              : undefined
          }
        >
          <System system={system} />
        </Part>

        <Part
          title={notes ? (notes.length === 1 ? "1 note" : `${notes.length} notes`) : "Notes"}
          aside={
            notes && notes.length > 0
              ? "By their number in the thread, which is what the model cites. The text is shown where the note still stands as it was sent."
              : undefined
          }
        >
          {notes ? (
            notes.length === 0 ? (
              <p className="text-ink-2 text-ui">None went in.</p>
            ) : (
              <ol className="-mt-1.5">
                {notes.map((note) => (
                  <Note key={note.number} note={note} />
                ))}
              </ol>
            )
          ) : (
            <Unknown />
          )}
          {notesLeftOut > 0 && (
            <p className="mt-2 text-ink-2 text-ui">
              {notesLeftOut === 1 ? "1 note was" : `${notesLeftOut.toLocaleString("en-US")} notes were`} left out:{" "}
              {view.ranked ? "these fit the question better, or are pinned." : "there was no room."}
            </p>
          )}
        </Part>

        <Part
          title={messages.length === 1 ? "1 message" : `${messages.length} messages`}
          aside="By their first words. The last one is the question."
        >
          {messagesLeftOut === undefined ? (
            <p className="mb-2 text-ink-2 text-ui">How many earlier ones went along was not stored.</p>
          ) : (
            messagesLeftOut > 0 && (
              <p className="mb-2 text-ink-2 text-ui">
                {messagesLeftOut === 1 ? "The oldest message was" : `The ${messagesLeftOut} oldest messages were`} left
                out.
              </p>
            )
          )}
          <ol className="-mt-1.5">
            {messages.map(({ id, role, start }) => (
              <li key={id} className="flex gap-3 border-line border-b py-1.5 text-ui">
                <span className="w-[4.5rem] shrink-0 text-ink-3 text-meta leading-5!">
                  {role === "user" ? "You" : "Assistant"}
                </span>
                <Link
                  to={`/threads/${threadId}?at=${id}#message-${id}`}
                  className="link min-w-0 [overflow-wrap:anywhere]"
                >
                  {start}
                </Link>
              </li>
            ))}
          </ol>
          {continued && (
            <p className="mt-2 text-ink-2 text-ui">
              Then the first {continued.length.toLocaleString("en-US")} characters of this answer, and: “
              {continued.words}”
            </p>
          )}
        </Part>
      </div>
    </div>
  );
}

function Part({ title, aside, children }: { title: string; aside?: string | undefined; children: ReactNode }) {
  return (
    <section className="frame pb-8">
      <div>
        <h2 className="mb-2 font-strong text-head text-ink">{title}</h2>
        {children}
      </div>
      {aside && <p className="margin pt-1 pl-5 text-ink-2 text-note">{aside}</p>}
    </section>
  );
}

const Unknown = () => (
  <p className="text-ink-2 text-ui">Not stored: the server ended in the middle of this answer, or it is an old one.</p>
);

function Facts({ facts, none }: { facts: [name: string, value: string][]; none: string }) {
  if (facts.length === 0) return <p className="text-ink-2 text-ui">{none}</p>;
  return (
    <dl className="grid grid-cols-[12rem_1fr] gap-y-1 text-ui max-sm:grid-cols-[9rem_1fr]">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-ink-3">{name}</dt>
          <dd className="text-ink tabular-nums [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const whose: Record<SeenView["system"]["whose"], string> = {
  thread: "This thread’s own:",
  operator: "The one that whoever runs this Sidenote has set:",
  nobody: "None was set.",
  unknown: "Whether the one of whoever runs this Sidenote was sent was not stored.",
};

function System({ system }: { system: SeenView["system"] }) {
  const { text, added } = system;
  const lost = system.whose === "operator" && text === undefined;
  return (
    <>
      <p className="text-ink-2 text-ui">
        {lost
          ? "The one that whoever runs this Sidenote had set. It has changed since and is not kept."
          : whose[system.whose]}
      </p>
      {text !== undefined && <Words>{text}</Words>}
      {system.masked && (
        <p className="mt-1.5 text-ink-3 text-meta">Personal data was masked by the guardrail before it was sent.</p>
      )}
      {added.length > 0 && (
        <details className="group mt-2">
          <summary className="flex list-none items-start gap-1.5 text-ink-2 text-ui hover:text-ink [&::-webkit-details-marker]:hidden pointer-coarse:py-3">
            <Chevron />
            What Sidenote adds about notes, as it reads today
          </summary>
          <Words>{added.join("\n")}</Words>
        </details>
      )}
    </>
  );
}

const Chevron = () => (
  <ChevronRightIcon size={14} className="mt-[3px] shrink-0 text-ink-3 transition-transform group-open:rotate-90" />
);

function Words({ children }: { children: string }) {
  return (
    <p className="hang mt-2 whitespace-pre-wrap rounded-l bg-slip px-[var(--hang)] py-2.5 text-ink-2 text-note [overflow-wrap:anywhere]">
      {children}
    </p>
  );
}

function Note({ note }: { note: SeenNote }) {
  const { number, noteId, title, revision, cited, since, text } = note;
  const head = (
    <>
      <span className="w-8 shrink-0 text-ink-3 tabular-nums">[{number}]</span>
      <span
        className={`min-w-0 [overflow-wrap:anywhere] ${since === "deleted" ? "text-ink-3 line-through" : "font-label"}`}
      >
        {title}
      </span>
      <span className="ml-auto shrink-0 text-ink-3 text-meta leading-5!">
        {since ? <Since note={note} /> : `Revision ${revision}`}
        {cited && ", cited"}
      </span>
    </>
  );
  if (text === undefined)
    return (
      <li className="border-line border-b py-1.5 text-ui">
        <div className="flex gap-2">
          {head}
          <span className="w-3.5 shrink-0" aria-hidden />
        </div>
        {since !== "deleted" && (
          <Link to={`/notes/${noteId}`} className="link finger ml-10 inline-block text-meta">
            {since === "edited" ? "Open the note as it is now" : "Open note"}
          </Link>
        )}
      </li>
    );
  return (
    <li className="border-line border-b text-ui">
      <details className="group">
        <summary className="flex list-none gap-2 py-1.5 hover:text-ink [&::-webkit-details-marker]:hidden pointer-coarse:py-3">
          {head}
          <Chevron />
        </summary>
        <Words>{text || "This note has only its title."}</Words>
        <Link to={`/notes/${noteId}`} className="link finger mt-1 mb-3 inline-block text-meta">
          Open note
        </Link>
      </details>
    </li>
  );
}
