/**
 * What this browser keeps between visits: drafts and the like, which belong to a person, and how the pages look,
 * which belongs to the browser. A sign-out that the person asked for clears the former; a session that merely ended
 * does not, since what was being written must be there after signing in again.
 */

/** Keys that say how pages look here, whoever is signed in. */
const ofTheBrowser = new Set(["appearance", "threads"]);

/** Forgets all that a person left in this browser's storage. */
export function clearKept(): void {
  for (const storage of ["localStorage", "sessionStorage"] as const) {
    try {
      for (const key of Object.keys(window[storage])) if (!ofTheBrowser.has(key)) window[storage].removeItem(key);
    } catch {
      // A browser that forbids storage has kept nothing.
    }
  }
}
