// Slow readers: 200 quotes a second for everybody. Unread quotes wait here. How many, and for how long?
import { WebSocketServer } from "ws";
import { heartbeat } from "../../shared/pieces/heartbeat.ts";
import { ResumableLog } from "../../shared/pieces/resume-server.ts";
import { heartbeatTimes } from "../../shared/server/heartbeat-times.ts";
import { claimName } from "../../shared/server/names.ts";
import { serve, upgradeRequired } from "../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../shared/server/sockets.ts";
import { sendCosts } from "./compression.ts";
import { type Encoded, encodeQuote, everyQuote, type Price } from "./market.ts";
import { Incoming, JoinFirst, reads } from "./messages.ts";
import { Reader } from "./reader.ts";
import { Readers } from "./readers.ts";

const readers = new Readers();
const log = new ResumableLog<Price>(6_000); // half a minute, without the order books
const server = serve({
  "GET /": upgradeRequired,
  "GET /readers": readers.sendReport,
  "POST /compression": sendCosts,
});
const sockets = new WebSocketServer({ server, verifyClient: onlyOurPage, ...limits });
let lastId = 0;

// Exercise: "adapt" gets every quote while it keeps up. While it is slow, it gets only the latest of each symbol.
function give(reader: Reader, quote: Encoded) {
  const { care } = reader.wishes;
  if (care === "disconnect" && reader.unread > 1024 * 1024) return readers.end(reader);
  if (care === "keep" || care === "disconnect" || care === "adapt") return reader.send(quote.bytes);
  reader.wait(care === "oldest" ? quote.id : quote.symbol, quote);
  reader.sendWaiting();
}

everyQuote(({ bids, asks, ...price }) => {
  const { id } = log.add(price);
  const encoded = encodeQuote(id, { ...price, bids, asks });
  for (const reader of readers) give(reader, encoded);
  readers.boundTogether(); // nothing else bounds "keep"
});

sockets.on("connection", (client, { socket }) => {
  const reader = new Reader(client, socket, ++lastId);
  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, reader.hasJoined ? Incoming : JoinFirst, reads);
    if (message?.type === "read") return reader.acknowledge(message.bytes);
    if (message && !reader.mayWish()) return; // refused: at most 200 a second, acknowledgements aside
    if (message?.type === "beat") deliver(client, '{"type":"beat"}');
    if (message?.type !== "join" || !readers.hasRoomFor(reader)) return;
    const name = claimName(client, message.name); // "Ada (2)" when another Ada is here
    if (reader.join({ ...message, name })) reader.start(log, () => readers.add(reader));
    readers.broadcast({ type: "here", id: reader.id, name });
  });
  client.on("close", () => {
    if (readers.delete(reader)) readers.broadcast({ type: "here", id: reader.id }); // without a name: gone
  });
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

heartbeat(readers.silent(sockets.clients), heartbeatTimes);
closeOnShutdown(sockets.clients);
