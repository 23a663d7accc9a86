// Promises of `npm run reset`, in a copy of the workshop: first as a downloaded zip, then as a git checkout.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type Copy, copyWorkshop, serverSource } from "../launcher/workshop-copy.ts";
import { browser } from "../testing/browser.ts";
import { freePort } from "../testing/process.ts";

const tale = "lessons/03-tale";
const server = `${tale}/server.ts`;
let workshop: Copy;
const read = (...path: string[]) => readFile(workshop.path(...path), "utf8");

async function run(command: string, ...args: string[]) {
  const running = workshop.start([command, ...args]);
  const code = await running.ended;
  const output = running.output();
  for (const line of output.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  const [, kept = ""] = output.match(/^A copy of your changes is in (.+)$/m) ?? [];
  return { code, output, kept };
}
const reset = (...args: string[]) => run("reset/reset", ...args);

async function makeWorkshop() {
  workshop = await copyWorkshop();
  await cp(workshop.path(tale), workshop.path("lessons/04-other"), { recursive: true });
}

/** What a learner leaves behind: an edited file, a lost one, a new one, and an exercise that is done. */
async function work(folder = tale) {
  await workshop.save(`${folder}/server.ts`, "my own");
  await rm(workshop.path(folder, "dot.svg"), { force: true });
  await workshop.save(`${folder}/mine/notes.md`, "my notes");
  await mkdir(workshop.path(".workshop"), { recursive: true });
  const done = { "03-tale": "2026-11-21", "04-other": "2026-11-22" };
  await writeFile(workshop.path(".workshop/progress.json"), JSON.stringify({ done }));
}

function promises(source: string) {
  test("brings one lesson back and leaves the others alone", async () => {
    await work();
    await work("lessons/04-other");
    const { code, output } = await reset("3");
    expect(code).toBe(0);
    expect(output).toContain(`lessons/03-tale is ${source}.`);
    for (const line of ["restored   server.ts", "restored   dot.svg", "removed    mine/notes.md"])
      expect(output).toContain(line.replace(/(\S+)$/, `${tale}/$1`));
    expect(await read(server)).toBe(serverSource);
    expect(await read(tale, "dot.svg")).toContain("<svg");
    expect(existsSync(workshop.path(tale, "mine"))).toBe(false);
    expect(await read("lessons/04-other/server.ts")).toBe("my own");
    expect(JSON.parse(await read(".workshop/progress.json"))).toEqual({ done: { "04-other": "2026-11-22" } });
  });

  test("keeps what it takes away in a folder that it names", async () => {
    await work();
    const first = await reset("tale");
    expect(first.kept).toMatch(/^\.workshop\/before-reset\/\d{4}(-\d\d){5}(-\d+)?$/);
    expect(await read(first.kept, server)).toBe("my own");
    expect(await read(first.kept, tale, "mine/notes.md")).toBe("my notes");
    expect(await read(first.kept, ".workshop/progress.json")).toContain("2026-11-21");
    await workshop.save(server, "my second try");
    const second = await reset("tale");
    expect(await read(second.kept, server)).toBe("my second try");
    expect(await read(first.kept, server)).toBe("my own");
  });

  test("brings back a lesson whose folder is gone", async () => {
    await rm(workshop.path(tale), { recursive: true });
    expect((await reset("03-tale")).code).toBe(0);
    expect(await read(server)).toBe(serverSource);
  });

  test("brings all lessons back, and leaves a lesson alone that is the learner's own", async () => {
    await work();
    await work("lessons/04-other");
    await workshop.save("lessons/10-mine/server.ts", "my lesson");
    const { code, output } = await reset();
    expect(code).toBe(0);
    expect(output).toContain(`All lessons are ${source}.`);
    for (const folder of [tale, "lessons/04-other"])
      expect(await read(folder, "server.ts")).toBe(serverSource);
    expect(await read("lessons/10-mine/server.ts")).toBe("my lesson");
    expect((await run("launcher/lesson")).output).not.toContain("done");
  });

  test("says when nothing has changed, and keeps nothing then", async () => {
    await reset();
    const { code, output } = await reset();
    expect(code).toBe(0);
    expect(output).toBe(
      `\nAll lessons are ${source}.\nPages show the drawer as they did on your first visit.\n\n`,
    );
  });

  test("answers a lesson that doesn't exist with the list", async () => {
    const { code, output } = await reset("9");
    expect(code).toBe(1);
    expect(output).toMatch(/^No lesson 9\. The lessons are:\n\n +3 +tale/);
  });
}

describe("without git, as from a zip", () => {
  beforeAll(makeWorkshop);

  test("says so when no copy was made, and changes nothing", async () => {
    await workshop.save(server, "my own");
    const { code, output } = await reset("3");
    expect(code).toBe(1);
    expect(output).toMatch(/can't be restored: git doesn't track them, and there is no copy/);
    expect(await read(server)).toBe("my own");
    await workshop.save(server, serverSource);
  });

  test.each(["launcher/lesson", "checks/check"])("%s makes the copy, and never again", async (command) => {
    await rm(workshop.path(".workshop"), { recursive: true, force: true });
    await run(command, ...(command === "checks/check" ? ["9"] : []));
    await workshop.save(server, "my own");
    await run("launcher/lesson");
    await reset("3");
    expect(await read(server)).toBe(serverSource);
  });

  describe("once the lessons have been listed", () => {
    beforeAll(async () => {
      await run("launcher/lesson");
    });

    promises("the same as when you first started a lesson");

    test("lets the drawer forget that it was folded, once", async () => {
      const wire =
        '<link rel="icon" href="data:,"><script type="module" src="/shared/machinery/cable/panel.ts"></script>';
      await workshop.save(`${tale}/index.html`, `<!doctype html>${wire}<wire-panel></wire-panel>`);
      const PAGE_PORT = String(await freePort());
      const pages = workshop.start(["pages/pages"], { PAGE_PORT, CABLE_PORT: String(await freePort()) });
      await pages.prints(/Pages at/);
      const page = await (await browser()).newPage({ viewport: { width: 1280, height: 1100 } });
      const url = `http://localhost:${PAGE_PORT}/${tale}/`;
      const drawer = page.getByRole("button", { name: "The cable" });
      const isOpen = () => drawer.getAttribute("aria-expanded");
      await page.goto(url);
      expect(await isOpen()).toBe("true");
      await drawer.press("Enter");
      await page.goto(url);
      expect(await isOpen()).toBe("false");
      await reset("4");
      await page.goto(url);
      expect(await isOpen()).toBe("true");
      await drawer.press("Enter");
      await page.goto(url);
      expect(await isOpen()).toBe("false");
      await pages.kill();
    });
  });
});

describe("with git", () => {
  const git = (...args: string[]) => {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    const { status, stdout } = spawnSync("git", [...author, ...args], {
      cwd: workshop.path(),
      encoding: "utf8",
    });
    expect(status, args.join(" ")).toBe(0);
    return stdout;
  };

  beforeAll(async () => {
    await makeWorkshop();
    git("init", "-q");
    git("add", "lessons");
    git("commit", "-q", "-m", "Lessons");
  });

  promises("the same as in the last commit (git)");

  test("forgets what was staged, too", async () => {
    await work();
    git("add", tale);
    await reset("3");
    expect(git("status", "--porcelain", tale)).toBe("");
  });

  test("compares as git does: ends of lines that git has written are no change", async () => {
    git("config", "core.autocrlf", "true");
    await rm(workshop.path(server));
    git("checkout", server);
    expect(await read(server)).toContain("\r\n");
    expect((await reset("3")).output).toMatch(/^\nlessons\/03-tale is the same as in the last commit/);
    git("config", "core.autocrlf", "false");
  });

  test("works inside somebody else's repository, which tracks other files", async () => {
    git("rm", "-q", "-r", "--cached", "lessons");
    git("commit", "-q", "--allow-empty", "-m", "Without the lessons");
    await rm(workshop.path(".workshop"), { recursive: true, force: true });
    await reset();
    await workshop.save(server, serverSource);
    await run("launcher/lesson");
    await workshop.save(server, "my own");
    expect((await reset("3")).output).toContain("the same as when you first started a lesson");
    expect(await read(server)).toBe(serverSource);
  });
});
