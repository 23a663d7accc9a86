// Logging in and out, over HTTP. The cookie that these routes set comes along with the handshake.
import type { Server } from "node:http";
import type { Express } from "express";
import { parse } from "valibot";
import { readJson } from "../../shared/server/http.ts";
import { sendLesson, upgradeRequired } from "../../shared/server/serve.ts";
import { malloryNextDoor } from "./mallory.ts";
import { Claim, NewUser } from "./messages.ts";
import { cookieName, endSession, newSession, required, sessionOf, sign, viewOf } from "./sessions.ts";
import { addUser, checkPassword } from "./users.ts";

export function addLogin(app: Express, server: Server): void {
  app.post("/users", async (request, response) => {
    await addUser(parse(NewUser, await readJson(request)), response);
    response.status(201).json({});
  });

  app.post("/login", async (request, response) => {
    const { seconds, sameSite, ...claim } = parse(Claim, await readJson(request));
    const session = newSession(await checkPassword(claim, response), seconds);
    // httpOnly: no script can read it. A browser accepts "none" only together with "secure".
    const about = { httpOnly: true, sameSite, secure: sameSite === "none", maxAge: seconds * 1_000 };
    response.cookie(cookieName, sign(session), about).json(viewOf(session));
  });

  app.post("/logout", (request, response) => {
    endSession(required(request));
    response.clearCookie(cookieName).json({});
  });

  app.get("/me", (request, response) => {
    const session = sessionOf(request);
    response.json({ session: session ? viewOf(session) : null });
  });

  // For the naive door: the session as text, which a script can read now, and put into an address.
  app.post("/token", (request, response) => void response.json({ token: sign(required(request)) }));

  app.get(["/", "/room", "/naive"], upgradeRequired);
  app.get("/lesson", sendLesson);
  app.get("/mallory", malloryNextDoor(server));
}
