/**
 * `npm start` and `npm run dev`: the local cloud and one app server, watched over until Ctrl-C. With `app`, the
 * app alone, for a cloud that somebody else speaks for (`sst dev`).
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { relative, resolve } from "node:path";
import { type AppServer, startAppServer } from "./app-server.ts";
import { ensureBuild } from "./build.ts";
import { type Cloud, findVendors, startCloud } from "./cloud.ts";
import { demo, ensureDemo } from "./demo.ts";
import { localGuardrail } from "./models/guardrail.ts";

const mode = process.argv[2];
if (mode !== "dev" && mode !== "start" && mode !== "app") throw new Error("Usage: start.ts <dev | start | app>");

const print = (line: string): void => console.log(line);

function readPort(): number {
  const text = process.env.PORT || "3000";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`PORT is not the number of a port: ${text}`);
  return port;
}

/** Whether the model server's guardrail checks what is said. */
function readGuardrail(): boolean {
  const value = process.env.GUARDRAIL || "off";
  if (value !== "on" && value !== "off") throw new Error(`GUARDRAIL is neither on nor off: ${value}`);
  return value === "on";
}

/** Asked before anything slow begins; the app server finds out again by itself. */
async function requireFreePort(port: number): Promise<void> {
  const probe = createServer();
  probe.listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new Error(`Port ${port} is taken. Choose another one: PORT=${port + 1}`);
    if (code === "EACCES") throw new Error(`Port ${port} needs rights that this process does not have.`);
    throw error;
  }
  probe.close();
  await once(probe, "close");
}

let cloud: Cloud | undefined;
let app: AppServer | undefined;
let ending = false;

/** Ends the app before the cloud that it writes to. */
async function end(code: number, reason?: string): Promise<void> {
  if (ending) return;
  ending = true;
  if (reason) console.error(reason);
  // Two processes have a few seconds each; whatever happens, this one does not stay.
  setTimeout(() => process.exit(1), 15_000).unref();
  await app?.stop();
  await cloud?.stop();
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));
process.on("disconnect", () => void end(0));

/** Starts the app server again when it dies, as Lambda would; gives up when that does not help. */
async function superviseApp(start: () => Promise<AppServer>): Promise<void> {
  for (let failures = 0; ; ) {
    const since = Date.now();
    app = await start();
    const how = await app.gone;
    if (ending) return;
    failures = Date.now() - since < 10_000 ? failures + 1 : 0;
    if (failures >= 3) return end(1, `The app server keeps ending (${how}).`);
    console.error(`The app server ended (${how}). It is started again.`);
  }
}

async function main(): Promise<void> {
  const port = readPort();
  await requireFreePort(port);
  const development = mode !== "start";

  let env: Record<string, string>;
  let welcome = "";
  if (mode === "app") {
    // Under `sst dev` the environment says which cloud it is; forms come from here and not from its router.
    env = Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => /^(AWS_|SST_)/.test(entry[0])),
    );
    env.ORIGIN = `http://localhost:${port}`;
  } else {
    const dataFolder = resolve(process.env.SIDENOTE_DATA || ".local");
    if (!development) await ensureBuild();
    if (ending) return;
    const { vendors, lines } = await findVendors(process.env);
    const guarded = readGuardrail();
    if (guarded && vendors.bedrock)
      throw new Error("GUARDRAIL=on is the local model server's guardrail. It cannot be used with BEDROCK=aws.");
    cloud = await startCloud({
      dataFolder,
      vendors,
      onLine: print,
      ...(guarded ? { backend: { guardrail: localGuardrail } } : {}),
    });
    if (ending) return cloud.stop();
    env = cloud.env;
    void cloud.gone.then((how) => {
      if (!ending) void end(1, `The local cloud ended (${how}).`);
    });
    print(`The data lies in ${relative(process.cwd(), dataFolder) || "."}`);
    print(`The table is ${cloud.tableUrl}, the model server ${cloud.modelsUrl}`);
    for (const line of lines) print(line);
    if (guarded) print("The guardrail is on: try an email address, a card number, or the word invest.");
    const isNew = await ensureDemo(dataFolder, env);
    if (ending) return;
    welcome = isNew
      ? `Sign in as ${demo.email} with the password ${demo.password}, or create an account of your own.`
      : `The demo account is ${demo.email}.`;
  }

  if (development) print("Reading the sources. The first time, this takes some ten seconds.");
  let told = false;
  await superviseApp(async () => {
    const server = await startAppServer({ env, port, development, onLine: print });
    if (!told) print(`\nSidenote is ready: http://localhost:${port}\n${welcome}\nCtrl-C ends it.\n`);
    told = true;
    return server;
  });
}

main().catch((error: unknown) => void end(1, error instanceof Error ? error.message : String(error)));
