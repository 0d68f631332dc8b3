import readingFace from "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2?url";
import type { LinksFunction, MetaFunction } from "@remix-run/node";
import { Links, Meta, Outlet, Scripts } from "@remix-run/react";
import type { ReactNode } from "react";
import { FirstPaint } from "~/ui/appearance";
import { ErrorPage } from "~/ui/error-page";
import { useNonce } from "~/ui/nonce";
import styles from "./styles.css?url";

export const links: LinksFunction = () => [
  { rel: "preload", href: readingFace, as: "font", type: "font/woff2", crossOrigin: "anonymous" },
  { rel: "stylesheet", href: styles },
  { rel: "icon", href: "/favicon.svg", type: "image/svg+xml" },
  { rel: "manifest", href: "/manifest.webmanifest" },
];

export const meta: MetaFunction = () => [{ title: "Sidenote" }];

/** The document. The page itself scrolls inside `.main`, so there is no window position to restore. */
export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce();
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <meta charSet="utf-8" />
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content="light dark" />
        <FirstPaint nonce={nonce} />
        <Meta />
        <Links />
      </head>
      <body>
        <a href="#page" className="skip">
          Skip to the page
        </a>
        {children}
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function RootRoute() {
  return <Outlet />;
}

export function ErrorBoundary() {
  return (
    <main id="page" className="main" tabIndex={-1}>
      <ErrorPage />
    </main>
  );
}
