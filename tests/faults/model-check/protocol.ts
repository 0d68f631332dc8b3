/**
 * The app's own protocol module, bundled from its source text, as it is or with one rule taken out. Nothing in the
 * app knows of this: a rule is removed by changing the text before it is compiled.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Protocol } from "./world.ts";

const path = fileURLToPath(new URL("../../../app/threads/run.server.ts", import.meta.url));

/** Texts that take one rule out: each `from` stands in the source exactly once. */
export interface Mutation {
  rule: string;
  changes: { from: string; to: string }[];
}

/** Compiles and loads the module. Throws if a text to be replaced is not there exactly once. */
export async function loadProtocol(mutation?: Mutation): Promise<Protocol> {
  let source = await readFile(path, "utf8");
  for (const { from, to } of mutation?.changes ?? []) {
    const count = source.split(from).length - 1;
    if (count !== 1) throw new Error(`${mutation?.rule}: the text stands in the source ${count} times: ${from}`);
    source = source.replace(from, () => to);
  }
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: dirname(path), sourcefile: path, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "bundle",
    write: false,
  });
  const folder = await mkdtemp(join(tmpdir(), "sidenote-protocol-"));
  try {
    const file = join(folder, "protocol.mjs");
    await writeFile(file, outputFiles[0]?.text ?? "");
    return (await import(pathToFileURL(file).href)) as Protocol;
  } finally {
    await rm(folder, { recursive: true });
  }
}
