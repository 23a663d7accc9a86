// The slides in the browser: reveal.js, a menu, day and night, and the lessons themselves in frames.
import Reveal from "reveal.js";
import Highlight from "reveal.js/plugin/highlight";
import Notes from "reveal.js/plugin/notes";

const query = new URLSearchParams(location.search);
const isPrint = query.get("view") === "print";
/** Inside the speaker's view, which shows this page twice more: there the lessons stay a picture of themselves. */
const isPreview = query.has("receiver");
/** On the web, where the slides are for reading (npm run site). */
const isSite = document.documentElement.hasAttribute("data-site");
/** No lesson runs here. */
const isStill = isPrint || isPreview || isSite;

/** A course by its minutes, "90": only its slides, and the speaker's view keeps the pace. Otherwise all slides. */
const course = query.get("course") ?? "";
const minutesOf = (slide: Element | null) => Number(slide?.getAttribute(`data-minutes-${course}`));
const inCourse = document.querySelectorAll(`[data-minutes-${CSS.escape(course)}]`);
if (inCourse.length > 0) {
  document.documentElement.dataset.course = course;
  for (const slide of document.querySelectorAll<HTMLElement>(".slides section section")) {
    slide.dataset.timing = String(minutesOf(slide) * 60);
    if (!minutesOf(slide)) slide.remove();
  }
  for (const emptied of document.querySelectorAll("[data-deck]:not(:has(section))")) emptied.remove();
  for (const element of document.querySelectorAll<HTMLElement>(".plan [data-course]"))
    element.hidden = element.dataset.course !== course;
}

const deck = new Reveal({
  width: 1280,
  height: 720,
  margin: 0,
  maxScale: 4,
  center: false,
  hash: true,
  controls: false,
  slideNumber: "c/t",
  // With this, the speaker's view compares the clock with the minutes of the slides, in `data-timing`.
  defaultTiming: inCourse.length > 0 ? 60 : null,
  transition: "none",
  backgroundTransition: "none",
  // Every key and every clicker goes on through all slides, deck after deck.
  navigationMode: "linear",
  // Frames are filled below, and never before their slide is shown.
  preloadIframes: false,
  pdfSeparateFragments: false,
  pdfMaxPagesPerSlide: 1,
  // While the menu is open, all keys are its own, also when nothing in it has the focus.
  keyboardCondition: () => !menu.open,
  keyboard: { 77: () => menu.showModal(), 68: () => dark(!isDark()) },
  plugins: [Notes],
});
deck.registerKeyboardShortcut("M", "Menu");
deck.registerKeyboardShortcut("D", "Dark or light");

// The speaker's view is a window that reveal.js opens and writes. It gives the notes too little room.
const openWindow = window.open;
window.open = (...args) => {
  const view = openWindow.apply(window, args);
  // After reveal.js has written it.
  if (view && args[1] === "reveal.js - Notes")
    setTimeout(() => {
      const style = view.document.createElement("link");
      style.rel = "stylesheet";
      style.href = new URL("speaker.css", location.href).href;
      view.document.head.append(style);
    });
  return view;
};

// Day and night: as the system has it, until somebody presses D.
const night = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (sessionStorage.getItem("scheme") ?? (night.matches ? "dark" : "light")) === "dark";
function dark(yes: boolean) {
  sessionStorage.setItem("scheme", yes ? "dark" : "light");
  applyScheme();
}
function applyScheme() {
  const scheme = isDark() && !isPrint ? "dark" : "light";
  document.documentElement.style.colorScheme = scheme;
  for (const frame of document.querySelectorAll("iframe"))
    frame.contentDocument?.documentElement.style.setProperty("color-scheme", scheme);
}
night.addEventListener("change", applyScheme);
applyScheme();

// The menu.
const menu = document.querySelector("#menu") as HTMLDialogElement;
document.querySelector("#open-menu")?.addEventListener("click", () => menu.showModal());
menu.addEventListener("click", ({ target }) => {
  // A link, or the room around the box.
  if (target === menu || (target as Element).closest("a")) menu.close();
});
menu.addEventListener("keydown", (event) => {
  if (event.key === "m") menu.close();
  event.stopPropagation(); // arrows and Enter are the menu's while it is open
});

/** In the menu: the lesson that runs, open to the network or not. */
const network = menu.querySelector("#network") as HTMLDetailsElement;
network.hidden = isStill;
network.addEventListener("toggle", async () => {
  await show();
  network.scrollIntoView({ block: "end" });
});

// The lessons in their slides. A lesson stays in its frames while its deck is shown: the chat goes on behind the talk.
type Now = {
  lesson?: string;
  answers?: boolean;
  mayOpen?: boolean;
  join?: { address: string; code: string; joined: number };
};
const lives = [...document.querySelectorAll<HTMLElement>(".live")];

async function whatRuns(): Promise<Now | undefined> {
  try {
    const answer = await fetch("now");
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return; // the pages server is being restarted, or has been stopped: all stays as it is
  }
}

