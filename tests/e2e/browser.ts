/**
 * The Chromium for the tests: the one that CHROMIUM_PATH names, Playwright's own if it is installed, the system's,
 * or the one that an npm package ships (Linux x64), so that a fresh clone needs nothing but npm.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium } from "@playwright/test";

export interface Browser {
  executablePath: string;
  /** What the browser needs in its environment, beside what is there. */
  env: Record<string, string>;
}

/** Off: everything that a browser asks of its maker by itself. */
export const browserFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export async function findBrowser(): Promise<Browser> {
  const named = process.env.CHROMIUM_PATH;
  if (named) return { executablePath: named, env: {} };
  const installed = [
    chromium.executablePath(),
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
    "/usr/bin/chromium-browser",
  ];
  const found = installed.find((path) => path && existsSync(path));
  if (found) return { executablePath: found, env: {} };
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(
      "No Chromium was found. Install one (npx playwright install chromium) or name it in CHROMIUM_PATH.",
    );
  const cache = join(resolve(dirname(fileURLToPath(import.meta.url)), "../.."), ".cache/chromium");
  mkdirSync(cache, { recursive: true });
  // The package unpacks the shared libraries that the browser needs only where it believes to run on Lambda.
  process.env.TMPDIR = cache;
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs24.x";
  const { default: shipped } = await import("@sparticuz/chromium");
  const executablePath = await shipped.executablePath();
  delete process.env.AWS_EXECUTION_ENV;
  return {
    executablePath,
    env: { LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH ?? "", FONTCONFIG_PATH: writeFontList(cache) },
  };
}

/** Names the font that the package ships, and the system's: its own list looks in folders of Lambda. Without any, text has no size. */
function writeFontList(cache: string): string {
  const folder = join(cache, "fontconfig");
  mkdirSync(folder, { recursive: true });
  const folders = [join(cache, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"];
  writeFileSync(
    join(folder, "fonts.conf"),
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
${folders.map((path) => `  <dir>${path}</dir>`).join("\n")}
  <cachedir>${join(folder, "cache")}</cachedir>
</fontconfig>
`,
  );
  return folder;
}

/** Signs a browser in: `cookie` is the Cookie header of a session. */
export async function addSession(context: BrowserContext, { cookie }: { cookie: string }, url: string): Promise<void> {
  const [name = "", value = ""] = cookie.split("=");
  // A browser takes a __Host- cookie only from a secure address; it then sends it to this one too, which is loopback.
  const secureUrl = url.replace("http:", "https:");
  await context.addCookies([{ name, value, url: secureUrl, secure: true, httpOnly: true, sameSite: "Lax" }]);
}
