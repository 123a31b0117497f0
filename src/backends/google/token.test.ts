import { type KeyObject, generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readGoogleKey } from "../../gateway/google-key.ts";
import type { GoogleKey } from "../../gateway/identity.ts";
import { FakeClock } from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import type { Client } from "../../transport/transport.ts";
import { makeIdentities } from "../identity/identities.ts";
import { readIdentitySettings } from "../identity/settings.ts";
import { type Seen, type StandIn, startStandIn } from "../identity/stand-in.fixture.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;

let client: Client;
let google: StandIn;
let folder: string;
beforeAll(async () => {
  client = createClient();
  google = await startStandIn((seen) => {
    const wrong = seen.path === "/token" ? wrongExchange(seen) : wrongMetadata(seen);
    if (wrong !== null) return { status: 400, body: { error: "invalid_grant", error_description: wrong } };
    return { body: { access_token: `ya29.${google.seen.length}`, expires_in: 3599, token_type: "Bearer" } };
  });
  folder = mkdtempSync(join(tmpdir(), "headgate-google-"));
});
afterAll(async () => {
  await client.close();
  await google.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => void (google.seen.length = 0));

/** "Using OAuth 2.0 for Server to Server Applications", "Preparing to make an authorized API call". */
function wrongExchange({ method, headers, form }: Seen): string | null {
  if (method !== "POST" || headers["content-type"] !== "application/x-www-form-urlencoded") return "request";
  if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return "grant_type";
  const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
  if (JSON.stringify(read(header)) !== '{"alg":"RS256","typ":"JWT","kid":"key-1"}') return "header";
  const { iss, scope, aud, iat, exp } = read(claims) as Record<string, unknown>;
  if (iss !== "sa@project.iam.gserviceaccount.com" || scope !== SCOPE || aud !== `${google.url}/token`)
    return "claims";
  if (Number(exp) - Number(iat) !== 3600)
    return "Invalid JWT: Token must be a short-lived token (60 minutes)";
  return verify(
    "RSA-SHA256",
    Buffer.from(`${header}.${claims}`),
    publicKey,
    Buffer.from(signature, "base64url"),
  )
    ? null
    : "Invalid JWT Signature.";
}

function wrongMetadata({ path, headers, query }: Seen): string | null {
  if (path !== "/computeMetadata/v1/instance/service-accounts/default/token") return "path";
  if (headers["metadata-flavor"] !== "Google") return "Missing Metadata-Flavor:Google header.";
  return query.get("scopes") === SCOPE ? null : "scopes";
}

const fileOf = (changed: object = {}): string =>
  JSON.stringify({
    type: "service_account",
    client_email: "sa@project.iam.gserviceaccount.com",
    private_key_id: "key-1",
    private_key: pem(privateKey),
    token_uri: `${google.url}/token`,
    ...changed,
  });
const identitiesIn = (environment: Record<string, string> = {}) =>
  makeIdentities(
    { client, clock: new FakeClock(), random: () => 0.5, log: () => {} },
    readIdentitySettings(environment),
  );

test("a key's assertion becomes a token, once for 100 at once, and for the same key read again", async () => {
  const identities = identitiesIn();
  const tokens = await Promise.all(
    Array.from({ length: 100 }, () => identities.googleToken(readGoogleKey(fileOf()) as GoogleKey, SCOPE)),
  );
  expect(new Set(tokens)).toEqual(new Set(["ya29.1"]));
  expect(google.seen).toHaveLength(1);
});

test("the key file that the environment names", async () => {
  const file = join(folder, "key.json");
  writeFileSync(file, fileOf());
  expect(await identitiesIn({ GOOGLE_APPLICATION_CREDENTIALS: file }).googleToken(null, SCOPE)).toBe(
    "ya29.1",
  );
});

test("without a key, the metadata service", async () => {
  expect(await identitiesIn({ GCE_METADATA_HOST: `127.0.0.1:${google.port}` }).googleToken(null, SCOPE)).toBe(
    "ya29.1",
  );
});

test("another key's signature is refused, and the refusal is told", async () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const key = readGoogleKey(fileOf({ private_key: pem(other) })) as GoogleKey;
  await expect(identitiesIn().googleToken(key, SCOPE)).rejects.toThrow(
    "Google's token endpoint answered 400: Invalid JWT Signature.",
  );
});

test.each<[string, string | (() => string), string]>([
  ["no JSON", "x", "it is not a JSON object"],
  ["a user's", () => fileOf({ type: "authorized_user" }), "its `type` is not `service_account`"],
  ["no address", () => fileOf({ client_email: "" }), "it has no `client_email`"],
  ["no key", () => fileOf({ private_key: 1 }), "it has no `private_key`"],
  [
    "a broken key",
    () => fileOf({ private_key: "-----BEGIN PRIVATE KEY-----\nx" }),
    "its `private_key` cannot be read",
  ],
  [
    "a key of another kind",
    () => fileOf({ private_key: pem(generateKeyPairSync("ed25519").privateKey) }),
    "its `private_key` is not an RSA key",
  ],
  [
    "no URL",
    () => fileOf({ token_uri: "file:///etc/passwd" }),
    "its `token_uri` is not an absolute http or https URL",
  ],
])("%s", (_name, text, reason) => {
  expect(readGoogleKey(typeof text === "string" ? text : text())).toBe(reason);
});
