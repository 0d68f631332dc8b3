/**
 * The page's nonce: scripts and styles that stand in the document itself run only with it. The server makes one
 * per request; in the browser it is empty, since browsers hide it from scripts.
 */
import { createContext, useContext } from "react";

export const NonceContext = createContext("");

export function useNonce(): string {
  return useContext(NonceContext);
}
