// One forwarded port: a dev container, or Codespaces, where the browser is on another computer and reaches the pages only.
import { readPort } from "./ports.ts";

/**
 * The host that the browser shows: "NAME-8000.app.github.dev" in Codespaces, otherwise PUBLIC_HOST, which is
 * "localhost:8000" in a dev container. Undefined where the browser runs on this computer and reaches every port.
 */
export function publicHost(env = process.env): string | undefined {
  const { CODESPACE_NAME: name, GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: domain } = env;
  const host = name && domain ? `${name}-${readPort("PAGE_PORT")}.${domain}` : env.PUBLIC_HOST;
  return host?.toLowerCase() || undefined;
}

/** Whether the forwarded port is reached by https, under a host name of its own. */
export function isForwardedByHttps(host = publicHost()): host is string {
  return host !== undefined && !host.startsWith("localhost:");
}

/** The address of a page for the user, such as "http://localhost:8000/slides/". */
export function pageAddress(path: string): string {
  const host = publicHost();
  return isForwardedByHttps(host)
    ? `https://${host}${path}`
    : `http://localhost:${readPort("PAGE_PORT")}${path}`;
}
