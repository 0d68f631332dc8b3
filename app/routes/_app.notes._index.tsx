import type { LoaderFunctionArgs } from "@remix-run/node";
import { Link, useOutletContext } from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { type NotesContext, Remark } from "~/notes/panes";
import { buttonClass } from "~/ui/button";

export async function loader({ request }: LoaderFunctionArgs) {
  await requirePerson(request);
  return null;
}

export default function NotesIndexRoute() {
  const { none } = useOutletContext<NotesContext>();
  if (!none) return <Remark>Choose a note, or write a new one.</Remark>;
  return (
    <Remark
      action={
        <Link to="/notes/new" className={buttonClass("second")}>
          Write a first note
        </Link>
      }
    >
      Write down once what you keep having to explain: who lives in the house, how the boiler behaves, what the team
      decided. From then on every answer can know it, and shows you where it did.
    </Remark>
  );
}
