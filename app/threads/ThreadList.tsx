/**
 * The list of threads in the sidebar, and the menu of a thread, which its page uses too. One line a thread; the slot
 * at its right end says by shape, colour and words whether it answers, is unread, has failed or is pinned.
 */
import { Link } from "@remix-run/react";
import { type FormEvent, memo, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { Button } from "~/ui/button";
import { Field } from "~/ui/field";
import { DangerIcon, DeleteIcon, MoreIcon, PencilIcon, PinIcon, UnpinIcon } from "~/ui/icons";
import { Menu } from "~/ui/menu";
import { onDemand } from "~/ui/on-demand";
import { useActivity } from "./activity-store";
import { groupThreads, localDay, utcDay } from "./thread-groups";
import { isListInSight, useThreadList } from "./thread-list";
import type { ActivityView, ThreadCard } from "./view";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const dialog = onDemand("The dialog", () => import("~/ui/dialog"));

/** What the slot of a row says; the first that is true counts. */
type RowState = "answering" | "failed" | "unread" | "pinned" | "quiet";

const said: Record<RowState, string> = {
  answering: "answering",
  failed: "unread, the answer did not complete",
  unread: "unread answer",
  pinned: "pinned",
  quiet: "",
};

function stateOf(thread: ThreadCard, activity: ActivityView, isCurrent: boolean): RowState {
  const unread = isCurrent ? undefined : activity.unread[thread.threadId];
  if (activity.live[thread.threadId]) return "answering";
  if (unread) return unread.ending === "complete" || unread.ending === "stopped" ? "unread" : "failed";
  return thread.pinned ? "pinned" : "quiet";
}

/** How many threads other than the one on screen have an answer that nobody has seen. */
export function useUnreadCount(): number {
  const { currentId, leaving } = useThreadList();
  const { unread } = useActivity();
  return Object.keys(unread).filter((threadId) => threadId !== currentId && !leaving.has(threadId)).length;
}

const never = () => () => {};

/** @param props.now the server's clock when it made the page, in milliseconds since the epoch */
export function ThreadList({ now }: { now: number }) {
  const { threads, currentId, leaving, hasMore, stuck, staleSince, news, loadMore } = useThreadList();
  const activity = useActivity();
  // The server knows no time zone: the first picture in the browser repeats the server's, the next one is local.
  const isHere = useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
  const groups = groupThreads(threads, isHere ? Date.now() : now, isHere ? localDay : utcDay);
  return (
    <>
      {threads.length === 0 && (
        <p className="px-3 pt-5 text-ink-3 text-meta">
          Your threads will stand here. Several can answer at the same time.
        </p>
      )}
      {groups.map((group) => (
        <section key={group.name} aria-label={group.name}>
          <h2 className="px-3 pt-5 pb-1 text-ink-3 text-meta">{group.name}</h2>
          <ul>
            {group.threads.map((thread) => (
              <ThreadRow
                key={thread.threadId}
                threadId={thread.threadId}
                title={thread.title}
                pinned={thread.pinned}
                state={stateOf(thread, activity, thread.threadId === currentId)}
                isCurrent={thread.threadId === currentId}
                isLeaving={leaving.has(thread.threadId)}
              />
            ))}
          </ul>
        </section>
      ))}
      {hasMore && !stuck && <More key={threads.length} onReach={loadMore} />}
      {stuck && (
        <p className="px-3 py-3 text-ink-3 text-meta">
          More threads could not be loaded.{" "}
          <button type="button" className="link" onClick={loadMore}>
            Try again
          </button>
        </p>
      )}
      {staleSince !== undefined && (
        <p className="px-3 py-3 text-ink-3 text-meta">Threads as of {clock.format(staleSince)}</p>
      )}
      <p role="status" className="sr-only">
        {news}
      </p>
    </>
  );
}

/** The end of the list: coming near it loads the next page. */
function More({ onReach }: { onReach(): void }) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!end.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onReach(), { rootMargin: "400px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [onReach]);
  return <div ref={end} className="h-8" />;
}

interface RowProps {
  threadId: string;
  title: string;
  pinned: boolean;
  state: RowState;
  isCurrent: boolean;
  isLeaving: boolean;
}

const ThreadRow = memo(function ThreadRow({ threadId, title, pinned, state, isCurrent, isLeaving }: RowProps) {
  const [isRenaming, setRenaming] = useState(false);
  const [menuOpen, setMenuOpen] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const { rename, undo } = useThreadList();

  if (isLeaving) return <LeavingRow title={title} onUndo={() => undo(threadId)} />;
  if (isRenaming)
    return (
      <RenameRow
        title={title}
        onEnd={(next, byKey) => {
          setRenaming(false);
          if (next !== undefined) rename(threadId, next);
          if (byKey) requestAnimationFrame(() => link.current?.focus());
        }}
      />
    );
  return (
    <li
      className="row group"
      data-open={menuOpen || undefined}
      onContextMenu={(event) => {
        // A long press; with a mouse the browser's own menu is what people expect of a link.
        if ((event.nativeEvent as PointerEvent).pointerType !== "touch") return;
        event.preventDefault();
        setMenuOpen(true);
      }}
    >
      <Link
        ref={link}
        to={`/threads/${threadId}`}
        prefetch="none"
        className={`row-link ${state === "unread" || state === "failed" ? "font-bold" : ""}`}
        aria-current={isCurrent ? "page" : undefined}
      >
        <span className="truncate">{title}</span>
        {said[state] && <span className="sr-only">, {said[state]}</span>}
      </Link>
      <span className="row-slot" aria-hidden>
        {state === "answering" && <span className="caret h-3.5!" />}
        {state === "failed" && <DangerIcon className="text-danger" />}
        {state === "unread" && <span className="size-[7px] rounded-full bg-accent" />}
        {state === "pinned" && <PinIcon />}
      </span>
      <span className="row-menu">
        <ThreadMenu
          thread={{ threadId, title, pinned }}
          name={`Menu of ${title}`}
          onRename={() => setRenaming(true)}
          open={menuOpen}
          onOpenChange={setMenuOpen}
        />
      </span>
    </li>
  );
});

function LeavingRow({ title, onUndo }: { title: string; onUndo(): void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), []);
  return (
    <li className="row">
      <span className="row-link text-ink-3">
        <span className="truncate">{title}</span>
      </span>
      <button
        ref={button}
        type="button"
        className="absolute inset-y-0 right-1 rounded-m px-2 text-accent text-meta hover:bg-slip"
        onClick={onUndo}
      >
        Undo<span className="sr-only"> deleting {title}</span>
      </button>
    </li>
  );
}

