/**
 * The frame around every page of a signed-in person: the sidebar with the threads, and the page that scrolls. One
 * navigation serves as column and as drawer: where it stands is the style's matter, and as a drawer it is a native
 * popover, so it opens without a script. Hidden threads stay hidden; the document's first script sees to that.
 */
import { Link, useLocation } from "@remix-run/react";
import { type FormEvent, type HTMLAttributes, type ReactNode, useEffect, useRef } from "react";
import { remember, THREADS_KEY } from "~/ui/appearance";
import { CloseIcon, MenuIcon, NotebookIcon, PanelLeftIcon, PlusIcon, SettingsIcon } from "~/ui/icons";
import { useKeptFocus } from "~/ui/kept-focus";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { BarStart, Wordmark } from "~/ui/page";
import { Toaster } from "~/ui/toast";
import { activityStore } from "./activity-store";
import { ThreadList, useUnreadCount } from "./ThreadList";
import type { ThreadPage } from "./thread-groups";
import { ThreadListProvider, useThreadList } from "./thread-list";
import type { ActivityView } from "./view";

export interface ShellProps {
  person: { userId: string; email: string };
  threads: ThreadPage;
  activity: ActivityView;
  /** How many notes the person has. */
  notes: number;
  /** The server's clock, in milliseconds since the epoch. */
  now: number;
  children: ReactNode;
}

export function Shell({ activity, threads, ...rest }: ShellProps) {
  // What a loader says was asked for before it was answered; the moment is not known, so this tab's own marks stay.
  useEffect(() => activityStore.tell(activity, 0), [activity]);
  return (
    <ThreadListProvider page={threads}>
      <Frame {...rest} />
    </ThreadListProvider>
  );
}

function Frame({ person, notes, now, children }: Omit<ShellProps, "threads" | "activity">) {
  const unread = useUnreadCount();
  const main = useRef<HTMLElement>(null);
  useTitleCount(unread);
  useKeptFocus(main);
  return (
    <div className="shell">
      <Sidebar person={person} notes={notes} now={now} main={main} />
      <BarStart.Provider value={<ShowThreadsButton unread={unread} />}>
        <main id="page" ref={main} className="main" tabIndex={-1}>
          <ToTop main={main} />
          {children}
        </main>
      </BarStart.Provider>
      <Toaster />
    </div>
  );
}

/** Attributes that this version of React passes on but has no types for. */
const popover = { popover: "auto" } as HTMLAttributes<HTMLElement>;
const opens = { popovertarget: "threads" } as HTMLAttributes<HTMLButtonElement>;
const closes = { popovertarget: "threads", popovertargetaction: "hide" } as HTMLAttributes<HTMLButtonElement>;

/** From here on the sidebar has a column of its own (see styles.css). */
const wide = "(width >= 77.5rem)";

