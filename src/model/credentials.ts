/** `credentials` of a backend → what is attached to its requests (spec "Resource model" 1.7). */
import type { BackendProperties } from "../contract/backends.ts";
import type { Resource } from "../contract/resource.ts";
import { readGoogleKey } from "../gateway/google-key.ts";
import type { AwsKeys, IdentityCredential } from "../gateway/identity.ts";
import type { BackendCredentials, CertificateIndex, ClientCertificate, Target } from "../gateway/snapshot.ts";
import type { PropertyPath } from "../store/kinds/shape.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { Fill } from "./backends.ts";
import type { Reporter } from "./report.ts";

/** Each of them becomes the Authorization header. */
const EXCLUSIVE = ["authorization", "managedIdentity", "awsSigV4", "googleServiceAccount"] as const;
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
const GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** The backend names certificates, and none of them can be presented. */
export interface MissingCertificate {
  readonly reason: string;
}

/**
 * The client certificate that the backend names: of `certificateIds`, or else of the thumbprints in `certificate`, the first
 * that is here with its key. Data may be left out of a folder, so that is no mistake of the folder; but nothing is sent then.
 */
export function certificateOf(
  resource: Resource<BackendProperties>,
  resources: ResourceSet,
  { byId, byThumbprint }: CertificateIndex,
): ClientCertificate | MissingCertificate | null {
  const { certificateIds = [], certificate: thumbprints = [] } = resource.properties.credentials ?? {};
  if (certificateIds.length === 0 && thumbprints.length === 0) return null;
  const found =
    certificateIds.length > 0
      ? certificateIds.map((id) =>
          byId.get(resources.resolve(id, "certificates", resource.id)?.name.toLowerCase() ?? ""),
        )
      : thumbprints.map((text) => byThumbprint.get(text.replace(/[^0-9a-f]/gi, "").toUpperCase()));
  const usable = found.find((certificate) => certificate?.client != null)?.client;
  const named = (certificateIds.length > 0 ? certificateIds : thumbprints).join(", ");
  return (
    usable ?? {
      reason: `None of the client certificates of backend ${resource.name} is here with its private key: ${named}.`,
    }
  );
}

/** @param target where the backend is: an AWS host tells its region and service */
export function credentialsOf(
  resource: Resource<BackendProperties>,
  target: Target,
  certificate: ClientCertificate | MissingCertificate | null,
  fill: Fill,
  report: Reporter,
): BackendCredentials | null {
  const { credentials } = resource.properties;
  if (credentials === undefined || credentials === null) return null;
  const text = (value: string, ...path: string[]): string =>
    fill(value, resource.id, ["credentials", ...path]) ?? "";
  const wrong = (reason: string, path: PropertyPath): null => {
    report.error("HG5506", { backend: resource.name, reason }, resource.id, ["credentials", ...path]);
    return null;
  };
  const given = EXCLUSIVE.filter((name) => credentials[name] != null);
  if (given.length > 1)
    return wrong(`\`${given[0]}\` and \`${given[1]}\` cannot stand together`, [given[1]!]);

  const headers: string[] = [];
  for (const [name, values] of Object.entries(credentials.header ?? {})) {
    for (const value of asList(values)) {
      // A line end behind a secret, as files have it, is no part of it.
      const filled = text(value).trim();
      // The transport would refuse each and every request.
      if (CONTROL.test(filled))
        return wrong(`the value of the header \`${name}\` has characters that no header can have`, [
          "header",
          name,
        ]);
      headers.push(name, filled);
    }
  }
  const query = Object.entries(credentials.query ?? {})
    .flatMap(([name, values]) =>
      asList(values).map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(text(value))}`),
    )
    .join("&");
  const { scheme, parameter } = credentials.authorization ?? {};
  const authorization =
    scheme === undefined ? null : { scheme: text(scheme).trim(), parameter: text(parameter ?? "").trim() };
  if (authorization !== null && CONTROL.test(authorization.scheme + authorization.parameter))
    return wrong("`authorization` has characters that no header can have", ["authorization"]);
  const missing = certificate !== null && "reason" in certificate ? certificate : null;
  const identity =
    missing === null
      ? identityOf(credentials, target, text, wrong)
      : ({ kind: "unavailable", ...missing } as const);
  return headers.length === 0 && query === "" && authorization === null && identity === null
    ? null
    : { headers, query, authorization, identity };
}

type Written = NonNullable<BackendProperties["credentials"]>;
type Text = (value: string, ...path: string[]) => string;
type Wrong = (reason: string, path: PropertyPath) => null;

function identityOf(
  { managedIdentity, awsSigV4, googleServiceAccount }: Written,
  target: Target,
  text: Text,
  wrong: Wrong,
): IdentityCredential | null {
  if (managedIdentity != null) {
    const resource = text(managedIdentity.resource ?? "", "managedIdentity").trim();
    if (resource === "")
      return wrong("`managedIdentity` does not say for which `resource`", ["managedIdentity"]);
    return {
      kind: "azure",
      resource,
      clientId: text(managedIdentity.clientId ?? "", "managedIdentity").trim() || null,
    };
  }
  if (awsSigV4 != null) return awsOf(awsSigV4, target, text, wrong);
  if (googleServiceAccount == null) return null;
  const { key: written, scope } = googleServiceAccount;
  const path = ["googleServiceAccount"];
  const key = written === undefined ? null : readGoogleKey(text(written, ...path));
  if (typeof key === "string")
    return wrong(`\`googleServiceAccount.key\` is no key of a service account: ${key}`, path);
  return { kind: "google", key, scope: text(scope ?? GOOGLE_SCOPE, ...path) };
}

