// Where the lesson's server is: the page's own host, at the port where the server was started.

/** "localhost:8080", as it stands in the page's address. The pages server puts in the PORT it was started with. */
export const serverHost = `${location.hostname}:${process.env.PORT ?? 8080}`;
