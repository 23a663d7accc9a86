// Where the lesson's server is: the page's own host, at the port where the server was started.

/**
 * "localhost:8080": a port of the computer that serves this page. Where only the pages' port is forwarded (PUBLIC_HOST),
 * the pages server passes on what is meant for another one: "localhost:8000/-/8080".
 */
export const hostAt = (port: number | string | undefined): string =>
  process.env.PUBLIC_HOST ? `${location.host}/-/${port}` : `${location.hostname}:${port}`;

/** The lesson's server, for addresses: "localhost:8080". The pages server fills in the PORT it was started with. */
export const serverHost = hostAt(process.env.PORT ?? 8080);
