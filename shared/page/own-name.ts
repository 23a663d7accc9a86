// A person's name in its box. Each tab is a different person, and stays the same one when it is reloaded.

const people = ["Ada", "Alan", "Grace", "Edsger", "Radia", "Vint", "Hedy", "Tim", "Barbara", "Leslie"];

/** Fills the box with the name that this tab had, or with a new one, and keeps what is typed there. */
export function keepName(box: HTMLInputElement): void {
  box.value = sessionStorage.getItem("name") ?? nextName();
  const keep = () => sessionStorage.setItem("name", box.value);
  keep();
  box.addEventListener("input", keep);
}

/** A browser's first window gets a random name, and each further one the next: no two side by side have the same. */
function nextName(): string {
  const kept = localStorage.getItem("person");
  const nth = kept === null ? Math.floor(Math.random() * people.length) : (Number(kept) + 1) % people.length;
  localStorage.setItem("person", String(nth));
  return people[nth] ?? "Ada";
}

/** The box for the name on a page without a chat. `changed` is called when the reader has entered another name. */
export function nameBox(changed: () => void): HTMLInputElement {
  const box = document.querySelector("input[name=from]") as HTMLInputElement;
  keepName(box);
  box.addEventListener("change", changed);
  return box;
}
