import { hash } from "node:crypto";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { type Outcome, definePolicy } from "../../gateway/policy.ts";
import { type ClientCertificate, readCertificate } from "./certificate.ts";
import { buildChain, issuerOf } from "./chain.ts";
import { parseName } from "./distinguished-name.ts";
import { prepareIdentity } from "./identity.ts";
import { revocationChecker } from "./revocation.ts";

/**
 * Lets a request through only with a client certificate that is trusted, current, not revoked, and one of those listed.
 * When a revocation status cannot be had, the certificate is refused.
 */
export const validateClientCertificate = definePolicy({
  element: "validate-client-certificate",
  summary:
    "Refuses requests whose TLS client certificate is not trusted, current, unrevoked, or not one of those listed.",
  sections: ["inbound"],
  shape: {
    attributes: {
      "validate-revocation": {
        type: "bool",
        default: true,
        doc: "Ask the authorities whether it was revoked.",
      },
      "validate-trust": { type: "bool", default: true, doc: "It must lead to a trusted authority." },
      "validate-not-before": { type: "bool", default: true, doc: "Its time must have begun." },
      "validate-not-after": { type: "bool", default: true, doc: "Its time must not be over." },
      "ignore-error": { type: "bool", default: false, doc: "Go on when it is not valid." },
    },
    children: {
      identities: {
        max: 1,
        children: {
          identity: {
            attributes: {
              thumbprint: { type: "string", doc: "SHA-1 (or SHA-256) of the certificate, hex." },
              "serial-number": { type: "string", doc: "Serial number, hex." },
              "common-name": { type: "string", doc: "Common name of the subject." },
              subject: { type: "string", doc: "Distinguished name of the subject." },
              "dns-name": { type: "string", doc: "A DNS name among the alternative names." },
              "issuer-subject": { type: "string", doc: "Distinguished name of the issuer." },
              "issuer-thumbprint": { type: "string", doc: "SHA-1 of the issuer's certificate, hex." },
              "issuer-certificate-id": {
                type: "string",
                references: "certificate",
                doc: "The issuer's certificate; excludes the other issuer attributes.",
              },
            },
            doc: "A certificate fits when all attributes do.",
          },
        },
      },
    },
  },
  check: ({ children }, report) => {
    children.identities[0]?.children.identity.forEach(({ attributes }, index) => {
      const at = { child: "identities/identity", index };
      const given = Object.entries(attributes).filter(([, value]) => value !== undefined) as [
        string,
        string,
      ][];
      if (given.length === 0) report("an identity needs at least one attribute", at);
      if (attributes["issuer-certificate-id"] !== undefined) {
        const other = (["issuer-subject", "issuer-thumbprint"] as const).find(
          (name) => attributes[name] !== undefined,
        );
        if (other !== undefined)
          report(`issuer-certificate-id and ${other} exclude each other`, { ...at, attribute: other });
      }
      for (const [name, value] of given) {
        const place = { ...at, attribute: name, value: true };
        const digits = value.replace(/[\s:-]/g, "");
        if (value.includes("{")) continue;
        if (name.endsWith("subject") && parseName(value) === null) {
          report(
            `"${value}" is not a distinguished name`,
            place,
            'write it as in CN=client, O="Contoso, Inc.", C=US',
          );
        }
        if (
          name.endsWith("thumbprint") &&
          !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(digits.replace(/[^\x21-\x7e]/g, ""))
        ) {
          report(`"${value}" is not a thumbprint`, place, "40 hex digits");
        }
        if (name === "serial-number" && !/^[0-9a-f]+$/i.test(digits))
          report(`"${value}" is not a serial number`, place, "hex digits");
      }
    });
  },
  prepare: ({ attributes, children }) => {
    const identities = children.identities[0]?.children.identity ?? [];
    const rules: Rules = {
      revocation: attributes["validate-revocation"],
      trust: attributes["validate-trust"],
      notBefore: attributes["validate-not-before"],
      notAfter: attributes["validate-not-after"],
      identities: identities.length === 0 ? null : identities.map((one) => prepareIdentity(one.attributes)),
    };
    const refuse = attributes["ignore-error"] ? remark : fail;
    return (exchange) => {
      const found = judge(rules, exchange);
      if (found instanceof Promise) return found.then((why) => refuse(exchange, why));
      return refuse(exchange, found);
    };
  },
});

interface Rules {
  readonly revocation: boolean;
  readonly trust: boolean;
  readonly notBefore: boolean;
  readonly notAfter: boolean;
  readonly identities: readonly ReturnType<typeof prepareIdentity>[] | null;
}

/** What is wrong with a certificate; null when nothing is. */
type Verdict = string | null;

function fail(_exchange: Exchange, why: Verdict): Outcome {
  if (why === null) return;
  throw new GatewayError({
    source: "validate-client-certificate",
    reason: "ClientCertificateInvalid",
    message: `The client certificate is not valid: ${why}.`,
    status: 401,
    clientMessage: "Invalid client certificate",
  });
}

function remark(exchange: Exchange, why: Verdict): Outcome {
  if (why !== null)
    exchange.remark(
      "validate-client-certificate",
      `The client certificate is not valid, which is ignored: ${why}.`,
    );
}

function judge(rules: Rules, exchange: Exchange): Verdict | Promise<Verdict> {
  const der = exchange.request.certificate;
  if (der === null) return "none was presented";
  const certificate = remembered(der);
  if (certificate === null) return "it cannot be read";
  const { certificates, options } = exchange.snapshot;
  const now = exchange.services.clock.now();
  if (rules.notBefore && !(certificate.notBeforeMs <= now)) return "its time has not begun";
  if (rules.notAfter && !(now <= certificate.notAfterMs)) return "its time is over";
  const chain = rules.trust ? buildChain(certificate, certificates, now) : null;
  if (typeof chain === "string") return chain;
  const issuer = chain?.[1] ?? issuerOf(certificate, certificates);
  if (
    rules.identities !== null &&
    !rules.identities.some((fits) => fits(certificate, issuer, certificates))
  ) {
    return "it is none of the identities listed";
  }
  if (!rules.revocation) return null;
  if (issuer === null) return "its revocation status could not be found: its issuer is not known";
  const checker = revocationChecker(exchange.services);
  // The authority at the end is trusted as it is; each before it may have been revoked by the next.
  const links = chain ?? [certificate, issuer];
  const found: (Verdict | Promise<Verdict>)[] = [];
  for (let i = 0; i + 1 < links.length; i++)
    found.push(checker.check(links[i]!, links[i + 1]!, options.egress));
  const first = (verdicts: readonly Verdict[]): Verdict => verdicts.find((one) => one !== null) ?? null;
  return found.some((one) => one instanceof Promise)
    ? Promise.all(found).then(first)
    : first(found as Verdict[]);
}

const MOST_REMEMBERED = 500;
const read = new Map<string, ClientCertificate | null>();

/** A connection presents the same certificate with each request; reading it takes longer than all else here. */
function remembered(der: Uint8Array): ClientCertificate | null {
  const key = hash("sha256", der, "base64");
  let certificate = read.get(key);
  if (certificate === undefined) {
    if (read.size >= MOST_REMEMBERED) read.delete(read.keys().next().value!);
    read.set(key, (certificate = readCertificate(der)));
  }
  return certificate;
}
