// Positions as bytes, for page and server: 8 for each pointer. JSON would need about 30 for the same.

/** Where a pointer is. x and y go from 0 (left, top) to 65,535 (right, bottom), whatever the size of a screen. */
export type Position = { id: number; x: number; y: number };

export const farthest = 65_535;
const bytesEach = 8;

/** Bytes 0 to 3 are the id, 4 and 5 are x, 6 and 7 are y. A DataView writes the most significant byte first: big-endian. */
export function toBytes(positions: Position[]): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(positions.length * bytesEach));
  for (const [n, { id, x, y }] of positions.entries()) {
    view.setUint32(n * bytesEach, id);
    view.setUint16(n * bytesEach + 4, x);
    view.setUint16(n * bytesEach + 6, y);
  }
  return view;
}

/** A page's own position: bytes 0 and 1 are x, 2 and 3 are y. No id, since the server knows whose connection it is. */
export function placeToBytes({ x, y }: { x: number; y: number }): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, x);
  view.setUint16(2, y);
  return view;
}

/** Nothing in these bytes says what they mean, or in which version. Both sides have to know. */
export function fromBytes(buffer: ArrayBuffer): Position[] {
  const view = new DataView(buffer);
  return Array.from({ length: Math.floor(buffer.byteLength / bytesEach) }, (_, n) => ({
    id: view.getUint32(n * bytesEach),
    x: view.getUint16(n * bytesEach + 4),
    y: view.getUint16(n * bytesEach + 6),
  }));
}
