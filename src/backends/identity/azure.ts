/**
 * Microsoft Entra tokens of the workload's own identity. Who gives them follows from where the process runs:
 *
 *     IDENTITY_ENDPOINT, IDENTITY_HEADER          App Service, Functions, Container Apps
 *     IDENTITY_ENDPOINT, IMDS_ENDPOINT            a server elsewhere that Azure Arc connects
 *     AZURE_FEDERATED_TOKEN_FILE, …               workload identity federation (Kubernetes)
 *     AZURE_CLIENT_SECRET, …                      an application's secret
 *     AZURE_CLIENT_CERTIFICATE_PATH, …            an application's certificate
 *     nothing of these                            the instance metadata service of a virtual machine
 */
import { type KeyObject, X509Certificate, createHash, createPrivateKey, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, normalize } from "node:path";
import { openCertificate } from "../../gateway/certificate.ts";
import { CredentialError } from "../../gateway/identity.ts";
import { type Question, type World, askFor, askJson } from "./ask.ts";
import { signAssertion } from "./assertion.ts";
import type { AzureSettings } from "./settings.ts";
import { readTokenAnswer } from "./token-answer.ts";
import type { Fetched } from "./token-cache.ts";

const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION_SECONDS = 10 * 60;
/** The metadata service is next door or not there at all. */
const METADATA_TIMEOUT_MS = 3000;
const LONGEST_ARC_KEY = 4096;

/** @throws CredentialError */
export async function fetchAzureToken(
  world: World,
  settings: AzureSettings,
  resource: string,
  clientId: string | null,
): Promise<Fetched<string>> {
  try {
    const question = await questionOf(world, settings, resource, clientId);
    return readTokenAnswer(await askJson(world, question), question.who, world.clock.now());
  } catch (error) {
    if (error instanceof CredentialError)
      throw new CredentialError(
        `There is no token for ${shown(resource)}: ${error.message.replace(/\.$/, "")}.`,
        error.cause,
      );
    throw error;
  }
}

async function questionOf(
  world: World,
  settings: AzureSettings,
  resource: string,
  clientId: string | null,
): Promise<Question> {
  if (settings.platform !== null) return ofPlatform(settings.platform, resource, clientId);
  if (settings.arc !== null) return ofArc(world, settings.arc, resource, clientId);
  if (settings.tokenFile !== null)
    return ofEntra(settings, resource, clientId, await federatedToken(settings.tokenFile));
  if (settings.clientSecret !== null)
    return ofEntra(settings, resource, clientId, { client_secret: settings.clientSecret });
  if (settings.certificateFile !== null)
    return ofEntra(settings, resource, clientId, await certificateAssertion(world, settings, clientId));
  return ofMetadata(settings.metadata, resource, clientId);
}

function ofPlatform(
  { endpoint, secret }: NonNullable<AzureSettings["platform"]>,
  resource: string,
  clientId: string | null,
): Question {
  const url = `${endpoint}${endpoint.includes("?") ? "&" : "?"}${managedQuery("2019-08-01", resource, clientId)}`;
  return {
    method: "GET",
    url,
    headers: ["X-IDENTITY-HEADER", secret],
    who: "the identity endpoint of this platform",
  };
}

/**
 * "Authenticate against Azure resources with Azure Arc-enabled servers": the first question is answered 401 with the name of
 * a file that only this machine's own accounts can read; what is in it proves that we are here. A name elsewhere is a
 * trick to make us show another file.
 */
async function ofArc(
  world: World,
  { endpoint, keyFolder }: NonNullable<AzureSettings["arc"]>,
  resource: string,
  clientId: string | null,
): Promise<Question> {
  if (clientId !== null)
    throw new CredentialError("a server that Azure Arc connects has no user-assigned identities");
  const question: Question = {
    method: "GET",
    url: `${endpoint}${endpoint.includes("?") ? "&" : "?"}${managedQuery("2019-11-01", resource, null)}`,
    headers: ["Metadata", "true"],
    who: "the identity endpoint of Azure Arc",
    timeoutMs: METADATA_TIMEOUT_MS,
  };
  const { headers } = await askFor(world, question, [401]);
  const file = /^\s*Basic\s+realm=(.+?)\s*$/i.exec(headers.get("www-authenticate") ?? "")?.[1] ?? "";
  const name = file.replace(/^"(.*)"$/, "$1");
  if (dirname(name) !== keyFolder || normalize(name) !== name || !name.endsWith(".key"))
    throw new CredentialError(`${question.who} names no key file below ${keyFolder}`);
  const key = (await read(name, "Azure Arc")).toString("latin1").trim();
  if (key === "" || key.length > LONGEST_ARC_KEY || !/^[\x20-\x7e]+$/.test(key))
    throw new CredentialError(`the key file of Azure Arc (${name}) holds no key`);
  return { ...question, headers: [...question.headers, "Authorization", `Basic ${key}`] };
}

