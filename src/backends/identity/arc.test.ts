/** The identity of a server that Azure Arc connects, from a stand-in that wants the secret of the file it names. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import type { Client } from "../../transport/transport.ts";
import { fetchAzureToken } from "./azure.ts";
import { readIdentitySettings } from "./settings.ts";
import { type Reply, type StandIn, startStandIn } from "./stand-in.fixture.ts";

const RESOURCE = "https://cognitiveservices.azure.com";
const SECRET = "s3cret-of-this-machine";

let client: Client;
let agent: StandIn;
let folder: string;
let realm: string;
beforeAll(async () => {
  client = createClient();
  folder = mkdtempSync(join(tmpdir(), "headgate-arc-"));
  mkdirSync(join(folder, "tokens"));
  mkdirSync(join(folder, "elsewhere"));
  for (const [name, content] of [
    ["tokens/a.key", SECRET],
    ["tokens/a.txt", SECRET],
    ["elsewhere/a.key", SECRET],
    ["tokens/empty.key", " \n"],
    ["tokens/long.key", "x".repeat(5000)],
  ] as const)
    writeFileSync(join(folder, name), content);
  agent = await startStandIn(({ method, path, query, headers }): Reply => {
    if (method !== "GET" || path !== "/metadata/identity/oauth2/token") return { status: 404 };
    if (headers["metadata"] !== "true") return { status: 400, body: { error_description: "Metadata" } };
    if (query.get("api-version") !== "2019-11-01" || query.get("resource") !== RESOURCE)
      return { status: 400, body: { error_description: "query" } };
    if (headers["authorization"] === undefined)
      return { status: 401, headers: realm === "" ? {} : { "www-authenticate": realm } };
    return headers["authorization"] === `Basic ${SECRET}`
      ? { body: { access_token: "arc.token", expires_in: "86400", token_type: "Bearer" } }
      : { status: 401, body: { error_description: "Unauthorized" } };
  });
});
afterAll(async () => {
  await client.close();
  await agent.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  agent.seen.length = 0;
  realm = `Basic realm=${join(folder, "tokens", "a.key")}`;
});

function token(clientId: string | null = null): Promise<string> {
  const { azure } = readIdentitySettings({
    IDENTITY_ENDPOINT: `${agent.url}/metadata/identity/oauth2/token`,
    IMDS_ENDPOINT: agent.url,
  });
  const settings = { ...azure, arc: { ...azure.arc!, keyFolder: join(folder, "tokens") } };
  const world = { client, clock: new FakeClock(), random: () => 0.5, log: () => {} };
  return fetchAzureToken(world, settings, RESOURCE, clientId).then(({ value }) => value);
}

test("the file's secret answers the challenge", async () => {
  expect(await token()).toBe("arc.token");
  expect(agent.seen.map(({ headers }) => headers["authorization"])).toEqual([undefined, `Basic ${SECRET}`]);
});

test("a realm in quotes", async () => {
  realm = `Basic realm="${join(folder, "tokens", "a.key")}"`;
  expect(await token()).toBe("arc.token");
});

test.each<[string, () => string, RegExp]>([
  ["another folder", () => `Basic realm=${join(folder, "elsewhere", "a.key")}`, /names no key file below/],
  ["a way out of the folder", () => `Basic realm=${folder}/tokens/../elsewhere/a.key`, /names no key file/],
  ["a folder below", () => `Basic realm=${folder}/tokens/x/a.key`, /names no key file/],
  ["a file of another kind", () => `Basic realm=${join(folder, "tokens", "a.txt")}`, /names no key file/],
  ["no challenge", () => "", /names no key file/],
  ["another challenge", () => "Bearer realm=x", /names no key file/],
  ["a file that is not there", () => `Basic realm=${join(folder, "tokens", "b.key")}`, /cannot be read/],
  ["an empty file", () => `Basic realm=${join(folder, "tokens", "empty.key")}`, /holds no key/],
  ["a file that is too long", () => `Basic realm=${join(folder, "tokens", "long.key")}`, /holds no key/],
])("%s is refused, and nothing is shown", async (_name, given, message) => {
  realm = given();
  await expect(token()).rejects.toThrow(message);
  expect(agent.seen).toHaveLength(1);
});

test("there are no user-assigned identities", async () => {
  await expect(token("some-id")).rejects.toThrow("no user-assigned identities");
  expect(agent.seen).toHaveLength(0);
});

test.each([
  [{ IDENTITY_ENDPOINT: "http://e", IMDS_ENDPOINT: "http://i" }, "arc"],
  [{ IDENTITY_ENDPOINT: "http://e", IMDS_ENDPOINT: "http://i", IDENTITY_HEADER: "h" }, "platform"],
  [{ IMDS_ENDPOINT: "http://i" }, "neither"],
])("%j: %s", (environment, expected) => {
  const { arc, platform } = readIdentitySettings(environment).azure;
  expect(arc !== null ? "arc" : platform !== null ? "platform" : "neither").toBe(expected);
});
