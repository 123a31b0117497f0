import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "../../test/gateway.ts";
import { createServer } from "../transport/node/index.ts";
import { makeAuthority, makeIdentity, makePfx } from "../transport/suite/certificates.ts";
import { signatureProblem } from "./aws/verify.fixture.ts";
import { type Reply, type StandIn, startStandIn } from "./identity/stand-in.fixture.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const MODEL = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse";

let upstream: StandIn;
let issuer: StandIn;
let folder: string;
beforeAll(async () => {
  upstream = await startStandIn(() => ({ body: "ok" }));
  issuer = await startStandIn(() => ({ status: 404 }));
  folder = mkdtempSync(join(tmpdir(), "headgate-credentials-"));
});
afterAll(async () => {
  await upstream.close();
  await issuer.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  upstream.seen.length = 0;
  upstream.answer = () => ({ body: "ok" });
  issuer.seen.length = 0;
});

const backend = (name: string, credentials: object, url = upstream.url): Files => ({
  [`backends/${name}/backendInformation.json`]: { properties: { url, protocol: "http", credentials } },
});
const sending = (
  name: string,
  inbound: string,
  more: { properties?: object; backend?: string; onError?: string } = {},
): Files =>
  api(name, undefined, ["GET /x", "POST /*"], {
    properties: more.properties,
    policy: policy({ inbound, backend: more.backend, onError: more.onError }),
  });
const to = (name: string): string => `<set-backend-service backend-id="${name}" />`;
const setting = (value: string): string =>
  `<set-header name="Authorization"><value>${value}</value></set-header>`;

