/** Where Microsoft Entra ID keeps a tenant's OpenID configuration, and under which names the tenant issues tokens. */
import type { Value } from "../compiler/policy.ts";
import type { HostContext } from "../compiler/runtime/host.ts";
import type { OpenIdSource } from "./openid.ts";
import { fillTenant, isGuid } from "./validate.ts";

/** The tenant that accounts of persons are in. */
const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** Issuer of v1 tokens, by the host of the v2 issuer. */
const V1_HOSTS: ReadonlyMap<string, string> = new Map([
  ["login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"],
]);
const V1_HOST = "sts.windows.net";

/**
 * @param tenant GUID, domain, `organizations` and its kin, or a URL that has one of them as its first segment
 */
export function configurationUrl(endpoint: string, tenant: string): string {
  const base = endpoint.trim().replace(/\/+$/, "");
  const host = /^https?:\/\//i.test(base) ? base : `https://${base}`;
  return `${host}/${encodeURIComponent(tenantName(tenant))}/v2.0/.well-known/openid-configuration`;
}

function tenantName(tenant: string): string {
  const url = /^https?:\/\/[^/]+\/([^/?#]+)/i.exec(tenant.trim());
  return (url === null ? tenant.trim() : url[1]!).toLowerCase();
}

/**
 * The tenant's issuers: of v2 as the configuration says, and of v1 (`https://sts.windows.net/{tid}/`). Keys are the same.
 */
export function entraIssuers(tenant: Value<string>) {
  return (
    source: OpenIdSource,
    claims: { readonly tenant: string | null },
    context: HostContext,
  ): readonly string[] => {
    const v2 = fillTenant(source.issuer, claims.tenant);
    if (v2 === null || !mayIssue(tenantName(tenant(context)), claims.tenant)) return [];
    const id = v2.split("/").find((segment) => isGuid(segment));
    if (id === undefined) return [v2];
    const host = V1_HOSTS.get(URL.parse(v2)?.host ?? "") ?? V1_HOST;
    return [v2, `https://${host}/${id}/`];
  };
}

/** `organizations` is any tenant but the one of persons; a GUID is that tenant alone. */
function mayIssue(wanted: string, tenant: string | null): boolean {
  const given = tenant?.toLowerCase() ?? null;
  if (wanted === "organizations") return given !== null && given !== CONSUMERS;
  if (wanted === "consumers") return given === CONSUMERS;
  return !isGuid(wanted) || given === null || given === wanted;
}
