import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer } from "../transport/node/index.ts";
import type { Server } from "../transport/transport.ts";
import { createDoor, refusal } from "./door.ts";

let server: Server;
beforeAll(async () => {
  const onRequest = createDoor("the-secret", {
    "/a/echo": (question) => ({ status: 200, body: question }),
    "/a/later": async () => {
      await Promise.resolve();
      return refusal(404, "ThingNotFound", "There is no such thing.");
    },
    "/a/bug": () => {
      throw new Error("not for the outside");
    },
  });
  server = await createServer({ host: "127.0.0.1", port: 0, onRequest });
});
afterAll(() => server.close());

const RIGHT = "Bearer the-secret";

test.each<[string, string, string, string | undefined, number, unknown]>([
  ["POST", "/a/echo", RIGHT, '{"id":1}', 200, { id: 1 }],
  ["POST", "/a/echo?x=1", RIGHT, undefined, 200, {}],
  ["POST", "/a/echo", RIGHT, "7", 200, {}],
  [
    "POST",
    "/a/later",
    RIGHT,
    "{}",
    404,
    { error: { code: "ThingNotFound", message: "There is no such thing." } },
  ],
  [
    "POST",
    "/a/echo",
    RIGHT,
    "{",
    400,
    { error: { code: "BadRequest", message: "The request cannot be read." } },
  ],
  ["POST", "/a/echo", RIGHT, `"${"x".repeat(20_000)}"`, 400, expect.anything()],
  [
    "POST",
    "/a/bug",
    RIGHT,
    "{}",
    500,
    { error: { code: "InternalError", message: "The gateway cannot say." } },
  ],
  ["POST", "/a/other", RIGHT, "{}", 404, { error: { code: "NotFound", message: "There is no such path." } }],
  ["POST", "/constructor", RIGHT, "{}", 404, expect.anything()],
  ["GET", "/a/echo", RIGHT, undefined, 405, expect.anything()],
  ["POST", "/a/echo", "Bearer the-secreT", "{}", 401, expect.anything()],
  ["POST", "/a/echo", "", "{}", 401, expect.anything()],
])("%s %s with %j and %j is answered %i", async (method, path, authorization, body, status, expected) => {
  const headers = { authorization };
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = body;
  const reply = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  expect([reply.status, await reply.json()]).toEqual([status, expected]);
  expect(reply.headers.get("cache-control")).toBe("no-store");
});
