/**
 * `authorizationProviders` and what lies below them → connections of the credential manager (spec "Resource model" 1.16).
 * Parameters of a connection win over those of its provider's grant, and what both say over what is known of the provider.
 */
import { createHash } from "node:crypto";
import { suggest } from "../base/suggest.ts";
import type {
  AuthorizationAccessPolicyProperties,
  AuthorizationProperties,
  AuthorizationProviderProperties,
} from "../contract/platform.ts";
import type { Resource } from "../contract/resource.ts";
import {
  type AccessPolicy,
  type Connection,
  type ConnectionAccess,
  connectionKey,
} from "../gateway/connections.ts";
import * as ids from "../store/ids.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { Fill } from "./backends.ts";
import { type IdentityProvider, type Parameter, identityProviders } from "./identity-providers.ts";
import type { Reporter } from "./report.ts";

type Grant = Connection["grant"];

/** The cloud's own callback, which does not lead to us. */
const CLOUD_CALLBACK = /^https:\/\/[^/]*\.consent\.azure-apim\.net\//i;
const FEDERATED = "authorizationcodewithfederatedidentitycredentials";
/** What a folder has where a secret was left out. */
const LEFT_OUT = /^\*{3,}$/;

/** @returns by `Connection.key` */
export function buildConnections(
  resources: ResourceSet,
  fill: Fill,
  report: Reporter,
): Map<string, Connection> {
  const connections = new Map<string, Connection>();
  const principal = resources.get(ids.SERVICE_ID)?.identity?.principalId?.toLowerCase() ?? null;
  for (const provider of resources.ofType("authorizationProviders")) {
    for (const authorization of resources.childrenOf<AuthorizationProperties>(
      provider.id,
      "authorizations",
    )) {
      const policies = resources.childrenOf<AuthorizationAccessPolicyProperties>(
        authorization.id,
        "accessPolicies",
      );
      const built = new Draft(provider, authorization, fill, report).build(accessOf(policies, principal));
      if (built !== null) connections.set(built.key, built);
    }
  }
  return connections;
}

/**
 * The gateway itself may use a connection that names nobody, one that names it, and every connection as long as nobody
 * says which principal the gateway is.
 */
function accessOf(
  resources: readonly Resource<AuthorizationAccessPolicyProperties>[],
  principal: string | null,
): ConnectionAccess {
  const policies = resources.map(({ properties }): AccessPolicy => ({
    tenantId: (properties.tenantId ?? "").trim().toLowerCase(),
    objectId: (properties.objectId ?? "").trim().toLowerCase(),
    appIds: new Set((properties.appIds ?? []).map((id) => id.trim().toLowerCase())),
  }));
  const managed =
    principal === null || policies.length === 0 || policies.some(({ objectId }) => objectId === principal);
  return { managed, policies };
}

/** One connection in the making. */
class Draft {
  readonly #provider: Resource<AuthorizationProviderProperties>;
  readonly #authorization: Resource<AuthorizationProperties>;
  readonly #fill: Fill;
  readonly #report: Reporter;
  #failed = false;
  readonly #missing = new Set<string>();

  constructor(
    provider: Resource<AuthorizationProviderProperties>,
    authorization: Resource<AuthorizationProperties>,
    fill: Fill,
    report: Reporter,
  ) {
    this.#provider = provider;
    this.#authorization = authorization;
    this.#fill = fill;
    this.#report = report;
  }

