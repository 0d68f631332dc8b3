/** A file that says which process holds a folder. One left by a process that is gone counts for nothing. */
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Whether the process lives and, where that can be seen, is one of ours and no stranger with the same number. */
function isHeld(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("node");
  } catch {
    return false;
  }
}

function readHolder(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Takes the lock for this process. Returns how to give it back, or the id of the process that holds it. */
export function takeLock(path: string): { release: () => void } | { holder: number } {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // A link is made whole or not at all: nobody reads a lock that has no number yet.
        linkSync(mine, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 5) throw error;
      }
      const holder = readHolder(path);
      if (holder !== undefined && isHeld(holder)) return { holder };
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}
