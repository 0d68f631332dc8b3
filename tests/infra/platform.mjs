/**
 * Unpacks SST's component sources into .sst/platform, so that sst.config.ts and infra/ can be type-checked with no
 * cloud account and no downloads beside npm packages. SST's own CLI does it; the two programs that it would fetch
 * (pulumi, bun) are replaced by scripts that only answer what is asked of them here, under a home folder of its own.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const home = join(root, ".cache/sst-home");
const platform = join(root, ".sst/platform");
const stamp = join(platform, "node_modules/.ready");
const version = JSON.parse(readFileSync(join(root, "node_modules/sst/package.json"), "utf8")).version;
const wanted = `${version} ${readFileSync(join(root, "sst.config.ts"), "utf8")}`;

if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) process.exit(0);

console.log("Unpacking SST's components and their types (about a minute, once) ...");
const binaries = join(home, ".config/sst/bin");
mkdirSync(binaries, { recursive: true });
const write = (name, lines) => {
  writeFileSync(join(binaries, name), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(binaries, name), 0o755);
};
// The versions are the ones that this SST asks for; it downloads a program only if the version differs.
write("pulumi", "echo v3.215.0");
write("bun", 'if [ "$1" = "--version" ]; then echo 1.2.1; fi');
rmSync(platform, { recursive: true, force: true });
const run = (file, args, options) => execFileSync(file, args, { stdio: ["ignore", "pipe", "inherit"], ...options });
const sst = join(root, `node_modules/sst-${process.platform}-${process.arch}/bin/sst`);
run(sst, ["install", "--stage", "check"], {
  cwd: root,
  env: { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, ".config"), DO_NOT_TRACK: "1", NO_COLOR: "1" },
});
run(
  process.platform === "win32" ? "npm.cmd" : "npm",
  [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--legacy-peer-deps",
    "--loglevel=error",
  ],
  { cwd: platform },
);
writeFileSync(stamp, wanted);