async function call(gateway: TestGateway, path: string, init: RequestInit = {}) {
  const response = await fetch(gateway.url + path, {
    ...init,
    headers: { authorization: "Bearer caller", ...init.headers },
  });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

describe("managed identity of a backend", () => {
  let gateway: TestGateway;
  let good: Reply;

  beforeAll(async () => {
    gateway = await testGateway(
      {
        "namedValues/audience/namedValueInformation.json": {
          properties: { displayName: "audience", value: "https://ai.azure.com" },
        },
        ...backend("mi", {
          managedIdentity: { resource: "{{audience}}", clientId: "user" },
          header: { "x-own": ["1"] },
        }),
        ...backend("bad", { managedIdentity: { resource: "bad" } }),
        ...sending("mi", to("mi")),
        ...sending("before", setting("Bearer policy") + to("mi")),
        ...sending("after", to("mi") + setting("Bearer policy")),
        ...sending("deleted", `${to("mi")}<set-header name="Authorization" exists-action="delete" />`),
        ...sending("basic", `${to("mi")}<authentication-basic username="u" password="p" />`),
        ...sending("again", `${to("mi")}${setting("Bearer policy")}${to("mi")}`),
        ...sending("api", "", { properties: { backendId: "mi" } }),
        ...sending("bad", to("bad"), {
          onError:
            '<set-header name="x-error"><value>@(context.LastError.Source + " " + context.LastError.Reason)</value></set-header>',
        }),
      },
      { environment: { IDENTITY_ENDPOINT: `${issuer.url}/token`, IDENTITY_HEADER: "s" } },
    );
  });
  afterAll(() => gateway.close());
  beforeEach(() => {
    good = { body: { access_token: "token", expires_in: 3600 } };
    issuer.answer = ({ query }) =>
      query.get("resource") === "https://ai.azure.com" && query.get("client_id") === "user"
        ? good
        : { status: 400 };
  });

  test.each([
    ["mi", "Bearer token"],
    ["before", "Bearer token"],
    ["after", "Bearer policy"],
    ["deleted", "Bearer token"],
    ["basic", "Basic dTpw"],
    ["again", "Bearer token"],
    ["api", "Bearer token"],
  ])("%s", async (name, authorization) => {
    expect((await call(gateway, `/${name}/x`)).status).toBe(200);
    const { headers } = upstream.seen[0]!;
    expect([headers["authorization"], headers["x-own"]]).toEqual([authorization, "1"]);
  });

  test("no token, no request", async () => {
    const { status, headers, body } = await call(gateway, "/bad/x");
    expect([status, headers.get("x-error")]).toEqual([500, "forward-request CredentialUnavailable"]);
    expect(JSON.parse(body)).toMatchObject({ statusCode: 500, message: "Internal server error" });
    expect(upstream.seen).toEqual([]);
    expect(gateway.exchanges.at(-1)!.error).toMatchObject({ code: "credential_unavailable" });
  });
});

describe("AWS signatures", () => {
  test("keys from named values: what goes out is signed, body, query, model id and all; the caller's own is dropped", async () => {
    const gateway = await testGateway({
      "namedValues/accesskey/namedValueInformation.json": {
        properties: { displayName: "accesskey", value: KEYS.accessKeyId, secret: true },
      },
      "namedValues/secretkey/namedValueInformation.json": {
        properties: { displayName: "secretkey", value: KEYS.secretAccessKey, secret: true },
      },
      ...backend("bedrock", {
        awsSigV4: {
          accessKeyId: "{{accesskey}}",
          secretAccessKey: "{{secretkey}}",
          region: "us-east-1",
          service: "bedrock",
        },
        query: { tag: ["a b"] },
      }),
      ...sending("sdk", to("bedrock")),
      ...sending("again", to("bedrock"), {
        backend:
          '<retry condition="@(context.Response.StatusCode == 503)" count="1" interval="0"><forward-request buffer-request-body="true" /></retry>',
      }),
      ...sending("own", `${to("bedrock")}${setting("AWS4-HMAC-SHA256 made by a policy")}`),
    });
    const headers = {
      authorization: "AWS4-HMAC-SHA256 Credential=/",
      "x-amz-date": "20000101T000000Z",
      "content-type": "application/json",
    };
    const answers: (string | null)[] = [];
    upstream.answer = (seen) => {
      answers.push(signatureProblem(seen, KEYS, "bedrock"));
      return { status: seen.path.includes("flaky") && upstream.seen.length === 1 ? 503 : 200 };
    };
    const body = new ReadableStream({
      start: (controller) => {
        for (const part of ['{"messages":', "[]}"]) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    await call(gateway, `/sdk${MODEL}?x=1`, { method: "POST", headers, body, duplex: "half" } as RequestInit);
    await call(gateway, "/sdk/x");
    expect(upstream.seen.map(({ target }) => target)).toEqual([`${MODEL}?x=1&tag=a%20b`, "/x?tag=a%20b"]);
    expect(upstream.seen[0]!.body.toString()).toBe('{"messages":[]}');
    upstream.seen.length = 0;
    expect((await call(gateway, "/again/flaky", { method: "POST", body: "{}" })).status).toBe(200);
    expect(upstream.seen.map((seen) => seen.body.toString())).toEqual(["{}", "{}"]);
    expect(answers).toEqual([null, null, null, null]);
    await call(gateway, "/own/x");
    expect(upstream.seen.at(-1)!.headers["authorization"]).toBe("AWS4-HMAC-SHA256 made by a policy");
    await gateway.close();
  });

  const signing = () => ({
    ...backend("b", { awsSigV4: { region: "eu-west-1", service: "bedrock" } }),
    ...sending("a", to("b")),
  });

  test("keys from the environment", async () => {
    const gateway = await testGateway(signing(), {
      environment: {
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
        AWS_SESSION_TOKEN: "t",
      },
    });
    await call(gateway, "/a/x");
    expect(signatureProblem(upstream.seen[0]!, KEYS, "bedrock")).toBe(null);
    expect(upstream.seen[0]!.headers["x-amz-security-token"]).toBe("t");
    await gateway.close();
  });

  test("web identity: the security token service gives keys for the token of a file, once for 100 at once", async () => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "eyJ.web.identity\n");
    issuer.answer = ({ method, path, form }) => {
      const is = (name: string, value: string): boolean => form.get(name) === value;
      if (
        method !== "POST" ||
        path !== "/" ||
        !is("Action", "AssumeRoleWithWebIdentity") ||
        !is("Version", "2011-06-15")
      )
        return { status: 404 };
      if (
        !is("RoleArn", "arn:aws:iam::1:role/r") ||
        !is("RoleSessionName", "headgate") ||
        !is("WebIdentityToken", "eyJ.web.identity")
      ) {
        return {
          status: 400,
          body: "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No.</Message></Error></ErrorResponse>",
        };
      }
      return {
        headers: { "content-type": "text/xml" },
        body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
          <Credentials><SessionToken>FwoG/+=</SessionToken><SecretAccessKey>${KEYS.secretAccessKey}</SecretAccessKey>
          <Expiration>2999-10-24T23:00:23Z</Expiration><AccessKeyId>${KEYS.accessKeyId}</AccessKeyId></Credentials>
          </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      };
    };
    const environment = {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: "arn:aws:iam::1:role/r",
      AWS_ENDPOINT_URL_STS: issuer.url,
    };
    const gateway = await testGateway(signing(), { environment });
    const all = await Promise.all(
      Array.from({ length: 100 }, () => call(gateway, "/a/y", { method: "POST", body: "{}" })),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    expect(issuer.seen).toHaveLength(1);
    expect(upstream.seen.map((seen) => signatureProblem(seen, KEYS, "bedrock"))).toEqual(
      Array(100).fill(null),
    );
    expect(upstream.seen[0]!.headers["x-amz-security-token"]).toBe("FwoG/+=");
    await gateway.close();
  });

  test("no keys anywhere: no request", async () => {
    const gateway = await testGateway(signing());
    expect((await call(gateway, "/a/x")).status).toBe(500);
    expect(gateway.exchanges[0]!.error).toMatchObject({
      reason: "CredentialUnavailable",
      message: expect.stringContaining("AWS_ACCESS_KEY_ID"),
    });
    expect(upstream.seen).toEqual([]);
    await gateway.close();
  });
});

test("a Google service account's key, from a named value", async () => {
  const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  const value = JSON.stringify({
    type: "service_account",
    client_email: "a@b",
    private_key: privateKey,
    token_uri: `${issuer.url}/token`,
  });
  issuer.answer = ({ form }) =>
    form.has("assertion") ? { body: { access_token: "ya29", expires_in: 3600 } } : { status: 400 };
  const gateway = await testGateway({
    "namedValues/gcp/namedValueInformation.json": { properties: { displayName: "gcp", value, secret: true } },
    ...backend("vertex", { googleServiceAccount: { key: "{{gcp}}" } }),
    ...sending("a", to("vertex")),
  });
  await call(gateway, "/a/x");
  expect(upstream.seen[0]!.headers["authorization"]).toBe("Bearer ya29");
  await gateway.close();
});

describe("client certificates", () => {
  test("by id or thumbprint; one that is not here with its key: no request, whatever else there is", async () => {
    const authority = makeAuthority("issuer");
    const mine = makeIdentity({ name: "mine", issuer: authority });
    const shown: string[] = [];
    const server = await createServer({
      host: "127.0.0.1",
      port: 0,
      tls: { ...makeIdentity({ name: "upstream" }), requestClientCertificate: true },
      onRequest: (incoming) => {
        const der = incoming.clientCertificate();
        shown.push(
          der === null ? "nobody" : new X509Certificate(der).fingerprint.replaceAll(":", "").toLowerCase(),
        );
        incoming.reply.send(200, "", [], null);
      },
    });
    const tls = { validateCertificateChain: false, validateCertificateName: false };
    const secure = (name: string, credentials?: object): Files => ({
      [`backends/${name}/backendInformation.json`]: {
        properties: { url: `https://127.0.0.1:${server.port}`, protocol: "http", tls, credentials },
      },
      ...sending(name, to(name) + setting("Bearer policy")),
    });
    const gateway = await testGateway({
      "certificates/mine/certificateInformation.json": {
        properties: { data: makePfx(mine, authority).toString("base64") },
      },
      "certificates/vault/certificateInformation.json": {
        properties: { keyVault: { secretIdentifier: "https://v.example/secrets/c" } },
      },
      ...secure("by-id", { certificateIds: ["/certificates/vault", "/certificates/mine"] }),
      ...secure("by-print", { certificate: [mine.sha1.toUpperCase()] }),
      ...secure("without"),
      ...secure("missing", { certificateIds: ["/certificates/vault"], header: { "x-key": ["k"] } }),
    });
    const statuses: number[] = [];
    for (const name of ["by-id", "by-print", "without", "missing"])
      statuses.push((await call(gateway, `/${name}/x`)).status);
    expect(statuses).toEqual([200, 200, 200, 500]);
    expect(shown).toEqual([mine.sha1.toLowerCase(), mine.sha1.toLowerCase(), "nobody"]);
    expect(gateway.exchanges.at(-1)!.error).toMatchObject({
      code: "credential_unavailable",
      message: expect.stringContaining("/certificates/vault"),
    });
    await gateway.close();
    await server.close();
  });
});

test("a backend's credentials do not follow a redirect to another origin", async () => {
  const other = await startStandIn(() => ({ body: "elsewhere" }));
  upstream.answer = () => ({ status: 307, headers: { location: `${other.url}/y` } });
  const gateway = await testGateway({
    ...backend("keyed", { header: { "x-goog-api-key": ["secret"], "X-Plain": ["p"] } }),
    ...backend("signed", { awsSigV4: { ...KEYS, sessionToken: "t", region: "r", service: "s" } }),
    ...sending("keyed", to("keyed"), { backend: '<forward-request follow-redirects="true" />' }),
    ...sending("signed", to("signed"), { backend: '<forward-request follow-redirects="true" />' }),
  });
  for (const name of ["keyed", "signed"]) expect((await call(gateway, `/${name}/x`)).body).toBe("elsewhere");
  for (const { headers } of other.seen) {
    expect(Object.keys(headers).filter((name) => /key|plain|security|authorization/.test(name))).toEqual([]);
  }
  await gateway.close();
  await other.close();
});

test.each<[string, object, RegExp]>([
  [
    "two that exclude each other",
    { managedIdentity: { resource: "r" }, awsSigV4: {} },
    /HG5506 .*`b`.*`managedIdentity` and `awsSigV4` cannot stand together/,
  ],
  ["no resource", { managedIdentity: { clientId: "c" } }, /HG5506 .*`resource`/],
  ["half a pair of keys", { awsSigV4: { accessKeyId: "a" } }, /HG5506 .*go together/],
  ["a lone session token", { awsSigV4: { sessionToken: "a" } }, /HG5506 .*belongs to an `accessKeyId`/],
  ["no region", { awsSigV4: { service: "s" } }, /HG5506 .*needs a `region`/],
  ["no service", { awsSigV4: { region: "r" } }, /HG5506 .*needs a `service`/],
  ["no key", { googleServiceAccount: { key: "{}" } }, /HG5506 .*it has no `client_email`/],
])("refused when saved: %s", async (_name, credentials, expected) => {
  const problems = await testGateway(backend("b", credentials)).then(
    () => [],
    (error: { problems: { code: string; message: string }[] }) =>
      error.problems.map(({ code, message }) => `${code} ${message}`),
  );
  expect(problems.join("\n")).toMatch(expected);
});

test.each<[string, string, string]>([
  ["https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1", "bedrock"],
  ["https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "bedrock"],
  ["https://vpce-0a1b-2c3d.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1", "bedrock"],
  ["https://runtime.sagemaker.us-west-2.amazonaws.com/endpoints", "us-west-2", "sagemaker"],
  ["https://lambda.cn-north-1.amazonaws.com.cn", "cn-north-1", "lambda"],
])("%s tells region and service", async (url, region, service) => {
  const gateway = await testGateway({ ...backend("b", { awsSigV4: KEYS }, url), ...sending("a", to("b")) });
  await call(gateway, "/nowhere/x");
  const identity = gateway.exchanges[0]!.snapshot.backends.get("b")!.credentials!.identity;
  expect(identity).toEqual({ kind: "aws", keys: { ...KEYS, sessionToken: null }, region, service });
  await gateway.close();
});