function awsOf(
  written: NonNullable<Written["awsSigV4"]>,
  target: Target,
  text: Text,
  wrong: Wrong,
): IdentityCredential | null {
  const path = ["awsSigV4"];
  const take = (name: "accessKeyId" | "secretAccessKey" | "sessionToken" | "region" | "service"): string =>
    text(written[name] ?? "", ...path).trim();
  const [accessKeyId, secretAccessKey, sessionToken] = [
    take("accessKeyId"),
    take("secretAccessKey"),
    take("sessionToken"),
  ];
  if ((accessKeyId === "") !== (secretAccessKey === ""))
    return wrong("`accessKeyId` and `secretAccessKey` of `awsSigV4` go together", path);
  if (sessionToken !== "" && accessKeyId === "")
    return wrong("`sessionToken` of `awsSigV4` belongs to an `accessKeyId`", path);
  const keys: AwsKeys | null =
    accessKeyId === "" ? null : { accessKeyId, secretAccessKey, sessionToken: sessionToken || null };
  const found = awsHost(target.host);
  const region = take("region") || found.region;
  const service = take("service") || found.service;
  if (region === "") return wrong("`awsSigV4` needs a `region`: the URL does not tell it", path);
  if (service === "")
    return wrong("`awsSigV4` needs a `service`, such as `bedrock`: the URL does not tell it", path);
  return { kind: "aws", keys, region, service };
}

/** Some sign under another name than that of their host. */
const SIGNED_AS: ReadonlyMap<string, string> = new Map([
  ["bedrock-runtime", "bedrock"],
  ["bedrock-agent-runtime", "bedrock"],
  ["bedrock-agent", "bedrock"],
  ["runtime.sagemaker", "sagemaker"],
]);

/** `service.region.amazonaws.com`, also `-fips` and VPC endpoints (`vpce-….service.region.vpce.amazonaws.com`). */
function awsHost(host: string): { region: string; service: string } {
  const parts =
    /^(?:vpce-[\w-]+\.)?([\w.-]+?)(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/i.exec(
      host,
    );
  if (parts === null) return { region: "", service: "" };
  const service = parts[1]!.toLowerCase();
  return { region: parts[2]!.toLowerCase(), service: SIGNED_AS.get(service) ?? service };
}

function asList(values: unknown): string[] {
  return (Array.isArray(values) ? values : [values]).map(String);
}