/** @param props.onEnd gets the new title, or undefined if it was given up, and whether a key ended it */
function RenameRow({ title, onEnd }: { title: string; onEnd(title: string | undefined, byKey: boolean): void }) {
  const input = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  function end(next: string | undefined, byKey: boolean) {
    if (ended.current) return;
    ended.current = true;
    onEnd(next, byKey);
  }
  return (
    <li className="row">
      <input
        ref={input}
        defaultValue={title}
        maxLength={80}
        aria-label="Title"
        className="mx-0.5 h-8 w-[calc(100%-4px)] rounded-m border-2 border-accent bg-raised px-2 text-ink outline-none max-sm:text-[1rem] pointer-coarse:h-10"
        onBlur={(event) => end(event.currentTarget.value, false)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") end(event.currentTarget.value, true);
          if (event.key === "Escape") {
            event.stopPropagation();
            end(undefined, true);
          }
        }}
      />
    </li>
  );
}

export interface ThreadMenuProps {
  thread: Pick<ThreadCard, "threadId" | "title" | "pinned">;
  name?: string;
  /** Renames in place; without it a dialog asks for the title. */
  onRename?(): void;
  open?: boolean;
  onOpenChange?(open: boolean): void;
}

/** Rename, pin and delete, behind three dots. */
export function ThreadMenu({ thread, name = "More", onRename, open, onOpenChange }: ThreadMenuProps) {
  const { pin, remove } = useThreadList();
  const [isAsking, setAsking] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  return (
    <span ref={place} className="inline-flex">
      <Menu
        name={name}
        className="inline-flex size-7 items-center justify-center rounded-m text-ink-3 transition-colors hover:bg-slip hover:text-ink pointer-coarse:size-11"
        {...(open === undefined ? {} : { open })}
        {...(onOpenChange ? { onOpenChange } : {})}
        groups={[
          {
            items: [
              {
                label: "Rename",
                icon: <PencilIcon />,
                onSelect: onRename ?? (() => dialog.use(() => setAsking(true))),
                movesFocus: () => true,
              },
              thread.pinned
                ? { label: "Unpin", icon: <UnpinIcon />, onSelect: () => pin(thread.threadId, false) }
                : { label: "Pin", icon: <PinIcon />, onSelect: () => pin(thread.threadId, true) },
              {
                label: "Delete",
                icon: <DeleteIcon />,
                onSelect: () => remove(thread.threadId),
                destructive: true,
                // To Undo in the row, if that is in sight.
                movesFocus: isListInSight,
              },
            ],
          },
        ]}
      >
        <MoreIcon />
      </Menu>
      {isAsking && (
        <RenameDialog
          thread={thread}
          onClose={() => setAsking(false)}
          returnTo={() => place.current?.querySelector("button")}
        />
      )}
    </span>
  );
}

interface RenameDialogProps {
  thread: ThreadMenuProps["thread"];
  onClose(): void;
  returnTo(): HTMLElement | null | undefined;
}

function RenameDialog({ thread, onClose, returnTo }: RenameDialogProps) {
  const { rename } = useThreadList();
  const form = useId();
  const Dialog = dialog.get()?.default;
  function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    rename(thread.threadId, String(new FormData(event.currentTarget).get("title") ?? ""));
    onClose();
  }
  if (!Dialog) return null;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      returnTo={returnTo}
      title="Rename thread"
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button kind="main" type="submit" form={form}>
            Rename
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={save}>
        <Field label="Title" name="title" defaultValue={thread.title} maxLength={80} required autoComplete="off" />
      </form>
    </Dialog>
  );
}
