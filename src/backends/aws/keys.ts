/**
 * AWS keys of this workload, in the order of the SDKs:
 *
 *     AWS_ACCESS_KEY_ID, …                             as they are
 *     AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN        IAM roles for service accounts: from the security token service
 *     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI   ECS tasks, EKS pod identities: from the agent there
 *     nothing of these                                 EC2: from the instance metadata service, version 2
 */
import { readFile } from "node:fs/promises";
import type { JsonObject } from "../../base/json-object.ts";
import { type AwsKeys, CredentialError } from "../../gateway/identity.ts";
import { type World, ask, askJson, readJson } from "../identity/ask.ts";
import type { AwsContainerSettings, AwsSettings } from "../identity/settings.ts";
import type { Fetched } from "../identity/token-cache.ts";

const WHO = "the AWS security token service";

/** Null when the environment holds none. */
export function staticAwsKeys({ accessKeyId, secretAccessKey, sessionToken }: AwsSettings): AwsKeys | null {
  return accessKeyId === null || secretAccessKey === null
    ? null
    : { accessKeyId, secretAccessKey, sessionToken };
}

/** Temporary ones. @throws CredentialError */
export function fetchAwsKeys(world: World, settings: AwsSettings): Promise<Fetched<AwsKeys>> {
  const { tokenFile, roleArn, container, metadata } = settings;
  if (tokenFile !== null && roleArn !== null) return fromWebIdentity(world, settings, tokenFile, roleArn);
  if (container !== null) return fromContainer(world, container);
  if (metadata !== null) return fromInstance(world, metadata);
  throw new CredentialError(
    "There are no AWS keys: the backend names none, and neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor " +
      "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN nor AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set.",
  );
}

/** `AssumeRoleWithWebIdentity`. */
async function fromWebIdentity(
  world: World,
  { sessionName, sts }: AwsSettings,
  tokenFile: string,
  roleArn: string,
): Promise<Fetched<AwsKeys>> {
  const text = await ask(world, {
    method: "POST",
    url: sts,
    headers: [],
    form: {
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: await readToken(tokenFile, "AWS_WEB_IDENTITY_TOKEN_FILE"),
    },
    who: WHO,
  });
  return readAnswer(text, world.clock.now());
}

// ── ECS and EKS ───────────────────────────────────────────────────────────────────────────────────────────────────

const CONTAINER = "the container's credential endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI)";
/** Without TLS, only what cannot be elsewhere: this machine, and the agents of ECS and EKS. */
const PLAIN_HOSTS =
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

async function fromContainer(
  world: World,
  { url, token, tokenFile }: AwsContainerSettings,
): Promise<Fetched<AwsKeys>> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isPlain = parsed?.protocol === "http:" && PLAIN_HOSTS.test(parsed.hostname);
  if (parsed?.protocol !== "https:" && !isPlain)
    throw new CredentialError(
      "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine or of the agents of ECS and EKS.",
    );
  const authorization =
    tokenFile === null ? token : await readToken(tokenFile, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (authorization !== null && !/^[\x20-\x7e]+$/.test(authorization))
    throw new CredentialError("The container's authorization token has characters that no header may have.");
  const answer = await askJson(world, {
    method: "GET",
    url,
    headers: authorization === null ? [] : ["Authorization", authorization],
    who: CONTAINER,
    timeoutMs: METADATA_TIMEOUT_MS,
  });
  return readKeys(answer, CONTAINER, world.clock.now());
}

// ── EC2 ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const INSTANCE =
  "the instance metadata service of EC2 (neither AWS_ACCESS_KEY_ID nor AWS_WEB_IDENTITY_TOKEN_FILE nor " +
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI says otherwise)";
/** It is next door or not there at all. */
const METADATA_TIMEOUT_MS = 3000;
const SESSION_SECONDS = "21600";
const ROLES = "/latest/meta-data/iam/security-credentials/";

/** "Retrieve security credentials from instance metadata", IMDSv2: a session first, then the role, then its keys. */
async function fromInstance(world: World, origin: string): Promise<Fetched<AwsKeys>> {
  const common = { who: INSTANCE, timeoutMs: METADATA_TIMEOUT_MS };
  const session = await ask(world, {
    ...common,
    method: "PUT",
    url: `${origin}/latest/api/token`,
    headers: ["X-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS],
  });
  if (!/^[\x21-\x7e]+$/.test(session)) throw new CredentialError(`${INSTANCE} gave no session token`);
  const get = (path: string): Promise<string> =>
    ask(world, {
      ...common,
      method: "GET",
      url: origin + path,
      headers: ["X-aws-ec2-metadata-token", session],
    });
  const role = (await get(ROLES)).split("\n", 1)[0]!.trim();
  if (role === "") throw new CredentialError(`${INSTANCE} knows no role of this instance`);
  const answer = readJson(await get(`${ROLES}${encodeURIComponent(role)}`), INSTANCE);
  if (answer["Code"] !== "Success")
    throw new CredentialError(`${INSTANCE} answered ${String(answer["Code"]).slice(0, 100)}`);
  return readKeys(answer, INSTANCE, world.clock.now());
}

/** What the agents and the instance metadata service answer. */
function readKeys(answer: JsonObject, who: string, nowMs: number): Fetched<AwsKeys> {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer;
  const expires = typeof Expiration === "string" ? Date.parse(Expiration) : NaN;
  if (!isKey(AccessKeyId) || !isKey(SecretAccessKey) || !isKey(Token) || Number.isNaN(expires))
    throw new CredentialError(`${who} answered without keys`);
  return {
    value: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
    lifetimeMs: expires - nowMs,
  };
}

/** What goes into a header has no line break and no space in it. */
function isKey(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

async function readToken(file: string, variable: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new CredentialError(`The file of ${variable} (${file}) cannot be read.`, error);
  }
  if (token === "") throw new CredentialError(`The file of ${variable} (${file}) is empty.`);
  return token;
}

/** The answer is XML whose four elements hold base64 and a date: nothing in them is ever escaped. */
function readAnswer(xml: string, nowMs: number): Fetched<AwsKeys> {
  const textOf = (element: string): string =>
    new RegExp(`<${element}>\\s*([^<&\\s]+)\\s*</${element}>`).exec(xml)?.[1] ?? "";
  const [accessKeyId, secretAccessKey, sessionToken] = [
    textOf("AccessKeyId"),
    textOf("SecretAccessKey"),
    textOf("SessionToken"),
  ];
  const expires = Date.parse(textOf("Expiration"));
  if (accessKeyId === "" || secretAccessKey === "" || sessionToken === "" || Number.isNaN(expires)) {
    throw new CredentialError(`${WHO} answered without keys.`);
  }
  return { value: { accessKeyId, secretAccessKey, sessionToken }, lifetimeMs: expires - nowMs };
}
