// A market to look at: eight symbols whose prices go up and down, 200 quotes a second, with twenty bids and asks each.
export const symbols = ["ADA", "ALAN", "EDSGER", "GRACE", "HEDY", "LESLIE", "RADIA", "TIM"];
const perSecond = Number(process.env.PER_SECOND ?? 200);
const depth = 20;

/** `at`: milliseconds of this server's own clock, which never jumps. */
export type Price = { symbol: string; price: number; at: number };
type Order = { price: number; size: number };
/** A price, and the order book behind it: who would buy or sell at which price. As JSON it has 1.2 kB. */
export type Quote = Price & { bids: Order[]; asks: Order[] };
/** The same with its number, as the bytes of a message. `brief`: without the order book, about 70 bytes. */
export type Encoded = { id: number; symbol: string; bytes: Buffer; brief: Buffer };

/** The time by the server's own clock. */
export const nowMs = () => Math.round(performance.now());

/** Quotes in one turn of the event loop. More of them, to many readers, would keep everything else waiting. */
const mostInOneTurn = 20;

/** Calls `take` with 200 quotes a second, as evenly as timers allow. After a pause, it makes up for one second at most. */
export function everyQuote(take: (quote: Quote) => void): void {
  let lastMs = performance.now();
  let owed = 0;
  setInterval(() => {
    const now = performance.now();
    owed = Math.min(perSecond, owed + ((now - lastMs) * perSecond) / 1_000);
    lastMs = now;
    for (let n = 0; n < mostInOneTurn && owed >= 1; n++, owed--) take(nextQuote());
  }, 5);
}

const prices = new Map(symbols.map((symbol, n) => [symbol, 80 + 15 * n]));

function nextQuote(): Quote {
  const symbol = symbols[Math.floor(Math.random() * symbols.length)] as string;
  const price = cents(Math.min(500, Math.max(10, Number(prices.get(symbol)) + (Math.random() - 0.5) * 0.4)));
  prices.set(symbol, price);
  const orders = (step: number) =>
    Array.from({ length: depth }, (_, n) => ({
      price: cents(price + (n + 1) * step),
      size: 100 + Math.floor(Math.random() * 900),
    }));
  return { symbol, price, at: nowMs(), bids: orders(-0.05), asks: orders(0.05) };
}

const cents = (amount: number) => Math.round(amount * 100) / 100;

/** Encoded once, for all readers. */
export function encodeQuote(id: number, { bids, asks, ...price }: Quote): Encoded {
  const brief = { type: "quote", id, ...price };
  return { id, symbol: price.symbol, bytes: toBytes({ ...brief, bids, asks }), brief: toBytes(brief) };
}

/** A message as bytes. */
export const toBytes = (message: object) => Buffer.from(JSON.stringify(message));
