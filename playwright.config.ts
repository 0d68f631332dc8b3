import { defineConfig, devices } from "@playwright/test";
import { browserFlags, findBrowser } from "./tests/e2e/browser.ts";

const browser = await findBrowser();
Object.assign(process.env, browser.env);

export default defineConfig({
  testDir: "tests/e2e",
  outputDir: ".cache/e2e",
  workers: 1,
  retries: 0,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: browser.executablePath, args: browserFlags },
    screenshot: "only-on-failure",
    trace: "off",
  },
});
