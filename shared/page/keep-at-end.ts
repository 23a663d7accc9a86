// A list that scrolls and grows at its end.

/** Somebody who is so close to the end is reading there. */
const nearPx = 40;

/**
 * Keeps `box` scrolled to its end while its children grow, unless somebody has scrolled back to read.
 *
 * It never asks for a size between two writes: that would make the browser lay out the page once more for each. A
 * ResizeObserver runs after the layout of a frame, and before its picture.
 */
export function keepAtEnd(box: HTMLElement): void {
  let isAtEnd = true;
  let top = 0;
  const scroll = () => {
    if (!isAtEnd) return;
    box.scrollTop = box.scrollHeight;
    top = box.scrollTop;
  };
  box.addEventListener("scroll", () => {
    // More may have been added since we scrolled: that isn't somebody who scrolls back.
    const isBack = box.scrollTop < top - 1;
    const isNear = box.scrollTop + box.clientHeight > box.scrollHeight - nearPx;
    const wasAtEnd = isAtEnd;
    isAtEnd = isNear || (isAtEnd && !isBack);
    if (isAtEnd === wasAtEnd) return;
    // Otherwise browsers keep the text in its place when rows above it are removed.
    box.style.overflowAnchor = isAtEnd ? "none" : "";
  });
  box.style.overflowAnchor = "none";
  const observer = new ResizeObserver(scroll);
  for (const each of [box, ...box.children]) observer.observe(each);
}