async function show() {
  const shown = deck.getCurrentSlide()?.parentElement;
  const wanted = lives.filter((live) => shown?.contains(live));
  const joins = [...(shown?.querySelectorAll<HTMLElement>(".join") ?? [])];
  if (network.open) joins.push(network);
  for (const live of lives) if (!wanted.includes(live)) empty(live);
  if (wanted.length + joins.length === 0) return;
  const now = await whatRuns();
  if (!now) return;
  for (const live of wanted) {
    // A server that has stopped since is part of the lesson: its page stays.
    const isFilled = !part(live, "frames").hidden;
    if (now.lesson === live.dataset.lesson && (now.answers || isFilled)) fill(live);
    else explain(live, now);
  }
  for (const join of joins) invite(join, now);
}

function fill(live: HTMLElement) {
  part(live, "not-running").hidden = true;
  part(live, "frames").hidden = false;
  void addDrawer(live);
  for (const [index, frame] of live.querySelectorAll("iframe").entries()) {
    if (frame.src) continue;
    frame.addEventListener("load", () => furnish(frame, index));
    frame.src = frame.dataset.lessonPage ?? "";
  }
}

/** One drawer below both frames. Keys pressed in it are its own; Escape gives them back to the slides. */
async function addDrawer(live: HTMLElement) {
  if (live.querySelector("wire-panel")) return;
  const drawer = document.createElement("wire-panel");
  drawer.setAttribute("folded", "");
  drawer.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") (document.activeElement as HTMLElement | null)?.blur();
  });
  live.append(drawer);
  await import("../shared/machinery/cable/panel.ts");
}

function empty(live: HTMLElement) {
  live.querySelector("wire-panel")?.remove();
  part(live, "frames").hidden = true;
  for (const frame of live.querySelectorAll("iframe")) frame.removeAttribute("src");
}

const say = (words: string, ...rest: (string | Node)[]) => {
  const line = document.createElement("p");
  line.append(words, ...rest);
  return line;
};

function command(text: string) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}

function explain(live: HTMLElement, { lesson }: Now) {
  empty(live);
  const { number, poster } = live.dataset;
  if (poster && isStill) {
    const picture = document.createElement("img");
    picture.src = poster;
    picture.alt = "The lesson itself runs here, in the browser.";
    live.replaceChildren(part(live, "hint"), picture);
    if (isSite)
      live.append(say("A picture. The lesson runs on your computer: ", command(`npm run lesson ${number}`)));
    return;
  }
  const another = lesson !== undefined && lesson !== live.dataset.lesson;
  const lines = [
    say(another ? "Another lesson's server is running." : "This lesson's server is not running."),
  ];
  if (isStill) lines[0] = say("The lesson itself runs here.");
  const typing = say("In the terminal of the slides, type ", command(String(number)), " and press Enter.");
  const starting = say("Or start the slides with it: ", command(`npm run slides ${number}`));
  part(live, "not-running").replaceChildren(...lines, typing, starting);
  part(live, "not-running").hidden = false;
}

const part = (of: HTMLElement, name: string) => of.querySelector(`.${name}`) as HTMLElement;

/** A frame has loaded its lesson: give it the look of a slide, a person of its own, and the deck's keys. */
function furnish(frame: HTMLIFrameElement, index: number) {
  const page = frame.contentDocument;
  if (!page?.body || page.location.href === "about:blank") return;
  const style = page.createElement("link");
  style.rel = "stylesheet";
  style.href = "/slides/frame.css";
  page.head.append(style);
  applyScheme();
  // Both frames are in one tab, which gives both the same name.
  const name = page.querySelector<HTMLInputElement>('input[name="from"]');
  if (name) {
    name.value = ["Ada", "Grace"][index] ?? name.value;
    name.dispatchEvent(new Event("change", { bubbles: true })); // for a lesson that has sent the other one already
  }
  page.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") {
      (page.activeElement as HTMLElement | null)?.blur();
      window.focus();
    }
    if (key === "PageDown") deck.next(); // what a clicker sends
    if (key === "PageUp") deck.prev();
  });
}

const restarts = "The lesson restarts, and its messages are gone.";

/** The QR code, how many have joined, and for the speaker a button. Rewritten only when something has changed. */
function invite(join: HTMLElement, now: Now) {
  const state = JSON.stringify(now);
  if (join.dataset.state === state) return;
  join.dataset.state = state;
  const { join: open, mayOpen } = now;
  const code = part(join, "code");
  if (open) {
    const picture = document.createElement("img");
    picture.src = open.code;
    picture.alt = `QR code of ${open.address}`;
    const address = document.createElement("a");
    address.href = open.address;
    address.textContent = open.address;
    const joined = say(open.joined === 1 ? "1 has joined." : `${open.joined} have joined.`);
    code.replaceChildren(picture, address, joined);
    if (mayOpen) code.append(networkButton("Close to the network", "close"), say(restarts));
  } else if (mayOpen) {
    code.replaceChildren(
      say("Only this computer reaches the lesson."),
      networkButton("Open to this network", "open"),
      say(
        "Everyone on this network can then read the workshop's files and join the lesson, without a password.",
      ),
      say("Nothing is encrypted."),
      say(restarts),
    );
  } else {
    const start = `npm run slides ${join.dataset.number ?? now.lesson ?? 3}`;
    code.replaceChildren(
      say("This lesson isn't open to the network. To open it, start it like this:"),
      say("", command(`LAN=1 ${start}`)),
      say("In PowerShell: ", command(`$env:LAN=1; ${start}`)),
    );
  }
}

