/**
 * The app's own protocol modules, bundled from their source text, as it is or with one rule taken out. Nothing in
 * the app knows of this: a rule is removed by changing the text before it is compiled.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Protocol } from "./world.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Takes one rule out: `from` stands in the protocol's modules exactly once. */
export interface Mutation {
  rule: string;
  from: string;
  to: string;
}

/** Counts how often the text is found in the modules, and replaces it. */
function replacing({ from, to }: Mutation, found: { count: number }): Plugin {
  return {
    name: "mutation",
    setup(build) {
      build.onLoad({ filter: /app[\\/]threads[\\/]run[^\\/]*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        found.count += source.split(from).length - 1;
        return { contents: source.replace(from, () => to), loader: "ts" };
      });
    },
  };
}

/** Compiles and loads the protocol. Throws if the text to be replaced is not there exactly once. */
export async function loadProtocol(mutation?: Mutation): Promise<Protocol> {
  const found = { count: 0 };
  const { outputFiles } = await build({
    entryPoints: [join(root, "app/threads/run.server.ts")],
    tsconfig: join(root, "tsconfig.json"),
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    plugins: mutation ? [replacing(mutation, found)] : [],
  });
  if (mutation && found.count !== 1)
    throw new Error(`${mutation.rule}: its text stands in the source ${found.count} times`);
  const folder = await mkdtemp(join(tmpdir(), "sidenote-protocol-"));
  try {
    const file = join(folder, "protocol.mjs");
    await writeFile(file, outputFiles[0]?.text ?? "");
    return (await import(pathToFileURL(file).href)) as Protocol;
  } finally {
    await rm(folder, { recursive: true });
  }
}
