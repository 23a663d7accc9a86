// Tests of lesson 12's server: who comes in and who doesn't, by which door, and for how long.
import { createHmac, randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type LessonServer,
  raw,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { Buckets } from "./limits.ts";
import { inTurn } from "./line.ts";
import { cookieName, newSession, sign } from "./sessions.ts";

// The same secret here and in the servers: sessions without a login for each.
process.env.SESSION_SECRET ??= randomUUID();

const page = "http://localhost:8000";
const cookie = (signed: string) => ({ Cookie: `${cookieName}=${signed}` });
const anybody = (seconds = 60, role: "member" | "reader" = "member") =>
  newSession({ name: randomUUID().slice(0, 8), role }, seconds);

everySocketServer(
  "12-the-door",
  undefined,
  {
    say: (text) => ({ type: "say", text }),
    type: "message",
    has: (message, text) => message.text === text,
  },
  () => ({ path: "/room", headers: cookie(sign(anybody())) }),
);

let server: LessonServer;
/** A second server, with the same secret and small limits. */
let small: LessonServer;
beforeAll(async () => {
  const limits = { FIRST_WORD_MS: "50", TICKET_MS: "1", MAX_USERS: "1" };
  [server, small] = [
    await startServer("12-the-door", { PAGE_PORT: "8000" }),
    await startServer("12-the-door", limits),
  ];
  expect((await signUp(known)).status).toBe(201);
});

const post = (path: string, body?: object | string, headers: Record<string, string> = {}, at = server) =>
  fetch(at.url + path, {
    method: "POST",
    headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const open = (path: string, headers: Record<string, string> = {}, at = server) =>
  new Client(at.port, { headers }, "127.0.0.1", path);
/** The name as whom a client is in, or the code with which it was closed. */
const outcome = async (client: Client): Promise<string | number> => {
  const entered = client.receives("welcome").then(({ name }) => name);
  entered.catch(() => {});
  const answer = await Promise.race([entered, client.closed.then(({ code }) => code)]);
  client.socket.close();
  return answer;
};
const status = (path: string, headers = {}) =>
  new Promise((resolve) => {
    const { socket } = open(path, headers);
    socket.once("unexpected-response", (_request, response) => {
      resolve(response.statusCode);
      socket.terminate();
    });
    socket.once("open", () => resolve(101));
  });

const password = "correct horse";
/** A user for all tests that need one. Each hash of a password takes a fifth of a second of the processor. */
const known = `Ada${randomUUID().slice(0, 4)}`;
const signUp = (name: string, role = "member", at = server) =>
  post("/users", { name, password, role }, {}, at);
/** A user who has logged in: what sets the cookie, and the cookie. */
async function logIn(name = known, more = {}, at = server) {
  const answer = await post("/login", { name, password, ...more }, {}, at);
  expect(answer.status).toBe(200);
  const [set = ""] = answer.headers.getSetCookie();
  return { set, headers: { Cookie: set.split(";")[0] ?? "" } };
}
const ticketOf = async (headers: Record<string, string>, at = server): Promise<string> =>
  (await (await post("/ticket", undefined, headers, at)).json()).ticket;

describe("the cookie", () => {
  test("opens the room after a login, and HTTP and the socket see the same session", async () => {
    const { set, headers } = await logIn();
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Lax/);
    expect((await (await fetch(`${server.url}/me`, { headers })).json()).session).toMatchObject({
      name: known,
    });
    const [ada, grace] = [open("/room", headers), open("/room", cookie(sign(anybody())))];
    expect(await ada.receives("welcome")).toMatchObject({ name: known, role: "member" });
    await grace.receives("welcome");
    ada.send({ type: "say", text: "Hello" });
    expect(await grace.receives("message", ({ from }) => from === known)).toMatchObject({ text: "Hello" });
    const late = open("/room", headers);
    expect((await late.receives("welcome")).messages.at(-1)).toMatchObject({ from: known, text: "Hello" });
    for (const { socket } of [ada, grace, late]) socket.close();
  });

  test("with SameSite=None is also Secure, or no browser would keep it", async () => {
    expect((await logIn(known, { sameSite: "none" })).set).toMatch(/Secure; SameSite=None/);
  });

  test("a message can't claim another name", async () => {
    const ada = open("/room", cookie(sign(anybody())));
    await ada.receives("welcome");
    ada.send({ type: "say", from: "Grace", text: "Hello" });
    expect((await ada.receives("refused")).reason).toBe("from: unknown field.");
    ada.socket.close();
  });

  const signed = sign(anybody());
  const [text = "", mac = ""] = signed.split(".");
  const admin = Buffer.from(JSON.stringify({ ...anybody(), name: "Ada" })).toString("base64url");
  test.each([
    ["no cookie", ""],
    ["a session that somebody made up", `${admin}.${mac}`],
    ["a signature that is cut off", `${text}.${mac.slice(0, -1)}`],
    ["no signature", `${admin}.`],
    ["a text alone", admin],
    ["a signature of nothing", `.${mac}`],
    ["two signatures", `${signed}.${mac}`],
    ["an expired session", sign(anybody(-1))],
    ["a text that is no session", "constructor.__proto__"],
  ])("with %s is worth nothing at either door", async (_what, value) => {
    expect(await outcome(open("/naive", cookie(value)))).toBe(4401);
    expect(await outcome(open(`/naive?token=${value}`))).toBe(4401);
    const answer = await fetch(`${server.url}/me`, { headers: cookie(value) });
    expect(await answer.json()).toEqual({ session: null });
    expect((await post("/ticket", undefined, cookie(value))).status).toBe(401);
  });
});

describe("the two doors", () => {
  test.each(["http://localhost:8012", "http://127.0.0.1:8012", "https://evil.example", "null"])(
    "/naive lets a page of %s in with somebody's cookie, /room refuses it with 403",
    async (Origin) => {
      const session = anybody();
      const headers = { ...cookie(sign(session)), Origin };
      expect(await outcome(open("/naive", headers))).toBe(session.name);
      expect(await status("/room", headers)).toBe(403);
      expect(await status(`/room?ticket=${await ticketOf(cookie(sign(session)))}`, { Origin })).toBe(403);
    },
  );

  test("a token in the address opens /naive again and again, from anywhere; /room takes no token", async () => {
    const session = anybody();
    const { token } = await (await post("/token", undefined, cookie(sign(session)))).json();
    for (let n = 0; n < 3; n++)
      expect(await outcome(open(`/naive?token=${token}`, { Origin: "https://evil.example" }))).toBe(
        session.name,
      );
    expect(await outcome(open(`/room?token=${token}`, {}, small))).toBe(4408);
  });

  test("a token in an address is printed, as a proxy would write it into its log", async () => {
    // At most ten lines a second are printed, and the tests before this one have used them up.
    await until(
      () => open("/naive?token=secret.word") && server.output().includes("GET /naive?token=secret.word"),
    );
  });
});

describe("a ticket", () => {
  test("opens one connection, and no second one", async () => {
    const session = anybody();
    const ticket = await ticketOf(cookie(sign(session)));
    expect(await outcome(open(`/room?ticket=${ticket}`))).toBe(session.name);
    expect(await open(`/room?ticket=${ticket}`).closed).toEqual({
      code: 4401,
      reason: "log in, or get a new ticket",
    });
  });

  test("is used by one of ten connections that come at the same time", async () => {
    const session = anybody();
    const ticket = await ticketOf(cookie(sign(session)));
    const all = await Promise.all(Array.from({ length: 10 }, () => outcome(open(`/room?ticket=${ticket}`))));
    expect(all.filter((one) => one === session.name)).toHaveLength(1);
    expect(all.filter((one) => one === 4401)).toHaveLength(9);
  });

  test.each(["made-up", "constructor", "__proto__", "%00", "x".repeat(5_000)])(
    "that is made up is refused with 4401: %s",
    async (ticket) => {
      expect(await outcome(open(`/room?ticket=${ticket}`))).toBe(4401);
    },
  );

  test("is refused with 4401 even beside a good cookie", async () => {
    expect(await outcome(open("/room?ticket=made-up", cookie(sign(anybody()))))).toBe(4401);
  });

  test("expires", async () => {
    const ticket = await ticketOf(cookie(sign(anybody())), small);
    expect(await outcome(open(`/room?ticket=${ticket}`, {}, small))).toBe(4401);
  });

  test("ends with its session", async () => {
    const headers = cookie(sign(anybody()));
    const ticket = await ticketOf(headers);
    expect((await post("/logout", undefined, headers)).status).toBe(200);
    expect(await outcome(open(`/room?ticket=${ticket}`))).toBe(4401);
  });

  test("may come as the first message instead", async () => {
    const session = anybody();
    const ticket = await ticketOf(cookie(sign(session)));
    const say = (client: Client, word: string | Buffer) => client.opened.then(() => client.socket.send(word));
    const word = JSON.stringify({ type: "ticket", ticket });
    for (const expected of [session.name, 4401]) {
      const client = open("/room?ticket=");
      void say(client, word);
      expect(await outcome(client)).toBe(expected);
    }
    for (const [first, code] of [
      ['{"type":"say","text":"Hello"}', 4401],
      ["{", 4401],
      ['{"type":"ticket","ticket":7}', 4401],
      [Buffer.from(word), 1003],
    ] as const) {
      const client = open("/room");
      void say(client, first);
      expect(await outcome(client)).toBe(code);
    }
  });

  test("a client that says nothing is closed with 4408 after two seconds, and not earlier", async () => {
    const began = performance.now();
    expect(await open("/room").closed).toEqual({ code: 4408, reason: "no ticket in two seconds" });
    expect(performance.now() - began).toBeGreaterThan(1_900);
  });

  test("a bad frame in place of the ticket costs one connection, not the server", async () => {
    const socket = await rawWebSocket(server.port, { path: "/room", headers: {} });
    socket.resume().write(Buffer.from([0x81, 1, 0x61]));
    await new Promise((resolve) => socket.on("close", resolve));
    expect(typeof (await outcome(open("/room", cookie(sign(anybody())))))).toBe("string");
  });

  test("is given to a user twenty times, and then one a second", async () => {
    const headers = cookie(sign(anybody()));
    const asked = Array.from({ length: 60 }, () => post("/ticket", undefined, headers));
    const given = (await Promise.all(asked)).filter(({ status }) => status === 200);
    expect(given.length).toBeGreaterThanOrEqual(20);
    expect(given.length).toBeLessThan(60);
    expect(await ticketOf(cookie(sign(anybody())))).toMatch(/^[\w-]{22}$/);
  });

  test("somebody who is connected stays connected then", async () => {
    const ticket = await ticketOf(cookie(sign(anybody())));
    const client = open("/room");
    await client.opened;
    client.send({ type: "ticket", ticket });
    await client.receives("welcome");
    await new Promise((resolve) => setTimeout(resolve, 2_300));
    client.send({ type: "beat" });
    await client.receives("beat");
    client.socket.close();
  });
});

describe("limits", () => {
  test("a user's sixth connection is closed with 1013, at whichever door, until one has left", async () => {
    const headers = cookie(sign(anybody()));
    const five = Array.from({ length: 5 }, (_, n) => open(n % 2 ? "/naive" : "/room", headers));
    for (const client of five) await client.receives("welcome");
    expect(await open("/room", headers).closed).toEqual({
      code: 1013,
      reason: "this user has five connections already",
    });
    five[0]?.socket.close();
    await five[0]?.closed;
    expect(typeof (await outcome(open("/room", headers)))).toBe("string");
    for (const { socket } of five) socket.close();
  });

  test("an address gets 200 connections without a session, then 503 until one has left, and users still come in", async () => {
    const crowded = await startServer("12-the-door", { FIRST_WORD_MS: "60000" });
    const door = { path: "/room", headers: {} };
    const all = await Promise.all(
      Array.from({ length: 200 }, async () => (await rawWebSocket(crowded.port, door)).resume()),
    );
    const ask = async () =>
      raw(
        crowded.port,
        "GET /room HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    const answer = await ask();
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toMatch(/^retry-after: \d+/im);
    const headers = cookie(sign(anybody()));
    expect(typeof (await outcome(open("/room", headers, crowded)))).toBe("string");
    const ticket = await ticketOf(headers, crowded);
    expect(typeof (await outcome(open(`/room?ticket=${ticket}`, {}, crowded)))).toBe("string");
    for (const socket of all) socket.destroy();
    await until(async () => {
      const client = await rawWebSocket(crowded.port, door).catch(() => undefined);
      client?.destroy();
      return client !== undefined;
    });
  });

  test("a stranger who doesn't answer the close frame is cut off", async () => {
    const began = performance.now();
    const doors = ["/naive", "/room?ticket=none", "/room"].map((path) => ({ path, headers: {} }));
    const cutOff = async (door: (typeof doors)[number]) => {
      const socket = await rawWebSocket(server.port, door);
      await new Promise((resolve) => socket.resume().on("close", resolve));
    };
    await Promise.all(doors.map(cutOff));
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test("ten messages, then two a second: a user's connections share one bucket", async () => {
    const headers = cookie(sign(anybody()));
    const both = [open("/room", headers), open("/room", headers)];
    for (const client of both) await client.receives("welcome");
    const count = (type: string) =>
      both.map((client) => client.received.filter((one) => one.type === type).length);
    // Nine each: with a bucket of its own, neither connection would be refused anything.
    for (let n = 0; n < 9; n++) for (const client of both) client.send({ type: "say", text: `${n}` });
    const refusals = () => count("refused").reduce((sum, count) => sum + count);
    await until(() => (count("message")[0] ?? 0) + refusals() === 18);
    expect(count("message")[0]).toBeGreaterThanOrEqual(10);
    expect(refusals()).toBeGreaterThan(0);
    for (const client of both)
      for (const { type, reason } of client.received)
        if (type === "refused") expect(reason).toMatch(/^Too fast/);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const before = refusals();
    both[0]?.send({ type: "say", text: "in time" });
    await both[1]?.receives("message", ({ text }) => text === "in time");
    expect(refusals()).toBe(before);
    for (const { socket } of both) socket.close();
  });

  test("neither many logins of a few connections nor many new connections keep anybody waiting", async () => {
    const [flooder, ada, grace] = [new EventEmitter(), new EventEmitter(), new EventEmitter()];
    const started: string[] = [];
    const finish: (() => void)[] = [];
    const ask = (who: string, socket = new EventEmitter()) => {
      const response = Object.assign(new EventEmitter(), { req: { socket } });
      return inTurn(response as unknown as ServerResponse, async () => {
        started.push(who);
        await new Promise<void>((resolve) => finish.push(resolve));
      });
    };
    const all = Array.from({ length: 20 }, () => ask("a flooder", flooder));
    all.push(ask("Ada", ada), ask("Grace", grace), ask("Grace again", grace));
    for (let n = 0; n < 20; n++) all.push(ask("a new connection"));
    for (let n = 0; n < all.length; n++) {
      await until(() => finish.length > n);
      finish[n]?.();
    }
    await Promise.all(all);
    // Three had started before Ada came. From then on, every second turn goes to one that has asked least often.
    expect(started.slice(0, 8)).toContain("Ada");
    expect(started.indexOf("Grace again")).toBeLessThan(started.lastIndexOf("a new connection"));
  });

  test("a bucket fills by the second, never above its size, and each key has its own", () => {
    const buckets = new Buckets(2, 1_000);
    expect([1, 2, 3].map(() => buckets.take("Ada"))).toEqual([true, true, false]);
    expect(buckets.take("Grace")).toBe(true);
    const end = performance.now() + 5;
    while (performance.now() < end);
    expect([1, 2, 3].map(() => buckets.take("Ada"))).toEqual([true, true, false]);
  });

  test("a message over 16 KiB is closed with 1009, a flood with 1008", async () => {
    const big = open("/room", cookie(sign(anybody())));
    await big.receives("welcome");
    big.send({ type: "say", text: "x".repeat(20_000) });
    expect(await big.closed).toMatchObject({ code: 1009 });
    const flood = open("/room", cookie(sign(anybody())));
    await flood.receives("welcome");
    for (let n = 0; n < 30; n++) flood.send({ type: "say", text: `${n}` });
    expect(await flood.closed).toEqual({ code: 1008, reason: "ten refusals in ten seconds" });
  });

  test("a long text is cut between two characters, never inside an emoji", async () => {
    const client = open("/room", cookie(sign(anybody())));
    await client.receives("welcome");
    client.send({ type: "say", text: "👩‍👩‍👧‍👦".repeat(600) });
    const { text } = await client.receives("message", ({ text }) => text.startsWith("👩"));
    expect(text).toBe("👩‍👩‍👧‍👦".repeat(text.length / "👩‍👩‍👧‍👦".length));
    client.socket.close();
  });
});

/** A busy computer may take five times as long. Without a logout, the sockets would stay open for an hour. */
const busySecond = 5_000;

describe("leaving", () => {
  test("a logout closes all sockets of its session within a second, and no others", async () => {
    const session = anybody();
    const [headers, elsewhere] = [cookie(sign(session)), cookie(sign({ ...session, id: "another" }))];
    const [one, other, stays] = [open("/room", headers), open("/naive", headers), open("/room", elsewhere)];
    for (const client of [one, other, stays]) await client.receives("welcome");
    const began = performance.now();
    const answer = await post("/logout", undefined, headers);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^door-session=;.*1970/);
    for (const client of [one, other])
      expect(await client.closed).toEqual({ code: 4401, reason: "your session has ended" });
    expect(performance.now() - began).toBeLessThan(busySecond);
    stays.send({ type: "beat" });
    await stays.receives("beat");
    // Somebody who has kept the cookie has nothing.
    expect(await outcome(open("/naive", headers))).toBe(4401);
    expect((await post("/logout", undefined, headers)).status).toBe(401);
    stays.socket.close();
  });

  test("an expired session closes its sockets within a second", async () => {
    const session = anybody(1);
    const client = open("/room", cookie(sign(session)));
    await client.receives("welcome");
    expect(await client.closed).toEqual({ code: 4401, reason: "your session has ended" });
    expect(Date.now() - session.until).toBeLessThan(busySecond);
  });

  test("a message that comes after the end of its session reaches nobody", async () => {
    const session = anybody();
    const [ada, grace] = [open("/room", cookie(sign(session))), open("/room", cookie(sign(anybody())))];
    for (const client of [ada, grace]) await client.receives("welcome");
    // A client that ignores the close frame.
    const socket = await rawWebSocket(server.port, { path: "/room", headers: cookie(sign(session)) });
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
    });
    await post("/logout", undefined, cookie(sign(session)));
    await until(() => received.includes("your session has ended"));
    const text = '{"type":"say","text":"still here"}';
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    grace.send({ type: "say", text: "Anybody?" });
    await grace.receives("message", (message) => message.text === "Anybody?");
    expect(grace.received.some((message) => message.text === "still here")).toBe(false);
    socket.destroy();
    grace.socket.close();
  });

  test("somebody who may only read receives everything, and is refused in words", async () => {
    const name = randomUUID().slice(0, 8);
    await signUp(name, "reader");
    const { headers } = await logIn(name);
    const [reader, ada] = [open("/room", headers), open("/room", cookie(sign(anybody())))];
    expect(await reader.receives("welcome")).toMatchObject({ role: "reader" });
    await ada.receives("welcome");
    reader.send({ type: "say", text: "May I?" });
    expect((await reader.receives("refused")).reason).toBe("You may only read.");
    ada.send({ type: "say", text: "No" });
    await reader.receives("message", ({ text }) => text === "No");
    expect(ada.received.some(({ text }) => text === "May I?")).toBe(false);
    for (const { socket } of [reader, ada]) socket.close();
  });

  test("the server ignores an empty SESSION_SECRET: a session signed with it opens nothing", async () => {
    const careless = await startServer("12-the-door", { SESSION_SECRET: "" });
    const [text = ""] = sign(anybody()).split(".");
    const signed = `${text}.${createHmac("sha256", "").update(text).digest("base64url")}`;
    expect(await outcome(open("/naive", cookie(signed), careless))).toBe(4401);
  });

  test("a session outlives a restart of the server with the same secret, and none with another", async () => {
    const headers = cookie(sign(anybody()));
    const other = await startServer("12-the-door", { SESSION_SECRET: "another" });
    expect(typeof (await outcome(open("/naive", headers, small)))).toBe("string");
    expect(await outcome(open("/naive", headers, other))).toBe(4401);
  });
});

describe("logging in", () => {
  test("a wrong password is refused, the sixth attempt in a minute isn't made, nobody else is kept out", async () => {
    // A server of its own: it counts again from 0 every minute after its start.
    const young = await startServer("12-the-door", { PAGE_PORT: "8000" });
    for (const name of ["Ada", "Grace"]) await signUp(name, "member", young);
    const attempt = (word: string) => post("/login", { name: "Ada", password: word }, {}, young);
    for (let n = 0; n < 5; n++) expect((await attempt("wrong horse")).status).toBe(401);
    const answer = await attempt(password);
    expect(answer.status).toBe(429);
    expect(answer.headers.get("Retry-After")).toBe("60");
    expect(answer.headers.getSetCookie()).toEqual([]);
    await logIn("Grace", {}, young);
    await young.kill();
  });

  test("attempts at the same time count, too", async () => {
    const name = randomUUID().slice(0, 8);
    await signUp(name);
    const countTried = async () => {
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, n) => post("/login", { name, password: `wrong horse ${n}` })),
      );
      return all.filter(({ status }) => status === 401).length;
    };
    // If the server's minute ended in between, it doesn't end again so soon.
    expect((await countTried()) <= 5 || (await countTried()) <= 5).toBe(true);
  });

  test("a name that nobody has is answered like a wrong password, and takes as much time", async () => {
    const took = async (name: string) => {
      const began = performance.now();
      const answer = await post("/login", { name, password: "wrong horse" });
      expect([answer.status, await answer.json()]).toEqual([
        401,
        { error: "The name or the password is wrong." },
      ]);
      return performance.now() - began;
    };
    expect(await took(randomUUID().slice(0, 8))).toBeGreaterThan(0.2 * (await took(known)));
  });

  test("a login waits for its turn behind six others, and none is sent away", async () => {
    const others = Array.from({ length: 6 }, () =>
      post("/login", { name: randomUUID().slice(0, 8), password }),
    );
    expect((await post("/login", { name: known, password })).status).toBe(200);
    for (const other of others) expect((await other).status).toBe(401);
  });

  test("a client that leaves before its turn has made no attempt", async () => {
    const others = Array.from({ length: 6 }, () =>
      post("/login", { name: randomUUID().slice(0, 8), password }),
    );
    const body = JSON.stringify({ name: known, password: "wrong horse" });
    const head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    // A new connection: when it is answered, the server has read the connections before it.
    const isRead = () => raw(server.port, "GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await isRead();
    const leaving = Array.from({ length: 8 }, () => connect(server.port, "127.0.0.1"));
    for (const socket of leaving) socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    await Promise.all(leaving.map((socket) => once(socket, "connect")));
    await isRead();
    for (const socket of leaving) socket.destroy();
    expect((await post("/login", { name: known, password })).status).toBe(200);
    await Promise.all(others);
  });

  test("there is a limit to the number of users", async () => {
    const made = [];
    for (const name of ["Ada", "Grace"]) made.push((await signUp(name, "member", small)).status);
    expect(made).toEqual([201, 503]);
  });

  test("a name that looks like somebody's is taken", async () => {
    for (const name of [known, known.toUpperCase(), known.replace("A", "\u0410")])
      expect((await signUp(name)).status).toBe(409);
  });

  test.each<[string, string, object | string, Record<string, string>, number]>([
    ["not JSON", "/login", "{", {}, 400],
    ["null", "/login", "null", {}, 422],
    ["an array", "/login", "[]", {}, 422],
    ["without a password", "/login", { name: "Ada" }, {}, 422],
    ["with a password that is a number", "/login", { name: "Ada", password: 12345678 }, {}, 422],
    ["with an unknown field", "/users", { name: "Ada", password, admin: true }, {}, 422],
    ["with __proto__", "/users", `{"name":"Ada","password":"${password}","__proto__":{}}`, {}, 422],
    ["with an unknown role", "/users", { name: "Ada", password, role: "admin" }, {}, 422],
    ["with a short password", "/users", { name: "Ada", password: "1234567" }, {}, 422],
    ["with a very long password", "/users", { name: "Ada", password: "x".repeat(201) }, {}, 422],
    ["with a blank name", "/users", { name: " ", password }, {}, 422],
    ["with a reserved name", "/users", { name: "Server", password }, {}, 422],
    ["with the name of a guest", "/users", { name: "Guest of Ada", password }, {}, 422],
    ["with a name that looks like a guest's", "/users", { name: "GUE\u0405T  0f Ada", password }, {}, 422],
    ["for a thousand hours", "/login", { name: "Ada", password, seconds: 3_600_000 }, {}, 422],
    ["over the limit", "/users", { name: "Ada", password: "x".repeat(20_000) }, {}, 413],
    ["as a form", "/login", "name=Ada", { "Content-Type": "application/x-www-form-urlencoded" }, 415],
    ["as latin1", "/login", "{}", { "Content-Type": "application/json; charset=latin1" }, 415],
  ])("a body that is %s is refused with a reason", async (_what, path, body, headers, expected) => {
    const answer = await post(path, body, headers);
    expect(answer.status).toBe(expected);
    expect((await answer.json()).error).toMatch(/\w/);
  });

  test("a body that is not UTF-8, or over the limit without saying so, is refused", async () => {
    const head = `POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const bytes = new Uint8Array([34, 255, 34]);
    const headers = { "Content-Type": "application/json" };
    expect((await fetch(`${server.url}/login`, { method: "POST", headers, body: bytes })).status).toBe(400);
    const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
    expect(await raw(server.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`)).toMatch(
      /^HTTP\/1.1 413 /,
    );
  });

  test.each(["/.git/config", "/../package.json", "/%2e%2e/package.json", "/%", "//", "/login/x"])(
    "the path %s is answered with 404 or 400",
    async (path) => {
      const answer = await raw(
        server.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
      expect(answer).not.toMatch(/^ {4}at /m);
    },
  );

  test.each([
    ["evil.example", 421],
    ["localhost.evil.example", 421],
    ["a b", 400],
  ])("a request for the host %j is answered with %i", async (host, expected) => {
    const answer = await raw(server.port, `GET /me HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${expected} `));
  });

  test("a wrong method is answered with 405 and what is allowed", async () => {
    for (const method of ["GET", "DELETE"]) {
      const answer = await fetch(`${server.url}/login`, { method });
      expect([answer.status, answer.headers.get("Allow")]).toEqual([405, "POST"]);
    }
  });

  test("our page may ask with its cookie and read the answer, another page may not", async () => {
    const ask = (method: string, path: string, Origin: string) =>
      fetch(server.url + path, { method, headers: { Origin } });
    for (const [method, path] of [
      ["GET", "/me"],
      ["OPTIONS", "/login"],
    ] as const) {
      const { headers } = await ask(method, path, page);
      expect(headers.get("Access-Control-Allow-Origin")).toBe(page);
      expect(headers.get("Access-Control-Allow-Credentials")).toBe("true");
    }
    for (const foreign of [
      "http://localhost:8012",
      "http://127.0.0.1:8012",
      "https://evil.example",
      "null",
    ]) {
      expect((await ask("GET", "/me", foreign)).headers.get("Access-Control-Allow-Origin")).toBeNull();
      for (const path of ["/login", "/logout", "/ticket", "/token", "/users"]) {
        expect((await ask("POST", path, foreign)).status, path).toBe(403);
        expect((await ask("OPTIONS", path, foreign)).status, path).toBe(403);
      }
    }
  });

  test("requests that are sent before there is an answer close the connection", async () => {
    const request = "GET /me HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const answers = await raw(server.port, request.repeat(50));
    expect(answers.split("HTTP/1.1 ").length - 1).toBeLessThanOrEqual(1);
  });
});

describe("Mallory's page", () => {
  test("is at another port of the same host, or at the other name of this computer", async () => {
    const follow = async (from: string, host: string) => {
      const answer = await raw(
        server.port,
        `GET /mallory?from=${from} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      return answer.match(/^location: (\S+)/im)?.[1] ?? "";
    };
    expect(await follow("port", "localhost:8080")).toMatch(/^http:\/\/localhost:\d+\/\?door=localhost:8080$/);
    expect(await follow("site", "localhost:8080")).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/\?door=localhost:8080$/,
    );
    expect(await follow("port", "127.0.0.1:8080")).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await follow("site", "127.0.0.1:8080")).toMatch(/^http:\/\/localhost:/);
    const { port } = new URL(await follow("port", "localhost"));
    expect(port).not.toBe(String(server.port));
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/html/);
    expect(await answer.text()).toMatch(/Mallory/);
  });
});
