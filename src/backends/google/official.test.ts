/**
 * Our exchange of a service account's key for a token next to the one of the official google-auth-library: both are held
 * against a token endpoint that refuses what Google's refuses.
 */
import { generateKeyPairSync, verify } from "node:crypto";
import { JWT } from "google-auth-library";
import { beforeEach, expect, test } from "vitest";
import { readGoogleKey } from "../../gateway/google-key.ts";
import type { GoogleKey } from "../../gateway/identity.ts";
import { FakeClock } from "../../gateway/testing.ts";
import { bytesSource } from "../../gateway/body.ts";
import type { Client, ClientRequest } from "../../transport/transport.ts";
import { fetchGoogleToken } from "./token.ts";

const TOKEN_URL = "https://oauth2.googleapis.com/token";
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const EMAIL = "gateway@project.iam.gserviceaccount.com";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" }) as string;

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly contentType: string;
  readonly form: URLSearchParams;
}

interface Claims {
  readonly iss: string;
  readonly scope: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
}

/** "Using OAuth 2.0 for Server to Server Applications", and Google's own errors. */
function tokenEndpoint({ method, url, contentType, form }: Asked, nowS: number): string | null {
  if (method !== "POST" || url !== TOKEN_URL) return "404";
  if (!contentType.startsWith("application/x-www-form-urlencoded")) return "invalid_request";
  if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer")
    return "unsupported_grant_type";
  const { header, claims, isSigned } = opened(form);
  if (header["alg"] !== "RS256" || (header["typ"] ?? "JWT") !== "JWT") return "invalid_grant: header";
  if (!isSigned) return "invalid_grant: Invalid JWT Signature.";
  if (claims.iss !== EMAIL) return "invalid_grant: account not found";
  if (claims.aud !== TOKEN_URL) return "invalid_grant: Invalid JWT: Failed audience check.";
  if (claims.exp - claims.iat > 3600 || claims.exp <= nowS || claims.iat > nowS + 300)
    return "invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
  return claims.scope === SCOPE ? null : "invalid_scope";
}

function opened(form: URLSearchParams): {
  header: Record<string, unknown>;
  claims: Claims;
  isSigned: boolean;
} {
  const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
  return {
    header: read(header) as Record<string, unknown>,
    claims: read(claims) as Claims,
    isSigned: verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${claims}`),
      publicKey,
      Buffer.from(signature, "base64url"),
    ),
  };
}

let asked: Asked[];
beforeEach(() => void (asked = []));

async function official(): Promise<string> {
  const client = new JWT({ email: EMAIL, key: PEM, keyId: "key-1", scopes: [SCOPE] });
  client.transporter.request = ((options: { url: string; method: string; data: URLSearchParams }) => {
    const contentType = "application/x-www-form-urlencoded";
    asked.push({ ...options, url: String(options.url), contentType, form: options.data });
    return Promise.resolve({ data: { access_token: "theirs", expires_in: 3599, token_type: "Bearer" } });
  }) as typeof client.transporter.request;
  return (await client.getAccessToken()).token!;
}

async function ours(nowMs: number, changed: object = {}): Promise<string> {
  const key = readGoogleKey(
    JSON.stringify({
      type: "service_account",
      client_email: EMAIL,
      private_key_id: "key-1",
      private_key: PEM,
      token_uri: TOKEN_URL,
      ...changed,
    }),
  ) as GoogleKey;
  const clock = new FakeClock();
  clock.ms = nowMs;
  const client: Client = {
    send: (request: ClientRequest) => {
      const { scheme, host, port, target, method, rawHeaders, body } = request;
      const contentType = rawHeaders[rawHeaders.indexOf("Content-Type") + 1]!;
      const url = new URL(`${scheme}://${host}:${port}${target}`).href;
      asked.push({
        method,
        url,
        contentType,
        form: new URLSearchParams(Buffer.from(body as Uint8Array).toString()),
      });
      const answer = Buffer.from('{"access_token":"ours","expires_in":3599,"token_type":"Bearer"}');
      return Promise.resolve({
        status: 200,
        reason: "OK",
        rawHeaders: ["Content-Type", "application/json"],
        httpVersion: "1.1",
        body: bytesSource(answer),
        tunnel: null,
      });
    },
    close: () => Promise.resolve(),
  };
  const world = { client, clock, random: () => 0.5, log: () => {} };
  const settings = { keyFile: null, metadata: "http://metadata.google.internal" };
  return (await fetchGoogleToken(world, settings, key, SCOPE)).value;
}

test("says what the official one says, and is believed as it is", async () => {
  expect(await official()).toBe("theirs");
  const theirs = opened(asked[0]!.form);
  const nowS = theirs.claims.iat;
  expect(tokenEndpoint(asked[0]!, nowS)).toBeNull();
  expect(await ours(nowS * 1000)).toBe("ours");
  expect(tokenEndpoint(asked[1]!, nowS)).toBeNull();
  const own = opened(asked[1]!.form);
  expect(own.claims).toEqual(theirs.claims);
  // Ours names the key besides, as Google's own documentation does.
  expect(own.header).toEqual({ typ: "JWT", kid: "key-1", ...theirs.header });
  expect([...asked[1]!.form.keys()].sort()).toEqual([...asked[0]!.form.keys()].sort());
});

test.each<[string, object, number, string]>([
  ["another account", { client_email: "x@project.iam.gserviceaccount.com" }, 0, "account not found"],
  [
    "another key",
    {
      private_key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
        type: "pkcs8",
        format: "pem",
      }),
    },
    0,
    "Invalid JWT Signature",
  ],
  ["a clock an hour behind", {}, -3601, "reasonable timeframe"],
  ["a clock far ahead", {}, 3600, "reasonable timeframe"],
])("the endpoint would refuse %s", async (_name, changed, skewS, refusal) => {
  const nowS = 1_790_000_000;
  await ours((nowS + skewS) * 1000, changed);
  expect(tokenEndpoint(asked[0]!, nowS)).toContain(refusal);
});
