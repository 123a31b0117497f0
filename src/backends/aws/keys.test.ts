/**
 * Keys of ECS tasks, EKS pods and EC2 instances, from stand-ins that refuse what the real ones refuse. The official
 * providers ask the same stand-ins, so that these are known to be right.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromHttp } from "@aws-sdk/credential-provider-http";
import { fromInstanceMetadata } from "@smithy/credential-provider-imds";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeClock } from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import type { Client } from "../../transport/transport.ts";
import { makeIdentities } from "../identity/identities.ts";
import { readIdentitySettings } from "../identity/settings.ts";
import { type Reply, type Seen, type StandIn, startStandIn } from "../identity/stand-in.fixture.ts";

const ANSWER = {
  AccessKeyId: "ASIAEXAMPLE",
  SecretAccessKey: "secret/with+characters",
  Token: "IQoJb3JpZ2luX2VjE//8=",
  Expiration: "2100-01-01T00:00:00Z",
};
const KEYS = {
  accessKeyId: ANSWER.AccessKeyId,
  secretAccessKey: ANSWER.SecretAccessKey,
  sessionToken: ANSWER.Token,
};

let client: Client;
let standIn: StandIn;
let folder: string;
beforeAll(async () => {
  client = createClient();
  standIn = await startStandIn(() => ({}));
  folder = mkdtempSync(join(tmpdir(), "headgate-aws-"));
});
afterAll(async () => {
  await client.close();
  await standIn.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => void (standIn.seen.length = 0));
afterEach(() => vi.unstubAllEnvs());

const identitiesIn = (environment: Record<string, string>, clock = new FakeClock()) =>
  makeIdentities(
    { client, clock, random: () => 0.5, log: () => {} },
    readIdentitySettings({ AWS_EC2_METADATA_DISABLED: "true", ...environment }),
  );

describe("the agent of a container", () => {
  /** Amazon ECS agent, and the EKS Pod Identity agent: the latter wants the token. */
  const agent =
    (token: string | undefined): StandIn["answer"] =>
    ({ method, target, headers }): Reply =>
      method !== "GET" || target !== "/v2/credentials/id?x=1"
        ? { status: 404, body: { code: "InvalidPath" } }
        : headers["authorization"] !== token
          ? { status: 400, body: { code: "AccessDenied", message: "wrong token" } }
          : { body: { RoleArn: "arn:aws:iam::1:role/r", ...ANSWER } };
  const url = (): string => `${standIn.url}/v2/credentials/id?x=1`;

  test("without a token (ECS)", async () => {
    standIn.answer = agent(undefined);
    expect(await identitiesIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url() }).awsKeys()).toEqual(KEYS);
    expect(await fromHttp({ awsContainerCredentialsFullUri: url() })()).toMatchObject(KEYS);
  });

  test("with the token of the environment", async () => {
    standIn.answer = agent("Basic abc");
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url(),
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "Basic abc",
    };
    expect(await identitiesIn(environment).awsKeys()).toEqual(KEYS);
    const official = fromHttp({
      awsContainerCredentialsFullUri: url(),
      awsContainerAuthorizationToken: "Basic abc",
    });
    expect(await official()).toMatchObject(KEYS);
  });

  test("with the token of a file (EKS pod identities), as it is now", async () => {
    const file = join(folder, "pod-token");
    const clock = new FakeClock();
    const expiring = (token: string): StandIn["answer"] => {
      const checked = agent(token);
      return (seen) => {
        const { body, ...rest } = checked(seen) as Reply;
        const until = new Date(clock.now() + 3_600_000).toISOString();
        return { ...rest, body: { ...(body as object), Expiration: until } };
      };
    };
    const identities = identitiesIn(
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: url(),
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "stale",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
      },
      clock,
    );
    for (const token of ["one", "two"]) {
      writeFileSync(file, `${token}\n`);
      standIn.answer = expiring(token);
      expect(await identities.awsKeys()).toEqual(KEYS);
      clock.advance(3_600_001);
    }
    expect(standIn.seen.map(({ headers }) => headers["authorization"])).toEqual(["one", "two"]);
  });

  test.each([
    [
      { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/a" },
      "http://169.254.170.2/v2/credentials/a",
    ],
    [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1" }, "http://169.254.170.23/v1"],
    [
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://h/", AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/r" },
      "http://169.254.170.2/r",
    ],
  ])("%j is %s", (environment, expected) => {
    expect(readIdentitySettings(environment).aws.container!.url).toBe(expected);
  });

  test.each(["http://example.com/keys", "http://169.254.169.254/", "ftp://localhost/", "nonsense"])(
    "%s is not asked",
    async (full) => {
      const keys = async () => identitiesIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: full }).awsKeys();
      await expect(keys()).rejects.toThrow("neither https nor an address of this machine");
      if (full.startsWith("http"))
        await expect((async () => fromHttp({ awsContainerCredentialsFullUri: full })())()).rejects.toThrow();
    },
  );

  test.each<[string, Reply, string]>([
    ["no keys", { body: { ...ANSWER, Token: undefined } }, "answered without keys"],
    ["a key with a line break", { body: { ...ANSWER, AccessKeyId: "a\nb" } }, "answered without keys"],
    ["no date", { body: { ...ANSWER, Expiration: "tomorrow" } }, "answered without keys"],
    ["no JSON", { body: "<html>" }, "no JSON object"],
    ["a refusal", { status: 403, body: { message: "not for you" } }, "answered 403: not for you"],
  ])("%s is no credential", async (_name, reply, message) => {
    standIn.answer = () => reply;
    const keys = async () => identitiesIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url() }).awsKeys();
    await expect(keys()).rejects.toThrow(message);
  });
});

