// A list that scrolls and grows at its end.

/** A reader this close to the end is reading there. */
const nearPx = 40;

/**
 * Keeps `box` scrolled to its end while its children grow, unless somebody has scrolled back to read.
 *
 * It never asks for a size between two writes: that would make the browser lay out the page once more for each. A
 * ResizeObserver runs after the layout of a frame, and before its picture.
 */
export function keepAtEnd(box: HTMLElement): void {
  let isAtEnd = true;
  /** Where we have scrolled to. Above that, somebody scrolls back, even if the event for it is still to come. */
  let top = 0;
  /** An open row that somebody reads. While any part of it is in sight, the list stays where it is. */
  let read: HTMLDetailsElement | undefined;
  const isReadInSight = () =>
    read?.isConnected && read.getBoundingClientRect().bottom > box.getBoundingClientRect().top;
  const scroll = () => {
    const end = box.scrollHeight - box.clientHeight;
    if (!isAtEnd || box.scrollTop < Math.min(top, end) - 1) return;
    box.scrollTop = end;
    top = box.scrollTop;
  };
  box.addEventListener("scroll", () => {
    const isNear = box.scrollTop + box.clientHeight > box.scrollHeight - nearPx;
    const wasAtEnd = isAtEnd;
    // More may have been added since we scrolled: that isn't somebody who scrolls back.
    isAtEnd = (isNear && !isReadInSight()) || (isAtEnd && box.scrollTop >= top - 1);
    if (isAtEnd) {
      top = Math.min(top, box.scrollTop);
      read = undefined;
    }
    if (isAtEnd === wasAtEnd) return;
    // Otherwise browsers keep the text in its place when rows above it are removed.
    box.style.overflowAnchor = isAtEnd ? "none" : "";
  });
  // Closing the row, or scrolling on to the end, follows the list again.
  const toggled = ({ target }: Event) => {
    const row = target as HTMLDetailsElement;
    if (row.open ? !isAtEnd : row !== read) return;
    read = row.open ? row : undefined;
    isAtEnd = !row.open;
    box.style.overflowAnchor = isAtEnd ? "none" : "";
    top = 0;
    scroll();
  };
  // It doesn't bubble.
  box.addEventListener("toggle", toggled, { capture: true });
  box.style.overflowAnchor = "none";
  const observer = new ResizeObserver(scroll);
  for (const each of [box, ...box.children]) observer.observe(each);
}
