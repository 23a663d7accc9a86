// A demonstration, not part of the chat: seven more streams than the page needs.

/** Makes the page's two buttons open and close seven streams of `url`. Returns those that exist at the moment. */
export function offerSeven(url: string, changed: () => void): EventSource[] {
  const more: EventSource[] = [];
  const open = document.querySelector("#seven") as HTMLButtonElement;
  const close = document.querySelector("#less") as HTMLButtonElement;

  open.addEventListener("click", () => {
    for (let n = 1; n <= 7; n++) more.push(new EventSource(url));
    for (const each of more) each.addEventListener("open", changed);
    update();
  });
  close.addEventListener("click", () => {
    for (const each of more.splice(0)) each.close();
    update();
  });

  function update() {
    open.disabled = more.length > 0;
    close.disabled = more.length === 0;
    changed();
  }
  return more;
}
