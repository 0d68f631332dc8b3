/**
 * One app server: a process that serves `build/lambda` and `build/client` (or, in development, their sources)
 * through the stand-in for a function URL, told of its cloud by its environment alone.
 */
import type { AppServerProcessOptions, AppServerReady } from "./app-server-process.ts";
import { plainEnvironment, startProcess } from "./process.ts";

export interface AppServerOptions {
  /** `Cloud.env`, with what a test wants otherwise. */
  env: Record<string, string>;
  /** Absent: a free one. */
  port?: number;
  /** Processes of one invocation each, killed at the deadline and frozen in between, as Lambda's are. */
  isolated?: boolean;
  /** How long one invocation may take; ten minutes unless told, as `infra/web.ts` has it. */
  deadlineMs?: number;
  /** Serves the sources with hot reload instead of the build. */
  development?: boolean;
  onLine?: (line: string) => void;
}

export interface AppServer {
  url: string;
  pid: number;
  /** Settles when the process is gone, with what it ended by. */
  gone: Promise<string>;
  stop(): Promise<void>;
  /** kill -9 of the server and of all its workers. */
  kill(): Promise<void>;
}

function killLeftover(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Starts an app server and waits until it takes requests. Throws when the port is taken. */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  let workers: number[] = [];
  const child = await startProcess<AppServerReady>({
    script: new URL("./app-server-process.ts", import.meta.url),
    options: {
      port: options.port ?? 0,
      mode: options.development ? "development" : options.isolated ? "isolated" : "shared",
      deadlineMs: options.deadlineMs ?? 600_000,
    } satisfies AppServerProcessOptions,
    env: {
      ...plainEnvironment(),
      NODE_ENV: options.development ? "development" : "production",
      ...options.env,
    },
    onLine: options.onLine,
    onMessage: (message) => {
      if (message.type === "workers") workers = message.pids as number[];
    },
  });
  // Frozen workers cannot notice that their server is gone.
  const gone = child.gone.then((how) => {
    for (const pid of workers) killLeftover(pid);
    return how;
  });
  return {
    url: child.ready.url,
    pid: child.pid,
    gone,
    async stop() {
      await child.stop();
      await gone;
    },
    async kill() {
      await child.kill();
      await gone;
    },
  };
}
