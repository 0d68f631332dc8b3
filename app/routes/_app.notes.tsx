import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import {
  Outlet,
  type ShouldRevalidateFunctionArgs,
  useFetcher,
  useLoaderData,
  useParams,
  useSubmit,
} from "@remix-run/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { useAnswer, wasRefused } from "~/notes/answers";
import { mergeCards } from "~/notes/listing";
import { NoteList } from "~/notes/NoteList";
import type { NoteCard } from "~/notes/note";
import { listNotes, searchNotes } from "~/notes/notes.server";
import type { NotesContext } from "~/notes/panes";
import { ErrorPage } from "~/ui/error-page";
import { showToast } from "~/ui/toast";

export const meta: MetaFunction = () => [{ title: "Notes · Sidenote" }];

export function loader({ request }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const { searchParams } = new URL(request.url);
    const query = searchParams.get("find")?.trim() ?? "";
    if (query !== "") return { userId, items: [], found: { query, ...(await searchNotes(userId, query)) } };
    const cursor = searchParams.get("cursor") ?? undefined;
    return { userId, ...(await listNotes(userId, { cursor })), middle: cursor !== undefined };
  });
}

/** Going from note to note leaves the list as it is. */
export function shouldRevalidate(change: ShouldRevalidateFunctionArgs) {
  const { currentUrl, nextUrl, formMethod } = change;
  if (wasRefused(change)) return false;
  if (formMethod !== undefined && formMethod.toUpperCase() !== "GET") return true;
  return currentUrl.search !== nextUrl.search || currentUrl.pathname === nextUrl.pathname;
}

type Loaded = { items: NoteCard[]; cursor?: string };

export default function NotesRoute() {
  const loaded = useLoaderData<typeof loader>();
  const { userId } = loaded;
  const found = "found" in loaded ? loaded.found : undefined;
  const cursor = "cursor" in loaded ? loaded.cursor : undefined;
  const middle = "middle" in loaded && loaded.middle;
  const { noteId } = useParams();

  const [known, setKnown] = useState<NoteCard[]>([]);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  // Where the list goes on behind the pages that joined it: undefined while none did, null at the end.
  const [behind, setBehind] = useState<string | null>();
  const further = useFetcher<Loaded>();

  useEffect(() => {
    setKnown((known) => [
      ...loaded.items,
      ...known.filter((card) => !loaded.items.some(({ noteId }) => noteId === card.noteId)),
    ]);
  }, [loaded.items]);
  useAnswer(further.data, (page) => {
    setKnown((known) => [
      ...known.filter((card) => !page.items.some(({ noteId }) => noteId === card.noteId)),
      ...page.items,
    ]);
    setBehind(page.cursor ?? null);
  });
  useEffect(() => {
    // A note that is opened is there again, if it was deleted in this tab before.
    if (noteId) setGone((gone) => new Set([...gone].filter((id) => id !== noteId)));
  }, [noteId]);

  const next = behind === undefined ? cursor : (behind ?? undefined);
  const cards = useMemo(
    () => mergeCards({ items: loaded.items, more: cursor !== undefined }, middle ? [] : known, gone),
    [loaded.items, cursor, middle, known, gone],
  );
  const onChanged = useCallback<NotesContext["onChanged"]>((change) => {
    setKnown((known) => known.map((card) => (card.noteId === change.noteId ? { ...card, ...change } : card)));
  }, []);
  const submit = useSubmit();
  const onDeleted = useCallback<NotesContext["onDeleted"]>(
    (noteId) => {
      setGone((gone) => new Set([...gone, noteId]));
      const undo = { intent: "restore", open: "1" };
      showToast({
        text: "Note deleted",
        action: { label: "Undo", onAction: () => submit(undo, { method: "post", action: `/notes/${noteId}` }) },
        seconds: 10,
      });
    },
    [submit],
  );

  const none = !found && !middle && cards.length === 0;
  const context: NotesContext = { userId, none, onChanged, onDeleted };
  const address = next ? `/notes?${new URLSearchParams({ cursor: next })}` : undefined;
  return (
    <div className="flex h-full min-h-0 max-md:flex-col">
      <NoteList
        cards={cards}
        found={found}
        middle={middle}
        next={address}
        onMore={() => {
          if (address && further.state === "idle") further.load(address);
        }}
        className={`w-full md:w-[18.75rem] md:shrink-0 md:border-r md:border-line ${noteId ? "max-md:hidden" : none ? "" : "max-md:flex-1"}`}
      />
      <div
        className={`relative min-h-0 min-w-0 flex-1 overflow-y-auto overscroll-contain ${noteId || none ? "" : "max-md:hidden"}`}
      >
        <Outlet context={context} />
      </div>
    </div>
  );
}

export function ErrorBoundary() {
  return <ErrorPage />;
}
