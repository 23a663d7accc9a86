// Where the lesson's server is: the page's own host, at the port where the server was started.

/** "localhost:8080", with the host name of the page's own address. The pages server fills in the PORT it was started with. */
export const serverHost = `${location.hostname}:${process.env.PORT ?? 8080}`;