describe("the metadata service of an instance", () => {
  const SESSION = "AQAEAExampleSession==";
  /** "Use the Instance Metadata Service": version 2 only, `HttpTokens` required. */
  const metadata = ({ method, path, headers }: Seen): Reply => {
    if (headers["x-forwarded-for"] !== undefined) return { status: 403 };
    if (path === "/latest/api/token") {
      const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (method !== "PUT") return { status: 405 };
      return seconds >= 1 && seconds <= 21_600 ? { body: SESSION } : { status: 400 };
    }
    if (method !== "GET") return { status: 405 };
    if (headers["x-aws-ec2-metadata-token"] !== SESSION) return { status: 401 };
    if (path === "/latest/meta-data/iam/security-credentials/") return { body: "gateway-role" };
    if (path !== "/latest/meta-data/iam/security-credentials/gateway-role") return { status: 404 };
    return { body: { Code: "Success", Type: "AWS-HMAC", LastUpdated: "2024-01-01T00:00:00Z", ...ANSWER } };
  };
  const environment = () => ({
    AWS_EC2_METADATA_DISABLED: "",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: standIn.url,
  });

  test("gives the keys of the instance's role, in a session", async () => {
    standIn.answer = metadata;
    const identities = identitiesIn(environment());
    const all = await Promise.all(Array.from({ length: 50 }, () => identities.awsKeys()));
    expect(all).toEqual(Array(50).fill(KEYS));
    expect(standIn.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "PUT /latest/api/token",
      "GET /latest/meta-data/iam/security-credentials/",
      "GET /latest/meta-data/iam/security-credentials/gateway-role",
    ]);
  });

  test("answers the official provider, too", async () => {
    standIn.answer = metadata;
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", standIn.url);
    expect(await fromInstanceMetadata({ ec2MetadataV1Disabled: true })()).toMatchObject(KEYS);
  });

  test.each<[string, string, Reply, string]>([
    ["no role", "/latest/meta-data/iam/security-credentials/", { body: "" }, "knows no role"],
    [
      "a role that may not",
      "/latest/meta-data/iam/security-credentials/gateway-role",
      { body: { Code: "AssumeRoleUnauthorizedAccess" } },
      "answered AssumeRoleUnauthorizedAccess",
    ],
    ["no session", "/latest/api/token", { body: "a\r\nb" }, "gave no session token"],
    ["a session refused", "/latest/api/token", { status: 403 }, "answered 403"],
  ])("%s", async (_name, at, reply, message) => {
    standIn.answer = (seen) => (seen.path === at ? reply : metadata(seen));
    await expect((async () => identitiesIn(environment()).awsKeys())()).rejects.toThrow(message);
  });

  test("is not asked when it is switched off, and nothing else is there", async () => {
    const keys = async () => identitiesIn({ ...environment(), AWS_EC2_METADATA_DISABLED: "True" }).awsKeys();
    await expect(keys()).rejects.toThrow("There are no AWS keys");
    expect(standIn.seen).toEqual([]);
  });

  test.each([
    [{}, "http://169.254.169.254"],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv6" }, "http://[fd00:ec2::254]"],
  ])("%j: it is at %s", (given, expected) => {
    expect(readIdentitySettings(given).aws.metadata).toBe(expected);
  });
});
