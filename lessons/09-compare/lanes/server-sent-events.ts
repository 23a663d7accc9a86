// Server-sent events, as in lesson 7: one answer that never ends; the browser comes back by itself, with its cursor.
import type { Reader } from "./reader.ts";

/** Begins to listen. Call what is returned to end it. */
export function serverSentEvents({ host, cursor, take, asked, state }: Reader) {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout>;

  function open() {
    asked();
    source = new EventSource(`http://${host}/events?after=${cursor.after}&log=${cursor.log}`);
    source.onopen = () => state("open");
    source.onmessage = ({ data }) => take(JSON.parse(data));
    source.onerror = () => {
      state("reconnecting", "the browser opens it again");
      asked();
      // An answer other than 200 is final: then it is up to us.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 1_000);
    };
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
