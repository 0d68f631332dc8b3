import { useEffect, useLayoutEffect } from "react";

/** React's layout effect where there is a layout; on the server, which has none, React warns of each one it meets. */
export const useBrowserLayoutEffect = typeof document === "undefined" ? useEffect : useLayoutEffect;
