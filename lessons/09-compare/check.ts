// Exercise 8, Packed: polling's answers are compressed for whoever accepts it, where it pays.
import { get } from "node:http";
import { gunzipSync } from "node:zlib";
import type { Answer } from "../../shared/both/old-message.ts";
import { CheckFailed, check, eventually, expectThat } from "../../shared/machinery/checks/checks.ts";
import { request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

type Got = { encoding: string | undefined; vary: string; bytes: Buffer; answer: Answer };

/** Asks as the page does, and takes what comes as it comes: fetch would unpack it unseen. */
function poll(server: LessonServer, after: number, acceptEncoding?: string): Promise<Got> {
  const headers = acceptEncoding === undefined ? {} : { "Accept-Encoding": acceptEncoding };
  const path = `/messages?after=${after}`;
  return new Promise((resolve, reject) => {
    const fail = (happened: string) => reject(new CheckFailed(`a whole answer to GET ${path}`, happened));
    const signal = AbortSignal.timeout(3_000);
    const request = get(server.url + path, { headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", () => fail("it broke off, or was not as long as Content-Length says"));
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { "content-encoding": encoding, vary = "" } = response.headers;
        try {
          const text = (encoding === "gzip" ? gunzipSync(bytes) : bytes).toString();
          resolve({ encoding, vary, bytes, answer: JSON.parse(text) });
        } catch {
          fail(`Content-Encoding is ${encoding ?? "not there"}, and the body is not that`);
        }
      });
    });
    request.on("error", () => fail("the connection was closed, or nothing came within 3 s"));
  });
}

const setSpeed = (server: LessonServer, perSecond: number) =>
  request(server, "/settings", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ perSecond, size: 100, everyMs: 1_000, clients: 1 }),
  });

/** A log with something in it, that stands still. */
async function said(server: LessonServer): Promise<number> {
  await setSpeed(server, 100);
  const last = async () => (await poll(server, 0)).answer.messages.length;
  await eventually(
    async () => (await last()) >= 30,
    "thirty messages within a few seconds",
    () => "there were fewer",
  );
  await setSpeed(server, 0.1);
  return last();
}

const named = ({ encoding }: Got) => (encoding ? `Content-Encoding: ${encoding}` : "no Content-Encoding");

export const checks = [
  check("many messages come compressed to a page that accepts it", "Hint 1", async (server) => {
    await said(server);
    for (const accepts of ["gzip, deflate, br, zstd", "gzip", "br;q=1.0, gzip;q=0.5"]) {
      const got = await poll(server, 0, accepts);
      expectThat(
        got.encoding === "gzip",
        `Content-Encoding: gzip for 30 messages, asked for with Accept-Encoding: ${accepts}`,
        `there was ${named(got)}, and ${got.bytes.length} bytes`,
      );
      const plain = JSON.stringify(got.answer).length;
      expectThat(
        got.bytes.length < plain / 2,
        `less than half of the ${plain} bytes that it has uncompressed`,
        `it has ${got.bytes.length}`,
      );
    }
  }),

  check("unpacked, it is the answer that it was", "Hint 2", async (server) => {
    const last = await said(server);
    const [packed, plain] = [await poll(server, 5, "gzip"), await poll(server, 5)];
    expectThat(
      packed.answer.messages?.length >= last - 5,
      `the ${last - 5} messages after 5`,
      `there were ${packed.answer.messages?.length ?? "none"}`,
    );
    for (const field of ["log", "reset"] as const)
      expectThat(
        packed.answer[field] === plain.answer[field],
        `${field}: ${plain.answer[field]}, as uncompressed`,
        `${field}: ${packed.answer[field]}`,
      );
    const [ids, expected] = [packed, plain].map(({ answer }) =>
      answer.messages.slice(0, 20).map(({ id }) => id),
    );
    expectThat(`${ids}` === `${expected}`, `the ids ${expected}`, `the ids ${ids}`);
  }),

  check("who does not accept gzip gets it plain", "Hint 1", async (server) => {
    await said(server);
    for (const accepts of [undefined, "identity", "br", "gzip;q=0", "gzip; q=0.0, br"]) {
      const got = await poll(server, 0, accepts);
      expectThat(
        got.encoding === undefined,
        `no Content-Encoding for ${accepts === undefined ? "a request without Accept-Encoding" : `Accept-Encoding: ${accepts}`}`,
        `there was ${named(got)}`,
      );
    }
  }),

  check("an empty answer stays plain: compressed it would be longer", "Hint 2", async (server) => {
    let after = await said(server);
    const got = await eventually(
      async () => {
        const now = await poll(server, after, "gzip");
        after = now.answer.messages.at(-1)?.id ?? after;
        return now.answer.messages.length === 0 && now;
      },
      "an empty answer for whoever has seen everything",
      () => "there was always something in it",
    );
    expectThat(
      got.encoding === undefined,
      `no Content-Encoding for ${JSON.stringify(got.answer).length} bytes`,
      `there was ${named(got)}, and ${got.bytes.length} bytes`,
    );
  }),

  check("a cache between the two keeps both kinds apart", "Hint 3", async (server) => {
    await said(server);
    for (const accepts of ["gzip", undefined]) {
      const { vary } = await poll(server, 0, accepts);
      for (const name of ["Accept-Encoding", "Origin"])
        expectThat(
          vary
            .toLowerCase()
            .split(/\s*,\s*/)
            .includes(name.toLowerCase()),
          `Vary to name ${name}, whether the answer is compressed or not`,
          accepts ? `asked for with gzip it was "${vary}"` : `asked for without gzip it was "${vary}"`,
        );
    }
  }),
];
