// PUBLIC_HOST: one forwarded port, behind https and under a host name of its own.
import { generateKeyPairSync, sign } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { Agent, createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type VerifyClientCallbackAsync, WebSocket, WebSocketServer } from "ws";
import { publicHost } from "../launcher/public-host.ts";
import { browser } from "../testing/browser.ts";
import { atEnd } from "../testing/clean-up.ts";
import { raw, say, startPages, until } from "../testing/lesson.ts";
import { freePort, runNode } from "../testing/process.ts";

const listen = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

describe("the pages server with one forwarded port", () => {
  const host = "example-8000.app.example.dev";
  /** More than the system takes for a client that doesn't read. */
  const longBytes = 24 * 1024 * 1024;
  let pages: number;
  let server: number;
  let lane: number;
  let received: string[] = [];
  /** What happens at the lesson's server: a stream or a WebSocket ends. */
  const events = new EventEmitter();

  beforeAll(async () => {
    // The lesson's server and one of its lanes: both say what they have received.
    const echo = createServer(({ url, method, headers, socket: { remotePort } }, response) => {
      if (url !== "/lanes/ports") received.push(String(url));
      if (url === "/lanes/ports") response.end(JSON.stringify({ ports: [lane] }));
      else if (url === "/no-answer") response.destroy();
      else if (url === "/half")
        response.writeHead(200, { "Content-Length": 10 }).write("half", () => response.destroy());
      else if (url === "/pieces") response.write("one, ", () => response.end("two"));
      else if (url === "/stream") response.on("close", () => events.emit("/stream")).flushHeaders();
      else if (url !== "/silent") response.end(JSON.stringify({ url, method, remotePort, ...headers }));
    });
    const other = createServer(({ url }, response) => {
      if (url === "/behind") received.push(url);
      response.write('{"url":', () => response.end('"lane"}'));
    });
    const verifyClient: VerifyClientCallbackAsync = ({ req: { url, socket } }, answer) => {
      if (url === "/no-answer") socket.destroy();
      else answer(true);
    };
    const sockets = new WebSocketServer({ server: echo, verifyClient });
    sockets.on("connection", (socket, { url, headers, socket: connection }) => {
      socket.on("close", () => events.emit(String(url)));
      socket.on("message", (text) => socket.send(`received ${text}`));
      if (url === "/end") socket.terminate();
      else if (url === "/reset") connection.resetAndDestroy();
      else if (url === "/long") socket.send(Buffer.alloc(longBytes));
      else socket.send(JSON.stringify({ url, ...headers }));
    });
    [server, lane, pages] = [await listen(echo), await listen(other), await freePort()];
    atEnd(() => {
      for (const one of [echo, other]) one.close().closeAllConnections();
    });
    await startPages(server, pages, { PUBLIC_HOST: host });
  });

  const ask = (path: string, headers: Record<string, string>, method = "GET", agent: Agent | false = false) =>
    new Promise<{ status?: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
      const question = request({ host: "127.0.0.1", port: pages, path, method, headers, agent });
      question.on("response", async (answer) => {
        let body = "";
        for await (const chunk of answer.setEncoding("utf8")) body += chunk;
        resolve({ status: answer.statusCode, headers: answer.headers, body });
      });
      question.on("error", reject).end(method === "POST" ? "{}" : undefined);
    });
  const shake = (path: string, headers: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${pages}${path}`, { headers });
      socket.on("message", (data) => {
        socket.close();
        resolve(String(data));
      });
      socket.on("error", ({ message }) => resolve(message));
    });

  const webSocket = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  /** Sends the head of a request, over a connection of its own. */
  const send = (path: string, ...lines: string[]) => {
    const socket = connect(pages, "127.0.0.1").on("error", () => {});
    socket.write([`GET /-/${server}${path} HTTP/1.1`, `Host: ${host}`, ...lines, "", ""].join("\r\n"));
    return socket;
  };

  test("passes on what its page sends, as a page of this computer would send it", async () => {
    const own = { host: `localhost:${server}`, origin: `http://localhost:${pages}` };
    const post = await ask(`/-/${server}/messages?a=1`, { Host: host, Origin: `https://${host}` }, "POST");
    expect(JSON.parse(post.body)).toMatchObject({ url: "/messages?a=1", method: "POST", ...own });
    const get = await ask(`/-/${server}/messages`, { Host: host });
    expect(JSON.parse(get.body)).not.toHaveProperty("origin");
    const greeting = await shake(`/-/${server}/?room=a`, { Host: host, Origin: `https://${host}` });
    expect(JSON.parse(greeting)).toMatchObject({ url: "/?room=a", ...own });
  });

  test("takes what Codespaces sends: localhost in Host and Origin, its name in a header beside them", async () => {
    const headers = { Host: `localhost:${pages}`, Origin: `http://localhost:${pages}` };
    expect((await ask(`/-/${server}/messages`, headers, "POST")).status).toBe(200);
    expect(await shake(`/-/${server}`, headers)).toContain('"url":"/"');
    expect(await shake(`/-/${server}?room=a`, headers)).toContain('"url":"/?room=a"');
    const page = await ask("/", { Host: `localhost:${pages}`, "X-Forwarded-Host": host });
    expect(page.headers["content-security-policy"]).toContain("upgrade-insecure-requests");
    expect(page.headers["content-security-policy"]).toContain(`wss://${host}`);
    // The same pages at localhost, over a port that an editor forwards.
    const plain = await ask("/", { Host: `localhost:${pages}` });
    expect(plain.headers["content-security-policy"]).not.toContain("upgrade-insecure-requests");
  });

  test("refuses other hosts, pages of other sites, and every port that isn't the lesson's", async () => {
    const [own, foreign] = [{ Host: host }, "https://evil.example"];
    const refused: [string, Record<string, string>, number][] = [
      [`/-/${server}/`, { Host: "evil.example" }, 421],
      [`/-/${server}/`, { ...own, Origin: foreign }, 403],
      [`/-/${server}/`, { ...own, Origin: "null" }, 403],
      [`/-/${server}/`, { Host: host, "X-Forwarded-Host": "evil.example", Origin: foreign }, 403],
      [`/-/${await freePort()}/`, own, 404],
      [`/-/${pages}/`, own, 404],
      ["/-/99999/", own, 404],
      ["/-/x/", own, 404],
    ];
    for (const [path, headers, status] of refused) {
      expect((await ask(path, headers)).status, path).toBe(status);
      expect(await shake(path, headers), path).toContain(String(status));
    }
    expect((await ask("/", { Host: "evil.example" })).status).toBe(421);
  });

  test("answers two Host headers with 400", async () => {
    const head = `GET /-/${server}/ HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect(await raw(pages, head)).toMatch(/^HTTP\/1.1 400 /);
  });

  test("passes on no header that is for one connection only, and survives them", async () => {
    const lines = [
      "Trailer: x",
      "TE: trailers",
      "Proxy-Connection: close",
      "__proto__: x",
      "Expect: 100-continue",
    ];
    const head = `GET /-/${server}/a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`;
    const answer = await raw(pages, `${head}${lines.join("\r\n")}\r\n\r\n`);
    expect(answer).toContain('"url":"/a"');
    expect(answer).not.toMatch(/"(trailer|te|proxy-connection|expect)":/);
    expect((await ask("/", { Host: host })).status).toBe(200);
  });

  test("closes a connection that sends a second request before it has its answer", async () => {
    received = [];
    const one = `GET /-/${server}/silent HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    expect(await raw(pages, one.repeat(1_000))).toBe("");
    expect(received.length).toBeLessThanOrEqual(1);
  });

  test("gives each connection its own one to the lesson's server, and keeps it", async () => {
    const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    const ports: number[] = [];
    for (const agent of [...agents, ...agents])
      ports.push(JSON.parse((await ask(`/-/${server}/`, { Host: host }, "GET", agent)).body).remotePort);
    for (const agent of agents) agent.destroy();
    expect(ports.slice(2)).toEqual(ports.slice(0, 2));
    expect(ports[0]).not.toBe(ports[1]);
  });

  test("answers what isn't the handshake of a WebSocket as a request", async () => {
    const head = `POST /-/${server}/b HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n`;
    for (const name of ["h2c", "websocket"]) {
      const answer = await raw(pages, `${head}Upgrade: ${name}\r\nContent-Length: 0\r\n\r\n`);
      expect(answer).toContain('"method":"POST"');
    }
  });

  test("passes on nothing after a handshake that the server refuses, and closes the connection", async () => {
    received = [];
    const handshake = `GET /-/${lane}/ HTTP/1.1\r\nHost: ${host}\r\n${webSocket.join("\r\n")}\r\n\r\n`;
    const answer = await raw(pages, `${handshake}GET /behind HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n\r\n{"url":"lane"}$/);
    expect(answer.match(/^connection: .*/gim)).toEqual(["Connection: close"]);
    expect(received).toEqual([]);
  });

  test("closes the connection when the server gives no answer, or only half of it", async () => {
    for (const path of ["/no-answer", "/half"]) await once(send(path).resume(), "close");
    await once(send("/no-answer", ...webSocket, key).resume(), "close");
    expect((await ask("/", { Host: host })).status).toBe(200);
  });

  test("loses no message in the same packet as the handshake", async () => {
    const page = send("/", ...webSocket, key);
    // Masked with a key of zeros, which leaves the payload as it is.
    page.write(Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from("early")]));
    let text = "";
    page.on("data", (bytes) => {
      text += bytes;
    });
    await until(() => text.includes("received early"));
    page.destroy();
  });

  test("passes on the head of a stream before its first event, and ends the stream when the page leaves", async () => {
    const page = send("/stream");
    const [head] = await once(page, "data");
    expect(String(head)).toMatch(/^HTTP\/1.1 200 /);
    const end = once(events, "/stream");
    page.destroy();
    await end;
  });

  test("answers HTTP/1.0, as a proxy may speak it, without chunks", async () => {
    const answer = await raw(pages, `GET /-/${server}/pieces HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toMatch(/\r\n\r\none, two$/);
  });

  test("survives a reset of a WebSocket on either side, and ends the other one", async () => {
    await once(send("/reset", ...webSocket, key).resume(), "close");
    const page = send("/stay", ...webSocket, key);
    await once(page, "data");
    const end = once(events, "/stay");
    page.resetAndDestroy();
    await end;
    expect((await ask("/", { Host: host })).status).toBe(200);
  });

  test("leaves it to the server how long a request waits, and how long a page may read nothing", async () => {
    const silent = send("/silent");
    const slow = send("/long", ...webSocket, key);
    await once(slow, "data");
    slow.pause();
    // The pages themselves end a connection after 15 s, and so does every lesson's server.
    await new Promise((resolve) => setTimeout(resolve, 18_000));
    expect(silent.closed).toBe(false);
    silent.destroy();
    slow.resume();
    await until(() => slow.closed || slow.bytesRead > longBytes);
    expect(slow.bytesRead).toBeGreaterThan(longBytes);
    slow.destroy();
  });

  test("lets go of a WebSocket that the server has ended or refused, though its page stays silent", async () => {
    await Promise.all(
      [send("/end", ...webSocket, key), send("/end", ...webSocket)].map(async (page) => {
        // It doesn't answer a FIN. Its bytes are answered with a reset when nobody has the connection any more.
        page.allowHalfOpen = true;
        await once(page.resume(), "end");
        const writing = setInterval(() => page.write("x"), 500);
        await new Promise((resolve) => page.on("close", resolve));
        clearInterval(writing);
      }),
    );
  });

  test.skipIf(process.platform !== "linux")("keeps the cable's controls to this computer", async () => {
    const network = "127.0.0.2"; // plays an address on the network
    const port = await freePort();
    const env = { PUBLIC_HOST: `localhost:${port}`, CABLE_PORT: String(lane), LAN_HOSTS: network };
    await startPages(server, port, env);
    const knock = (address: string, behind: number) =>
      new Promise<number | undefined>((resolve, reject) => {
        const origin = `http://${address}:${port}`;
        const to = { host: address, port, path: `/-/${behind}/`, localAddress: address, agent: false };
        request({ ...to, headers: { Origin: origin } }, ({ statusCode }) => resolve(statusCode))
          .on("error", reject)
          .end();
      });
    expect(await knock("127.0.0.1", lane)).toBe(200);
    expect(await knock(network, server)).toBe(200);
    expect(await knock(network, lane)).toBe(403);
  });

  test("has no way to other ports unless PUBLIC_HOST is set", async () => {
    const port = await freePort();
    await startPages(server, port);
    expect((await fetch(`http://127.0.0.1:${port}/-/${server}/`)).status).toBe(404);
  });

  test("answers 404 for another port when the lesson's server lists no lanes, or doesn't run", async () => {
    for (const lessons of [lane, await freePort()]) {
      const port = await freePort();
      await startPages(lessons, port, { PUBLIC_HOST: host });
      const head = `GET /-/${server}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(await raw(port, head)).toMatch(/^HTTP\/1.1 404 /);
    }
  });

  test("passes on to the lanes that the lesson's server lists", async () => {
    expect((await ask(`/-/${lane}/`, { Host: host })).body).toBe('{"url":"lane"}');
  });
});

describe("PUBLIC_HOST", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("follows from the variables of a codespace", () => {
    const codespace = {
      CODESPACE_NAME: "Curly-Tale",
      GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: "app.github.dev",
    };
    vi.stubEnv("PAGE_PORT", "8000");
    expect(publicHost({ ...codespace, PUBLIC_HOST: "localhost:8000" })).toBe(
      "curly-tale-8000.app.github.dev",
    );
    expect(publicHost({ PUBLIC_HOST: "localhost:8000" })).toBe("localhost:8000");
    expect(publicHost({})).toBeUndefined();
  });
});

test("a lesson works behind https and another name, with its cable", async () => {
  const [port, pagePort] = [await freePort(), await freePort()];
  const host = "example-8000.app.example.dev";
  const ends = createTlsServer(selfSigned(), (socket) => {
    const onward = connect(pagePort, "127.0.0.1");
    socket.on("error", () => onward.destroy()).on("close", () => onward.destroy());
    onward.on("error", () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  // The browser's proxy: it leads to the pages, whatever name is asked for.
  const proxy = createServer().on("connect", (_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    ends.emit("connection", socket);
  });
  const server = `http://127.0.0.1:${await listen(proxy)}`;
  atEnd(() => void proxy.close());
  const env = { PORT: String(port), PAGE_PORT: String(pagePort), PUBLIC_HOST: host };
  const lesson = runNode(["shared/machinery/start.cjs", "launcher/lesson", "3"], env, [], true);
  const [, address = ""] = await lesson.prints(/Open +(https:\S+)/);
  expect(address).toBe(`https://${host}/lessons/03-chat/`);

  const context = await (await browser()).newContext({ ignoreHTTPSErrors: true, proxy: { server } });
  const page = await context.newPage();
  await page.goto(address);
  await page.locator(".status", { hasText: "open" }).waitFor();
  await say(page, "Ada", "through one port");
  await page.locator(".log", { hasText: "through one port" }).waitFor();
  // As lesson 1 does it. The browser makes https of it.
  const lessonOf = (url: string) => fetch(url).then((answer) => answer.text());
  expect(await page.evaluate(lessonOf, `http://${host}/-/${port}/lesson`)).toContain("03-chat");

  await page.getByRole("button", { name: "The cable" }).click();
  await page.getByRole("button", { name: "Freeze" }).click();
  await page.locator(".wire-chip", { hasText: "FROZEN" }).waitFor();
  await say(page, "Ada", "into the ice");
  await page.getByRole("button", { name: "Heal" }).click();
  await page.locator(".log", { hasText: "into the ice" }).waitFor();
  await context.close();
  await lesson.end();
});

/** A key and a certificate that nobody trusts (RFC 5280 §4.1): no name, valid from 2020 to 2049. */
function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const element = (tag: number, ...parts: Buffer[]) => {
    const content = Buffer.concat(parts);
    const { length } = content; // below 256: all of it fits into one byte
    return Buffer.concat([Buffer.from(length < 128 ? [tag, length] : [tag, 0x81, length]), content]);
  };
  const sequence = (...parts: Buffer[]) => element(0x30, ...parts);
  const time = (text: string) => element(0x17, Buffer.from(text));
  const ecdsaWithSha256 = sequence(element(0x06, Buffer.from("2a8648ce3d040302", "hex")));
  const body = sequence(
    element(0x02, Buffer.from([1])), // serial number
    ecdsaWithSha256,
    sequence(), // issuer
    sequence(time("200101000000Z"), time("491231235959Z")),
    sequence(), // subject
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = element(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const certificate = sequence(body, ecdsaWithSha256, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`,
  };
}
