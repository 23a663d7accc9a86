// Users and their passwords. The server keeps only a hash of each: a thief who gets it has to try every password.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { promisify } from "node:util";
import { nameKeys } from "../../shared/both/look-alikes.ts";
import { HttpError } from "../../shared/server/http.ts";
import { inTurn } from "./line.ts";
import type { Claim, NewUser } from "./messages.ts";

type User = { name: string; role: "member" | "reader"; salt: Buffer; hash: Buffer };
const { MAX_USERS = 1_000 } = process.env;
const users = new Map<string, User>(); // by a key that is the same for names that look the same
const keyOf = (name: string) => nameKeys(name).join();
const wrong = new Map<string, number>(); // attempts in this minute
setInterval(() => wrong.clear(), 60_000).unref();
const slowly = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** Slow on purpose: about a tenth of a second and 16 MiB for each, as OWASP advises. It runs beside the event loop. */
const hashOf = (password: string, salt: Buffer) => slowly(password, salt, 32, { N: 2 ** 14, r: 8, p: 5 });

/** @throws {HttpError} 409 when somebody has this name, or one that looks like it */
export function addUser({ name, password, role }: NewUser, response: ServerResponse): Promise<void> {
  return inTurn(response, async () => {
    refuseTaken(name);
    const salt = randomBytes(16); // so that two users with the same password have different hashes
    const hash = await hashOf(password, salt);
    refuseTaken(name); // somebody else may have been quicker
    users.set(keyOf(name), { name, role, salt, hash });
  });
}

function refuseTaken(name: string) {
  if (users.size >= Number(MAX_USERS)) throw new HttpError(503, "There are too many users already.");
  if (users.has(keyOf(name))) throw new HttpError(409, "name: somebody has this name already.");
}

const nobody = { salt: randomBytes(16), hash: randomBytes(32) };

/** @throws {HttpError} 401 for a wrong name or password, 429 after five of them in a minute */
export function checkPassword(
  { name, password }: Pick<Claim, "name" | "password">,
  response: ServerResponse,
): Promise<{ name: string; role: User["role"] }> {
  const key = keyOf(name);
  return inTurn(response, async () => {
    const attempts = wrong.get(key) ?? 0;
    if (attempts >= 5) throw new HttpError(429, "Five wrong passwords. Try again in a minute.");
    wrong.set(key, attempts + 1); // before the hash: attempts at the same time count, too
    const user = users.get(key);
    // For a name that nobody has, the same work: otherwise the time that it takes tells which names exist.
    const { salt, hash } = user ?? nobody;
    const isRight = timingSafeEqual(await hashOf(password, salt), hash);
    if (!user || !isRight) throw new HttpError(401, "The name or the password is wrong.");
    wrong.delete(key);
    return { name: user.name, role: user.role };
  });
}