function ofMetadata(origin: string, resource: string, clientId: string | null): Question {
  return {
    method: "GET",
    url: `${origin}/metadata/identity/oauth2/token?${managedQuery("2018-02-01", resource, clientId)}`,
    headers: ["Metadata", "true"],
    who:
      "the instance metadata service (no IDENTITY_ENDPOINT, AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_SECRET or " +
      "AZURE_CLIENT_CERTIFICATE_PATH says otherwise)",
    timeoutMs: METADATA_TIMEOUT_MS,
  };
}

function managedQuery(version: string, resource: string, clientId: string | null): string {
  const query = `api-version=${version}&resource=${encodeURIComponent(resource)}`;
  return clientId === null ? query : `${query}&client_id=${encodeURIComponent(clientId)}`;
}

// ── As an application ─────────────────────────────────────────────────────────────────────────────────────────────

/** Client credentials (RFC 6749 §4.4). A v1 resource is the v2 scope with `/.default` at its end, slashes as they are. */
function ofEntra(
  settings: AzureSettings,
  resource: string,
  clientId: string | null,
  proof: Readonly<Record<string, string>>,
): Question {
  return {
    method: "POST",
    url: endpointOf(settings),
    headers: [],
    form: {
      grant_type: "client_credentials",
      client_id: applicationOf(settings, clientId),
      scope: resource.endsWith("/.default") ? resource : `${resource}/.default`,
      ...proof,
    },
    who: "Microsoft Entra ID",
  };
}

function endpointOf({ authority, tenantId }: AzureSettings): string {
  if (tenantId === null)
    throw new CredentialError("AZURE_TENANT_ID is not set, so that nobody knows which tenant to ask.");
  return `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
}

function applicationOf(settings: AzureSettings, clientId: string | null): string {
  const id = clientId ?? settings.clientId;
  if (id === null)
    throw new CredentialError("Neither client-id nor AZURE_CLIENT_ID says which identity to use.");
  return id;
}

/** Read each time: the platform replaces it before it runs out. */
async function federatedToken(file: string): Promise<Record<string, string>> {
  const token = (await read(file, "AZURE_FEDERATED_TOKEN_FILE")).toString("utf8").trim();
  if (token === "") throw new CredentialError(`The file of AZURE_FEDERATED_TOKEN_FILE (${file}) is empty.`);
  return { client_assertion_type: ASSERTION, client_assertion: token };
}

/** Microsoft identity platform, "Certificate credentials": PS256, and the certificate's SHA-256 thumbprint. */
async function certificateAssertion(
  world: World,
  settings: AzureSettings,
  clientId: string | null,
): Promise<Record<string, string>> {
  const file = settings.certificateFile!;
  const { key, certificate } = openFile(
    await read(file, "AZURE_CLIENT_CERTIFICATE_PATH"),
    settings.certificatePassword,
    file,
  );
  const id = applicationOf(settings, clientId);
  const now = Math.floor(world.clock.now() / 1000);
  const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");
  const claims = {
    aud: endpointOf(settings),
    iss: id,
    sub: id,
    jti: randomUUID(),
    iat: now,
    nbf: now,
    exp: now + ASSERTION_SECONDS,
  };
  return {
    client_assertion_type: ASSERTION,
    client_assertion: signAssertion(key, "PS256", { "x5t#S256": thumbprint }, claims),
  };
}

function openFile(
  bytes: Buffer,
  password: string,
  file: string,
): { key: KeyObject; certificate: X509Certificate } {
  try {
    const opened = bytes.includes("-----BEGIN")
      ? { key: bytes.toString("latin1"), cert: bytes.toString("latin1") }
      : openPfx(bytes, password);
    const key = createPrivateKey({ key: opened.key, passphrase: password });
    if (key.asymmetricKeyType === "rsa") return { key, certificate: new X509Certificate(opened.cert) };
  } catch (error) {
    throw new CredentialError(
      `The certificate in ${file} (AZURE_CLIENT_CERTIFICATE_PATH) cannot be opened.`,
      error,
    );
  }
  throw new CredentialError(`The key in ${file} (AZURE_CLIENT_CERTIFICATE_PATH) is not an RSA key.`);
}

function openPfx(bytes: Buffer, password: string): { key: string; cert: string } {
  const opened = openCertificate(bytes, password);
  if (typeof opened === "string" || opened.client === null || !("key" in opened.client))
    throw new Error("not a PKCS#12 file with a key, or a wrong password");
  return { key: opened.client.key, cert: opened.certificate.toString() };
}

async function read(file: string, variable: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CredentialError(`The file of ${variable} (${file}) cannot be read.`, error);
  }
}

function shown(resource: string): string {
  return resource.length > 200 ? `${resource.slice(0, 200)}…` : resource;
}