function networkButton(words: string, wish: "open" | "close") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.addEventListener("click", async () => {
    button.textContent = "A moment …";
    const answer = await fetch(`network?${wish}`, { method: "POST" }).catch(() => undefined);
    if (answer?.ok) return;
    button.textContent = words;
    button.after(say((await answer?.text()) || "The slides' program doesn't answer."));
  });
  return button;
}

// Clocks count down while the room works.
for (const clock of document.querySelectorAll<HTMLElement>(".countdown")) {
  const slide = clock.closest("section");
  const inCourses = slide?.getAttributeNames().filter((name) => name.startsWith("data-minutes-")) ?? [];
  const longest = Math.max(0, ...inCourses.map((name) => Number(slide?.getAttribute(name))));
  const minutes = minutesOf(slide) || longest;
  const [shown, button] = [clock.querySelector("span"), clock.querySelector("button")];
  if (!shown || !button) continue;
  let leftMs = (minutes || 15) * 60_000;
  let until: number | undefined;
  const tick = () => {
    const left = Math.max(0, until === undefined ? leftMs : until - Date.now());
    const seconds = Math.ceil(left / 1_000);
    shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    clock.classList.toggle("over", seconds === 0);
    button.textContent = until === undefined ? "Start" : "Stop";
  };
  button.addEventListener("click", () => {
    if (until !== undefined) leftMs = Math.max(0, until - Date.now());
    until = until === undefined ? Date.now() + leftMs : undefined;
    tick();
  });
  setInterval(tick, 250);
  tick();
}

// Code: coloured line by line, and where it has steps the lines of the present one stand out.
// The plugin brings highlight.js along; its types name a package that is not installed.
const { hljs } = Highlight() as unknown as {
  hljs: { highlight(text: string, options: { language: string }): { value: string } };
};
for (const code of document.querySelectorAll<HTMLElement>("figure.code code")) {
  const language = code.className.replace("language-", "");
  const lines = (code.textContent ?? "").split("\n").map((text) => {
    const line = document.createElement("span");
    line.className = "line";
    line.innerHTML = hljs.highlight(text, { language }).value || " ";
    return line;
  });
  code.replaceChildren(...lines);
}

/** Gives the code of each slide the largest size, in the slide's pixels, with which everything on the slide fits. */
function fitCode() {
  // Reveal shows one slide and hides the others, which have no size then. For this moment all have one.
  document.documentElement.classList.add("fitting");
  let tooLarge = [...document.querySelectorAll<HTMLElement>(".slide:has(figure.code)")];
  // All slides at each size: the browser lays out the page once for a size, not once for each slide.
  for (let size = 26; size >= 10 && tooLarge.length > 0; size--) {
    for (const slide of tooLarge) slide.style.setProperty("--code-size", `${size}px`);
    tooLarge = tooLarge.filter(overflows);
  }
  document.documentElement.classList.remove("fitting");
}

/** Whether the end of a slide is too low, or a line of its code too long. */
function overflows(slide: HTMLElement): boolean {
  const last = slide.lastElementChild as HTMLElement;
  const lowest = slide.clientHeight - Number.parseFloat(getComputedStyle(slide).paddingBottom);
  const lines = [...slide.querySelectorAll("figure.code .line")];
  return (
    last.offsetTop + last.offsetHeight > lowest ||
    lines.some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
  );
}

function point() {
  for (const figure of deck.getCurrentSlide()?.querySelectorAll("figure.code") ?? []) {
    const step = [...figure.querySelectorAll<HTMLElement>("i.fragment.visible")].at(-1)?.dataset.lines;
    const [from = 0, to = from] = step?.split("-").map(Number) ?? [];
    figure.classList.toggle("pointing", step !== undefined);
    for (const [index, line] of figure.querySelectorAll(".line").entries())
      line.classList.toggle("here", index + 1 >= from && index + 1 <= to);
  }
}

fitCode();
await deck.initialize();
if (isPrint && query.has("showNotes")) {
  // A page of the shape of A4, see deck.css. In the body, after reveal.js's own rule in the head.
  const page = document.createElement("style");
  page.textContent = "@page { size: 1280px 1810px; }";
  document.body.append(page);
}
if (!isPrint && !isPreview) {
  for (const event of ["slidechanged", "fragmentshown", "fragmenthidden"]) deck.on(event, point);
  point();
}
if (isStill) {
  for (const live of lives) explain(live, {});
  for (const join of document.querySelectorAll<HTMLElement>(".join")) invite(join, {});
} else {
  deck.on("slidechanged", show);
  // A lesson may be started, stopped or changed in the terminal at any time.
  setInterval(show, 1_500);
  await show();
}
document.documentElement.dataset.ready = "";
