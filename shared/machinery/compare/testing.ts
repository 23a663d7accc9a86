// For tests of lesson 9: a page's stream of lanes and counts, and readers of the four lanes.
import { EventSourceParserStream } from "eventsource-parser/stream";
import { expect } from "vitest";
import type { Lane, Settings } from "../../../lessons/09-compare/settings.ts";
import type { Answer, Message } from "../../both/message.ts";
import type { Counts, Spent } from "../../page/stream-figures.ts";
import { Client, type LessonServer, until } from "../testing/lesson.ts";

export const stream: Settings = { perSecond: 50, size: 100, everyMs: 100, clients: 1 };

type Told = Settings & {
  page: string;
  ports: Record<Lane, number>;
  published: number;
  counts: Record<Lane, Counts>;
  spent: Record<Lane, Spent>;
  frozen: boolean;
};

/** A page's event stream. `next` waits for an event of this name that comes from now on and fits. */
export async function openTab({ url }: LessonServer, search = "") {
  const ending = new AbortController();
  const response = await fetch(`${url}/lanes${search}`, { signal: ending.signal });
  expect(response.status).toBe(200);
  const received: { event?: string | undefined; data: Told }[] = [];
  const read = async () => {
    const texts = response.body?.pipeThrough(new TextDecoderStream());
    for await (const { event, data } of texts?.pipeThrough(new EventSourceParserStream()) ?? [])
      received.push({ event, data: JSON.parse(data) });
  };
  read().catch(() => {});
  await until(() => received.length > 0);
  async function next(name: string, fits: (data: Told) => boolean = () => true): Promise<Told> {
    const from = received.length;
    const found = () => received.slice(from).find(({ event, data }) => event === name && fits(data))?.data;
    await until(found);
    return found() as Told;
  }
  return { ...(received[0]?.data as Told), next, close: () => ending.abort() };
}
export type Tab = Awaited<ReturnType<typeof openTab>>;

export const post = (
  { url }: LessonServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) =>
  fetch(`${url}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

export const answerOf = async (port: number, after = 0): Promise<Answer> =>
  (await fetch(`http://127.0.0.1:${port}/messages?after=${after}`)).json();

/** Everything that a lane's lesson has, read over the lane's cable in the lesson's own way. */
export async function read(lane: Lane, port: number): Promise<Message[]> {
  if (lane === "polling" || lane === "long-polling") return (await answerOf(port)).messages;
  const messages: Message[] = [];
  if (lane === "websocket") {
    const client = await Client.open(port);
    client.send({ type: "resume", after: 0 });
    await until(() => client.received.some(({ messages }) => messages?.length > 0));
    for (const each of client.received) messages.push(...(each.messages ?? []));
    client.socket.terminate();
    return messages;
  }
  const ending = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/events?after=0`, { signal: ending.signal });
  const events = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of events ?? []) {
    if (event === undefined && data) messages.push(JSON.parse(data));
    if (messages.length >= 40) break;
  }
  ending.abort();
  return messages;
}