function Sidebar({
  person,
  notes,
  now,
  main,
}: Pick<ShellProps, "person" | "notes" | "now"> & { main: { current: HTMLElement | null } }) {
  const { pathname, key } = useLocation();
  const sidebar = useRef<HTMLElement>(null);
  const { flush } = useThreadList();

  // As a drawer it holds the focus, and going somewhere closes it.
  useEffect(() => {
    const element = sidebar.current;
    if (!element) return;
    const opened = (event: Event) => {
      if ((event as ToggleEvent).newState !== "open") return;
      if (main.current) main.current.inert = true;
      element.querySelector<HTMLElement>("[aria-current]")?.scrollIntoView({ block: "nearest" });
      element.querySelector<HTMLElement>(".in-drawer")?.focus();
    };
    // Before it closes, since the focus then goes back into the page.
    const closing = (event: Event) => {
      if ((event as ToggleEvent).newState === "closed" && main.current) main.current.inert = false;
    };
    const widened = () => element.matches(":popover-open") && element.hidePopover();
    const query = window.matchMedia(wide);
    element.addEventListener("toggle", opened);
    element.addEventListener("beforetoggle", closing);
    query.addEventListener("change", widened);
    return () => {
      element.removeEventListener("toggle", opened);
      element.removeEventListener("beforetoggle", closing);
      query.removeEventListener("change", widened);
    };
  }, [main]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every navigation closes the drawer, also one to the same page
  useEffect(() => {
    if (sidebar.current?.matches(":popover-open")) sidebar.current.hidePopover();
  }, [key]);

  function hide() {
    document.documentElement.dataset.threads = "hidden";
    remember(THREADS_KEY, "hidden");
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".show-threads")?.focus());
  }
  function signOut(event: FormEvent<HTMLFormElement>) {
    const form = event.currentTarget;
    const sent = flush();
    if (!sent) return;
    event.preventDefault();
    void sent.finally(() => form.submit());
  }

  return (
    <nav ref={sidebar} id="threads" aria-label="Threads" className="sidebar" {...popover}>
      <div className="sidebar-head">
        <Link to="/" className="rounded-s">
          <Wordmark />
        </Link>
        <button
          type="button"
          className="icon-button in-column"
          aria-label="Hide threads"
          title="Hide threads"
          onClick={hide}
        >
          <PanelLeftIcon />
        </button>
        <button type="button" className="icon-button in-drawer" aria-label="Close" title="Close" {...closes}>
          <CloseIcon />
        </button>
      </div>
      <div className="px-2">
        <div className="row">
          <Link to="/" className="row-link font-strong!" aria-current={pathname === "/" ? "page" : undefined}>
            <PlusIcon className="mr-2.5 text-ink-3" />
            New thread
          </Link>
        </div>
      </div>
      <div className="sidebar-list">
        <ThreadList now={now} />
      </div>
      <div className="px-2 pb-[max(0px,env(safe-area-inset-bottom))]">
        <div className="row">
          <Link to="/notes" className="row-link" aria-current={pathname.startsWith("/notes") ? "page" : undefined}>
            <NotebookIcon className="mr-2.5 text-ink-3" />
            <span className="grow">Notes</span>
            {notes > 0 && <span className="tabular text-ink-3 text-meta">{notes}</span>}
          </Link>
        </div>
        <div className="row">
          <Link to="/settings" className="row-link" aria-current={pathname === "/settings" ? "page" : undefined}>
            <SettingsIcon className="mr-2.5 text-ink-3" />
            Settings
          </Link>
        </div>
        <div className="flex h-11 items-center justify-between gap-3 px-3 pb-1 text-meta">
          <span className="truncate text-ink-3" title={person.email}>
            {person.email}
          </span>
          <form method="post" action="/sign-out" onSubmit={signOut} className="shrink-0">
            <button
              type="submit"
              className="-mr-1 whitespace-nowrap rounded-s px-1 py-1 text-ink-3 hover:text-ink pointer-coarse:py-3"
            >
              Sign out
            </button>
          </form>
        </div>
      </div>
    </nav>
  );
}

/** At the left of every bar while the threads are out of sight; the dot says that one of them has an unread answer. */
function ShowThreadsButton({ unread }: { unread: number }) {
  return (
    <button
      type="button"
      className="icon-button show-threads"
      title="Show threads"
      {...opens}
      onClick={(event) => {
        if (!window.matchMedia(wide).matches) return;
        event.preventDefault();
        delete document.documentElement.dataset.threads;
        remember(THREADS_KEY, null);
        document.querySelector<HTMLElement>("#threads .in-column")?.focus();
      }}
    >
      <PanelLeftIcon className="max-sm:hidden" />
      <MenuIcon className="sm:hidden" />
      <span className="sr-only">{unread > 0 ? "Show threads, unread answers" : "Show threads"}</span>
      {unread > 0 && (
        <span
          className="absolute top-0.5 right-0.5 size-[7px] rounded-full bg-accent pointer-coarse:top-2 pointer-coarse:right-2"
          aria-hidden
        />
      )}
    </button>
  );
}

/** A new page begins at its top. Comes before the page, so that a page may then go elsewhere by itself. */
function ToTop({ main }: { main: { current: HTMLElement | null } }) {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useBrowserLayoutEffect(() => {
    if (before.current !== pathname) main.current?.scrollTo(0, 0);
    before.current = pathname;
  }, [pathname, main]);
  return null;
}

/** Keeps "(2) " in front of the tab's title, whoever sets it. */
function useTitleCount(count: number) {
  useEffect(() => {
    const title = document.querySelector("title");
    if (!title) return;
    const put = () => {
      const plain = document.title.replace(/^\(\d+\) /, "");
      const wanted = count > 0 ? `(${count}) ${plain}` : plain;
      if (document.title !== wanted) document.title = wanted;
    };
    put();
    const observer = new MutationObserver(put);
    observer.observe(title, { childList: true, characterData: true, subtree: true });
    return () => observer.disconnect();
  }, [count]);
}
