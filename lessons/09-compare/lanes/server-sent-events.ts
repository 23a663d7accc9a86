// Server-sent events, as in lesson 8: one response that never ends. The browser reconnects by itself, with its cursor.
import { query, type Reader } from "./reader.ts";

/** Returns a function that stops it. */
export function serverSentEvents(reader: Reader) {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout>;

  function open() {
    reader.asked();
    source = new EventSource(`http://${reader.host}/events?${query(reader)}`);
    source.onopen = () => reader.state("open");
    source.onmessage = ({ data, lastEventId }) => {
      const [log = "", id] = lastEventId.split(":");
      Object.assign(reader.cursor, { log, after: Number(id) });
      reader.take(JSON.parse(data));
    };
    source.onerror = () => {
      reader.state("reconnecting", "the browser opens it again");
      reader.asked();
      // An answer other than 200 is final for the browser, so we open a new one.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 1_000);
    };
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
