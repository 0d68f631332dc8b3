/**
 * The benchmark: `npm run bench` for all of it, `npm run bench -- recall` for one part. It prints tables; what must
 * hold of them is asserted by tests. Vite loads the app's modules, since only it knows their paths.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Each part is a module with `print()`. */
const parts: Record<string, string> = {
  recall: "/tests/bench/recall/print.ts",
  notes: "/tests/bench/note-reads.ts",
};

const chosen = process.argv.slice(2);
for (const name of chosen)
  if (!parts[name]) throw new Error(`No such part: ${name}. There are ${Object.keys(parts).join(", ")}.`);

const vite = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  appType: "custom",
  cacheDir: ".cache/bench",
  resolve: { alias: { "~": resolve(root, "app") } },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
});
try {
  for (const [name, path] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    console.log(`\n== ${name}\n`);
    const { print } = (await vite.ssrLoadModule(path)) as { print(): Promise<void> };
    await print();
  }
} finally {
  await vite.close();
}
