// Tests of where a server listens.
import { expect, test } from "vitest";
import { headerValues, listenAddresses } from "./allowed-hosts.ts";

const here = ["127.0.0.1", "::1"];

test.each([
  [{}, here],
  [{ HOST: "x86_64-conda-linux-gnu" }, here],
  [{ HOST: "127.0.0.1" }, here],
  [{ HOST: "0.0.0.0" }, here],
  [{ HOST: "192.0.2.7" }, here],
  [{ HOST: "192.0.2.7", LAN_HOSTS: "192.0.2.7" }, [...here, "192.0.2.7"]],
  [{ HOST: "0.0.0.0", LAN_HOSTS: "192.0.2.7" }, ["0.0.0.0", "::1"]],
  [{ LAN_HOSTS: "192.0.2.7" }, here],
])("with %j a server listens on %j", (env, addresses) => {
  expect(listenAddresses(env)).toEqual(addresses);
});

test("headers are read one by one, whatever another one is named", () => {
  const rawHeaders = ["Host", "a", "__proto__", "x", "constructor", "y", "host", "b"];
  expect(headerValues({ rawHeaders }, "host")).toEqual(["a", "b"]);
  expect(headerValues({ rawHeaders }, "__proto__")).toEqual(["x"]);
  expect(headerValues({ rawHeaders }, "origin")).toEqual([]);
});
