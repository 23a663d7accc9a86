// Who else comes to the door: Mallory, by the two links to his page, and a guest, by an invitation.
import { serverHost } from "../../shared/page/server-host.ts";
import { ask } from "./login-form.ts";

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector(selector) as Kind;

for (const from of ["port", "site"])
  find<HTMLAnchorElement>(`#from-${from}`).href = `http://${serverHost}/mallory?from=${from}`;

find("#invite").addEventListener("click", async () => {
  const place = find(".invitation");
  try {
    const guest = new URL(location.href);
    // A name of this computer for which the browser has no cookie.
    if (guest.hostname === "localhost") guest.hostname = "127.0.0.1";
    guest.search = `?invitation=${(await ask("POST", "/invitation", { seconds: 600 })).invitation}`;
    place.textContent = guest.href;
  } catch (error) {
    const { message } = error as Error;
    place.textContent = `No invitation: ${message}${message === "Nothing here." ? " That is the exercise." : ""}`;
  }
});
