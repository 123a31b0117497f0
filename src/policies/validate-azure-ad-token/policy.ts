import type { Value } from "../../compiler/policy.ts";
import type { HostContext } from "../../compiler/runtime/host.ts";
import type { Jwt } from "../../compiler/runtime/library/credentials.ts";
import { parseUrl } from "../../backends/own-requests/own-request.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { maxStaleMistake, maxStaleMs } from "../../tokens/duration.ts";
import {
  AUDIENCES,
  REQUIRED_CLAIMS,
  TOKEN_ATTRIBUTES,
  audiencesOf,
  claimNotAllowed,
  claimsChecker,
  keyMistake,
  runTokenStep,
  setOf,
  writtenKey,
} from "../../tokens/elements.ts";
import { TokenFailure } from "../../tokens/failure.ts";
import { sourcesOf } from "../../tokens/services.ts";
import { decryptionShelf, signingShelf } from "../../tokens/shelf.ts";
import { configurationUrl, entraIssuers } from "../../tokens/entra.ts";

const PUBLIC_CLOUD = "https://login.microsoftonline.com";

/**
 * `validate-jwt` for tokens of Microsoft Entra ID: the tenant says where keys and issuer are. When keys cannot be fetched,
 * the ones known are used for as long as jwks-max-stale allows; without any the token is refused.
 */
export const validateAzureAdToken = definePolicy({
  element: "validate-azure-ad-token",
  summary: "Refuses requests without a valid token of a Microsoft Entra ID tenant.",
  sections: ["inbound"],
  shape: {
    attributes: {
      "tenant-id": {
        type: "string",
        expression: true,
        required: true,
        doc: "Tenant: its GUID, domain or URL, or organizations, common, consumers.",
      },
      ...TOKEN_ATTRIBUTES,
      "authentication-endpoint": {
        type: "string",
        expression: true,
        default: PUBLIC_CLOUD,
        doc: "Entra of another cloud, such as https://login.microsoftonline.us.",
      },
      "jwks-max-stale": {
        type: "string",
        doc: "How long fetched keys serve while no new ones can be had: seconds or d.hh:mm:ss; default 24 hours.",
      },
    },
    children: {
      "client-application-ids": {
        max: 1,
        children: {
          "application-id": applicationId("A caller that is accepted: azp, or appid in v1 tokens."),
        },
      },
      "backend-application-ids": {
        max: 1,
        children: { "application-id": applicationId("An application that the token may be for: aud.") },
      },
      audiences: AUDIENCES,
      "required-claims": REQUIRED_CLAIMS,
      "decryption-keys": {
        max: 1,
        children: {
          key: {
            min: 1,
            attributes: {
              id: { type: "string", doc: "Compared with the token's kid." },
              "certificate-id": {
                type: "string",
                references: "certificate",
                doc: "A certificate with its private key.",
              },
            },
            text: { type: "string", expression: true },
            doc: "A key for encrypted tokens.",
          },
        },
      },
    },
  },
  check: ({ attributes, children }, report) => {
    const places = (["header-name", "query-parameter-name", "token-value"] as const).filter(
      (name) => attributes[name] !== undefined,
    );
    if (places.length > 1) {
      report("only one of header-name, query-parameter-name and token-value may be given", {
        attribute: places[1],
      });
    }
    const endpoint = attributes["authentication-endpoint"].constant;
    if (
      endpoint !== undefined &&
      !endpoint.includes("{") &&
      parseUrl(configurationUrl(endpoint, "common")) === null
    ) {
      report(
        `"${endpoint}" is not a URL`,
        { attribute: "authentication-endpoint", value: true },
        "write it as in https://login.microsoftonline.us",
      );
    }
    const stale = maxStaleMistake(attributes["jwks-max-stale"]);
    if (stale !== null)
      report(stale, { attribute: "jwks-max-stale", value: true }, "write seconds, as in 3600, or d.hh:mm:ss");
    children["decryption-keys"][0]?.children.key.forEach((key, index) => {
      const mistake = keyMistake(key);
      if (mistake !== null) report(mistake, { child: "decryption-keys/key", index });
    });
  },
  prepare: ({ attributes, children }, site) => {
    const { "tenant-id": tenant, "authentication-endpoint": endpoint } = attributes;
    const clients = applicationIds(children["client-application-ids"]);
    const backends = applicationIds(children["backend-application-ids"]);
    const claims = claimsChecker(children["required-claims"]);
    const decryption = children["decryption-keys"][0]?.children.key ?? [];
    const inHeader =
      attributes["query-parameter-name"] === undefined && attributes["token-value"] === undefined;
    const step = {
      source: site.element,
      attributes,
      scheme: inHeader ? always("Bearer") : undefined,
      rules: {
        requireExpiration: always(true),
        requireSigned: always(true),
        clockSkew: () => 0,
        signingKeys: signingShelf([]),
        decryptionKeys: decryptionShelf(decryption.map(writtenKey).filter((key) => key !== null)),
        openId: sourcesOf([joined(endpoint, tenant)]),
        maxStaleMs: maxStaleMs(attributes["jwks-max-stale"]),
        issuers: setOf([]),
        audiences: audiencesOf(children.audiences),
        issuersOf: entraIssuers(tenant),
        checkClaims: (jwt: Jwt, context: HostContext) => {
          if (
            backends !== null &&
            !jwt.claims.get("aud")?.some((one) => backends(context).has(one.toLowerCase()))
          ) {
            const aud = jwt.claims.get("aud")?.join(", ").slice(0, 200) ?? "";
            throw new TokenFailure(
              "TokenAudienceNotAllowed",
              `Audience validation failed. The audience "${aud}" is not an allowed backend application. Access denied.`,
            );
          }
          if (clients !== null) checkClient(jwt, clients(context));
          claims(jwt, context);
        },
      },
    };
    return (exchange) => runTokenStep(step, exchange);
  },
});

function applicationId<const D extends string>(doc: D) {
  return { min: 1, text: { type: "string", expression: true, required: true }, doc } as const;
}

type Applications = readonly {
  readonly children: { readonly "application-id": readonly { readonly text: Value<string> }[] };
}[];

/** In lower case: ids are GUIDs. null: not checked. */
function applicationIds(elements: Applications): ((context: HostContext) => ReadonlySet<string>) | null {
  if (elements.length === 0) return null;
  const values = elements.flatMap(({ children }) => children["application-id"].map(({ text }) => text));
  const set = setOf(values);
  const lower = (ids: ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...ids].map((id) => id.toLowerCase()));
  if (values.some((value) => !value.isConstant)) return (context) => lower(set(context));
  const fixed = new Set(values.map((value) => value.constant!.toLowerCase()));
  return () => fixed;
}

/** `azp` in tokens of version 2, `appid` in those of version 1. */
function checkClient(jwt: Jwt, allowed: ReadonlySet<string>): void {
  const name = jwt.claims.has("azp") ? "azp" : "appid";
  const given = jwt.claims.get(name) ?? [];
  if (given.length !== 1 || !allowed.has(given[0]!.toLowerCase())) throw claimNotAllowed(name, given);
}

function always<T>(value: T): Value<T> {
  return Object.assign(() => value, { constant: value, isConstant: true, needs: 0 });
}

function joined(endpoint: Value<string>, tenant: Value<string>): Value<string> {
  if (endpoint.isConstant && tenant.isConstant)
    return always(configurationUrl(endpoint.constant!, tenant.constant!));
  const url = (context: HostContext): string => configurationUrl(endpoint(context), tenant(context));
  return Object.assign(url, { constant: undefined, isConstant: false, needs: endpoint.needs | tenant.needs });
}
