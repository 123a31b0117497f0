import type { Value } from "../../compiler/policy.ts";
import type { HostContext } from "../../compiler/runtime/host.ts";
import { parseUrl } from "../../backends/own-requests/own-request.ts";
import { expressionFailed } from "../../gateway/errors.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { maxStaleMistake, maxStaleMs, readDuration } from "../../tokens/duration.ts";
import {
  AUDIENCES,
  REQUIRED_CLAIMS,
  TOKEN_ATTRIBUTES,
  audiencesOf,
  claimsChecker,
  keyMistake,
  runTokenStep,
  setOf,
  writtenKey,
} from "../../tokens/elements.ts";
import type { OpenIdSource } from "../../tokens/openid.ts";
import { sourcesOf } from "../../tokens/services.ts";
import { decryptionShelf, signingShelf } from "../../tokens/shelf.ts";
import { fillTenant } from "../../tokens/validate.ts";

const PLACES = ["header-name", "query-parameter-name", "token-value"] as const;

/**
 * Lets a request through only with a JSON Web Token that is signed, current, and says what is asked. When keys cannot be
 * fetched, the ones known are used for as long as jwks-max-stale allows; without any the token is refused.
 */
export const validateJwt = definePolicy({
  element: "validate-jwt",
  summary:
    "Refuses requests without a valid JSON Web Token: signature, times, issuer, audience and claims are checked.",
  sections: ["inbound"],
  shape: {
    attributes: {
      ...TOKEN_ATTRIBUTES,
      "require-expiration-time": {
        type: "bool",
        expression: true,
        default: true,
        doc: "The token must say when it expires.",
      },
      "require-scheme": {
        type: "string",
        expression: true,
        doc: "Scheme that the Authorization header must have, such as Bearer.",
      },
      "require-signed-tokens": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Refuse tokens without a signature.",
      },
      "clock-skew": {
        type: "string",
        expression: true,
        default: "0",
        doc: "How far clocks may differ: seconds or hh:mm:ss.",
      },
      "jwks-max-stale": {
        type: "string",
        doc: "How long fetched keys serve while no new ones can be had: seconds or d.hh:mm:ss; default 24 hours.",
      },
    },
    children: {
      "openid-config": {
        attributes: {
          url: { type: "string", expression: true, required: true, doc: "OpenID configuration document." },
        },
        doc: "Gives issuer and signing keys.",
      },
      "issuer-signing-keys": {
        max: 1,
        children: {
          key: {
            min: 1,
            attributes: {
              id: { type: "string", doc: "Compared with the token's kid." },
              "certificate-id": {
                type: "string",
                references: "certificate",
                doc: "A certificate whose key signs.",
              },
              n: { type: "string", doc: "RSA modulus, base64url." },
              e: { type: "string", doc: "RSA exponent, base64url." },
            },
            text: { type: "string", expression: true },
            doc: "A key: Base64 of a secret, certificate-id, or n and e.",
          },
        },
      },
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
              n: { type: "string", doc: "Taken, but a public key decrypts nothing." },
              e: { type: "string", doc: "See n." },
            },
            text: { type: "string", expression: true },
            doc: "A key: Base64 of a secret, or certificate-id.",
          },
        },
      },
      audiences: AUDIENCES,
      issuers: {
        max: 1,
        children: {
          issuer: {
            min: 1,
            text: { type: "string", expression: true, required: true },
            doc: "An iss that is accepted.",
          },
        },
      },
      "required-claims": REQUIRED_CLAIMS,
    },
  },
  check: ({ attributes, children }, report) => {
    const places = PLACES.filter((name) => attributes[name] !== undefined);
    if (places.length !== 1) {
      const extra = places[1];
      report(
        "exactly one of header-name, query-parameter-name and token-value is needed",
        extra === undefined ? undefined : { attribute: extra },
      );
    }
    const skew = attributes["clock-skew"].constant;
    if (skew !== undefined && !skew.includes("{") && readDuration(skew) === null) {
      report(
        `"${skew}" is not a time`,
        { attribute: "clock-skew", value: true },
        "write seconds, as in 300, or hh:mm:ss, as in 00:05:00",
      );
    }
    const stale = maxStaleMistake(attributes["jwks-max-stale"]);
    if (stale !== null)
      report(stale, { attribute: "jwks-max-stale", value: true }, "write seconds, as in 3600, or d.hh:mm:ss");
    children["openid-config"].forEach(({ attributes: { url } }, index) => {
      if (url.isConstant && !url.constant!.includes("{") && parseUrl(url.constant!) === null) {
        report(`"${url.constant!}" is not an absolute http or https URL`, {
          child: "openid-config",
          index,
          attribute: "url",
          value: true,
        });
      }
    });
    for (const list of ["issuer-signing-keys", "decryption-keys"] as const) {
      children[list][0]?.children.key.forEach((key, index) => {
        const mistake = keyMistake(key);
        const at = { child: `${list}/key`, index };
        if (mistake !== null) report(mistake, at);
        else if (list === "decryption-keys" && key.attributes.n !== undefined) {
          report(
            "a public key decrypts nothing",
            at,
            "name a certificate that has its private key, with certificate-id",
            "warning",
          );
        }
      });
    }
    const signs = attributes["require-signed-tokens"];
    if (
      children["openid-config"].length === 0 &&
      children["issuer-signing-keys"].length === 0 &&
      signs.constant === true
    ) {
      report(
        "there is no key to check signatures with, so every token is refused",
        undefined,
        "add <openid-config> or <issuer-signing-keys>",
        "warning",
      );
    }
  },
  prepare: ({ attributes, children }, site) => {
    const signing = children["issuer-signing-keys"][0]?.children.key ?? [];
    const decryption = children["decryption-keys"][0]?.children.key ?? [];
    const urls = children["openid-config"].map((child) => child.attributes.url);
    const step = {
      source: site.element,
      attributes,
      scheme: attributes["require-scheme"],
      rules: {
        requireExpiration: attributes["require-expiration-time"],
        requireSigned: attributes["require-signed-tokens"],
        clockSkew: secondsOf(attributes["clock-skew"], site.element),
        signingKeys: signingShelf(signing.map(writtenKey).filter((key) => key !== null)),
        decryptionKeys: decryptionShelf(decryption.map(writtenKey).filter((key) => key !== null)),
        openId: sourcesOf(urls),
        maxStaleMs: maxStaleMs(attributes["jwks-max-stale"]),
        issuers: setOf((children.issuers[0]?.children.issuer ?? []).map(({ text }) => text)),
        audiences: audiencesOf(children.audiences),
        issuersOf: ownIssuer,
        checkClaims: claimsChecker(children["required-claims"]),
      },
    };
    return (exchange) => runTokenStep(step, exchange);
  },
});

function ownIssuer(
  { issuer }: OpenIdSource,
  { tenant }: { readonly tenant: string | null },
): readonly string[] {
  const filled = fillTenant(issuer, tenant);
  return filled === null ? [] : [filled];
}

/** A skew that is worked out for the request must be a time, too. */
function secondsOf(value: Value<string>, source: string): (context: HostContext) => number {
  const read = (text: string): number => {
    const seconds = readDuration(text);
    if (seconds === null)
      throw expressionFailed(source, `The clock-skew "${text.slice(0, 100)}" is not a time.`, null);
    return seconds;
  };
  if (!value.isConstant) return (context) => read(value(context));
  const fixed = readDuration(value.constant!) ?? 0;
  return () => fixed;
}
