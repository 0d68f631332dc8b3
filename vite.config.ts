import { fileURLToPath } from "node:url";
import { vitePlugin as remix } from "@remix-run/dev";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";
import remixConfig from "./remix.config.js";

/** Lets the types of loaders and actions follow single fetch, as remix.config.js does. */
declare module "@remix-run/server-runtime" {
  interface Future {
    v3_singleFetch: true;
  }
}

/**
 * Makes our own handler the entry of the server half, instead of Remix's bare build. So both lie in one graph of
 * modules, in development and in production: two copies of one module would not see each other's invocation.
 */
const lambdaEntry: Plugin = {
  name: "sidenote:lambda-entry",
  enforce: "post",
  config: (_config, { isSsrBuild }) =>
    isSsrBuild
      ? { build: { rollupOptions: { input: "app/entry.lambda.ts" } } }
      : // The smallest pieces that several pages share travel with one of them: a request costs more than their bytes.
        // Larger ones would take whole pages along that nobody has opened.
        { build: { rollupOptions: { output: { experimentalMinChunkSize: 1_500 } } } },
};

/** Where the build goes: `build`, unless whoever builds keeps several. */
const buildDirectory = process.env.SIDENOTE_BUILD || "build";

export default defineConfig({
  resolve: { alias: { "~": fileURLToPath(new URL("./app", import.meta.url)) } },
  // Known before the first visit; found later, they would reload the page under the person's hands.
  optimizeDeps: { entries: ["app/entry.client.tsx", "app/root.tsx", "app/routes/**/*.tsx"] },
  server: {
    warmup: { clientFiles: ["app/entry.client.tsx", "app/root.tsx", "app/routes/*.tsx"] },
    // Written to while the app runs, and no part of it.
    watch: { ignored: ["**/.local/**", "**/.cache/**", "**/build/**", "**/tests/**"] },
  },
  plugins: [tailwindcss(), !process.env.VITEST && [remix({ ...remixConfig, buildDirectory }), lambdaEntry]],
});
