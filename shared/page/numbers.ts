// The numbers that make a lesson's point: <dd data-number="requests"> is set by number("requests", 12).

/**
 * Shows `value` with commas between thousands and at most one decimal below ten. A string is shown as it is, for
 * example a close code: "1006". Throws when the page has no place for it.
 */
export function number(name: string, value: number | string): void {
  const place = document.querySelector(`[data-number="${name}"]`);
  if (!place) throw new Error(`No data-number="${name}" on this page.`);
  place.textContent = typeof value === "number" ? readable(value) : value;
  // For the page's style: "lost: 0" is good, "lost: 3" is not.
  place.classList.toggle("some", typeof value === "number" && value !== 0);
}

const counts = new Map<string, number>();

/** Adds `more` to a number that began at 0, shows it, and returns it. */
export function add(name: string, more = 1): number {
  const count = (counts.get(name) ?? 0) + more;
  counts.set(name, count);
  number(name, count);
  return count;
}

/** 1234567 → "1,234,567", 0.52 → "0.5". */
export function readable(value: number): string {
  const digits = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return String(digits).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ",");
}

/** Milliseconds with their sign, where it matters: "+3 ms", "−2,000 ms". Zero has none: "0 ms". */
export function signed(ms: number): string {
  const size = readable(Math.abs(ms));
  return `${size === "0" ? "" : ms < 0 ? "−" : "+"}${size} ms`;
}

/** Milliseconds as people say them: "80 ms", "1.3 s". */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${readable(ms / 1_000)} s`;
}
