// A person's name in its box. Each tab is a different person, and stays the same one when it is reloaded.

const people = ["Ada", "Alan", "Grace", "Edsger", "Radia", "Vint", "Hedy", "Tim", "Barbara", "Leslie"];

/** Fills the box with the name that this tab had, or with a random one, and keeps what is typed there. */
export function keepName(box: HTMLInputElement): void {
  box.value = sessionStorage.getItem("name") ?? people[Math.floor(Math.random() * people.length)] ?? "Ada";
  const keep = () => sessionStorage.setItem("name", box.value);
  keep();
  box.addEventListener("input", keep);
}

/** The box for the name on a page without a chat. `changed` is called when the reader has entered another name. */
export function nameBox(changed: () => void): HTMLInputElement {
  const box = document.querySelector("input[name=from]") as HTMLInputElement;
  keepName(box);
  box.addEventListener("change", changed);
  return box;
}
