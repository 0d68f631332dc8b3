/**
 * The Remix options; vite.config.ts hands them to the Vite plugin.
 * @type {import("@remix-run/dev").VitePluginConfig}
 */
export default {
  future: {
    v3_fetcherPersist: true,
    v3_relativeSplatPath: true,
    v3_throwAbortReason: true,
    v3_singleFetch: true,
    // Off: asking for the routes of every link costs a request, and while it is asked a finished form can end the
    // navigation with the data of the page before. All routes together are a few kilobytes.
    v3_lazyRouteDiscovery: false,
    v3_routeConfig: true,
  },
};
