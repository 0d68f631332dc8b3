/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const production = input?.stage === "production";
    return {
      name: "sidenote",
      home: "aws",
      providers: { aws: "7.20.0", random: "4.16.6" },
      // The production stage keeps its table and its people when it is removed; other stages leave nothing behind.
      removal: production ? "retain" : "remove",
      protect: production,
    };
  },
  async run() {
    await import("./infra/stage");
    await import("./infra/table");
    await import("./infra/auth");
    await import("./infra/models");
    await import("./infra/guardrail");
    const { site } = await import("./infra/web");
    return { url: site.url };
  },
});