  build(access: ConnectionAccess): Connection | null {
    const known = this.#known();
    const grant = this.#grant();
    if (known === null || grant === null) return null;
    const parameter = this.#parameters(grant);
    const code = grant === "authorizationCode";
    const tokenUrl = this.#url("tokenUrl", known.tokenUrl, known, parameter);
    const authorizationUrl = code
      ? this.#url("authorizationUrl", known.authorizationUrl, known, parameter)
      : null;
    const refreshUrl = this.#url("refreshUrl", () => tokenUrl ?? undefined, known, parameter);
    const clientId = parameter("clientId");
    const redirectUrl = code ? this.#redirectUrl() : null;
    if (clientId === undefined) this.#refuseMissing("clientId");
    if (this.#failed || clientId === undefined || tokenUrl === null || refreshUrl === null) return null;
    const clientSecret = parameter("clientSecret") ?? null;
    const scope = (parameter("scopes") ?? "").split(/[\s,]+/).filter((one) => one !== "");
    const given = {
      grant,
      clientId,
      scope: scope.join(" "),
      authorizationUrl,
      tokenUrl,
      refreshUrl,
      authorizationParameters: code ? (known.authorizationParameters?.(parameter) ?? {}) : {},
      tokenParameters: known.tokenParameters?.(parameter) ?? {},
    };
    return {
      ...given,
      id: `${this.#provider.name}/${this.#authorization.name}`,
      key: connectionKey(this.#provider.name, this.#authorization.name),
      provider: this.#provider.name,
      clientSecret,
      clientAuthentication: this.#isFederated(grant)
        ? "assertion"
        : known.basic === true && clientSecret !== null
          ? "basic"
          : "body",
      pkce: code && known.pkce === true,
      redirectUrl,
      access,
      fingerprint: createHash("sha256").update(JSON.stringify(given)).digest("base64url"),
    };
  }

  #known(): IdentityProvider | null {
    const { identityProvider } = this.#provider.properties;
    const given = (identityProvider ?? "oauth2").toLowerCase();
    if (Object.hasOwn(identityProviders, given)) return identityProviders[given]!;
    const likely = suggest(given, Object.keys(identityProviders));
    this.#report.error(
      "HG5521",
      { provider: this.#provider.name, name: identityProvider ?? "" },
      this.#provider.id,
      ["identityProvider"],
      likely == null ? undefined : `did you mean \`${likely}\`?`,
    );
    return null;
  }

  /** What the connection says, or else the one that the provider has. */
  #grant(): Grant | null {
    const { oauth2grantType } = this.#authorization.properties;
    if (oauth2grantType !== undefined)
      return oauth2grantType === "ClientCredentials" ? "clientCredentials" : "authorizationCode";
    const names = this.#grants().map((name) => name.toLowerCase());
    if (names.includes("authorizationcode") || names.includes(FEDERATED)) return "authorizationCode";
    if (names.includes("clientcredentials")) return "clientCredentials";
    this.#refuse(
      names.length === 0
        ? "its provider has no grant in `oauth2.grantTypes`"
        : `the grant \`${names[0]!}\` is not supported; use authorizationCode or clientCredentials`,
    );
    return null;
  }

  #grants(): string[] {
    return Object.keys(this.#provider.properties.oauth2?.grantTypes ?? {});
  }

  /** The gateway's own identity stands in for a secret. */
  #isFederated(grant: Grant): boolean {
    const names = this.#grants().map((name) => name.toLowerCase());
    return grant === "authorizationCode" && names.includes(FEDERATED) && !names.includes("authorizationcode");
  }

  /** Of the connection, then of the provider's grant; names in any case. */
  #parameters(grant: Grant): Parameter {
    const grants = this.#provider.properties.oauth2?.grantTypes ?? {};
    const wanted = this.#isFederated(grant) ? FEDERATED : grant.toLowerCase();
    const name = this.#grants().find((key) => key.toLowerCase() === wanted);
    const own = this.#authorization;
    const sources = [
      { values: own.properties.parameters ?? {}, id: own.id, path: ["parameters"] },
      {
        values: name === undefined ? {} : (grants[name] ?? {}),
        id: this.#provider.id,
        path: ["oauth2", "grantTypes", name ?? grant],
      },
    ];
    return (wanted) => {
      for (const { values, id, path } of sources) {
        const key = Object.keys(values).find((one) => one.toLowerCase() === wanted.toLowerCase());
        const value = key === undefined ? undefined : values[key];
        if (typeof value !== "string" || value.trim() === "" || LEFT_OUT.test(value)) continue;
        const filled = this.#fill(value, id, [...path, key!]);
        // What is missing has been reported.
        if (filled === null) this.#failed = true;
        else return filled.trim();
      }
      return undefined;
    };
  }

  #url(
    name: string,
    usual: IdentityProvider["tokenUrl"],
    known: IdentityProvider,
    parameter: Parameter,
  ): string | null {
    const url = parameter(name) ?? usual?.(parameter);
    if (url === undefined) {
      if (name !== "refreshUrl") this.#refuseMissing(known.needs?.[0] ?? name);
      return null;
    }
    const parsed = URL.parse(url);
    if (parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username === "") return url;
    this.#refuse(`its \`${name}\` is not an absolute http or https URL: \`${url}\``);
    return null;
  }

  #redirectUrl(): string | null {
    const { redirectUrl } = this.#provider.properties.oauth2 ?? {};
    if (redirectUrl === undefined || redirectUrl === "" || CLOUD_CALLBACK.test(redirectUrl)) return null;
    const filled = this.#fill(redirectUrl, this.#provider.id, ["oauth2", "redirectUrl"]);
    if (filled !== null && !/^https?:\/\/[^/]/i.test(filled))
      this.#refuse(`the \`redirectUrl\` of its provider is not an absolute URL: \`${filled}\``);
    return filled;
  }

  /** Said once for each, and not when the named value it comes from is what is missing. */
  #refuseMissing(parameter: string): void {
    if (this.#missing.has(parameter) || (this.#failed && this.#missing.size === 0)) return;
    this.#missing.add(parameter);
    this.#refuse(`it has no \`${parameter}\``);
  }

  #refuse(reason: string): void {
    this.#failed = true;
    const id = `${this.#provider.name}/${this.#authorization.name}`;
    this.#report.error("HG5520", { connection: id, reason }, this.#authorization.id, ["parameters"]);
  }
}
