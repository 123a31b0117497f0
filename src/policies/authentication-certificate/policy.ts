import { createHash } from "node:crypto";
import { openCertificate } from "../../gateway/certificate.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";
import type { Certificate, ClientCertificate } from "../../gateway/snapshot.ts";

/** The client certificate that is presented to the backend, or to the server of the enclosing send-request. */
export const authenticationCertificate = definePolicy({
  element: "authentication-certificate",
  summary: "Presents a client certificate in the TLS handshake with the backend.",
  sections: ["inbound"],
  shape: {
    attributes: {
      thumbprint: {
        type: "string",
        expression: true,
        references: "certificate-thumbprint",
        doc: "SHA-1 thumbprint of a certificate resource; case and spaces do not matter.",
      },
      "certificate-id": {
        type: "string",
        expression: true,
        references: "certificate",
        doc: "Name of a certificate resource.",
      },
      body: { type: "body", expression: true, doc: "A PKCS#12 file as byte[]." },
      password: { type: "string", expression: true, doc: "Password of the file in body." },
    },
  },
  check: ({ attributes }, report) => {
    const named = (["thumbprint", "certificate-id", "body"] as const).filter(
      (name) => attributes[name] !== undefined,
    );
    if (named.length === 0) {
      report("one of thumbprint, certificate-id and body is required", undefined, 'add certificate-id="…"');
    }
    if (named.length > 1)
      report(`${named.join(" and ")} cannot stand together`, { attribute: named[1]! }, "keep one of them");
    if (attributes.body?.isConstant === true)
      report("body takes an expression that gives byte[]", { attribute: "body" });
    if (attributes.password !== undefined && attributes.body === undefined) {
      report("password belongs to body", { attribute: "password" }, "certificate resources have their own");
    }
  },
  prepare: ({ attributes }) => {
    const { thumbprint, "certificate-id": id, body, password } = attributes;
    return (exchange, message) => {
      const request = message instanceof RequestMessage ? message : exchange.request;
      if (body !== undefined)
        request.clientCertificate = fromBody(body(exchange.context), password?.(exchange.context));
      else if (id !== undefined) request.clientCertificate = byId(exchange, id(exchange.context));
      else request.clientCertificate = byThumbprint(exchange, thumbprint!(exchange.context));
    };
  },
});

function byId(exchange: Exchange, id: string): ClientCertificate {
  const name = id.trim().split("/").at(-1)!;
  return usable(exchange.snapshot.certificates.byId.get(name.toLowerCase()), `"${id}"`);
}

function byThumbprint(exchange: Exchange, thumbprint: string): ClientCertificate {
  const plain = thumbprint.replace(/[^0-9a-f]/gi, "").toUpperCase();
  return usable(exchange.snapshot.certificates.byThumbprint.get(plain), `with thumbprint ${thumbprint}`);
}

function usable(certificate: Certificate | undefined, which: string): ClientCertificate {
  if (certificate === undefined)
    throw invalid("CertificateNotFound", `There is no certificate ${which}, or it has no data here.`);
  if (certificate.client === null)
    throw invalid("CertificateInvalid", `The certificate ${which} has no private key.`);
  return certificate.client;
}

/** Opening a file costs milliseconds, and authors give the same few again and again. */
const MOST_KEPT = 64;
const kept = new Map<string, ClientCertificate>();

function fromBody(pfx: string | Uint8Array | null, password = ""): ClientCertificate {
  if (!(pfx instanceof Uint8Array))
    throw invalid("CertificateInvalid", "body is not a byte[] with a PKCS#12 file.");
  const key = createHash("sha256").update(pfx).update(password).digest("base64");
  let client = kept.get(key);
  if (client === undefined) {
    client = opened(pfx, password);
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(key, client);
  }
  return client;
}

function opened(pfx: Uint8Array, password: string): ClientCertificate {
  const found = openCertificate(pfx, password);
  if (found === "password")
    throw invalid("CertificateInvalid", "The password of the PKCS#12 file in body is wrong or missing.");
  if (found === "format") throw invalid("CertificateInvalid", "body is not a PKCS#12 file.");
  if (found.client === null)
    throw invalid("CertificateInvalid", "The PKCS#12 file in body holds no private key.");
  return found.client;
}

function invalid(reason: string, message: string): GatewayError {
  return new GatewayError({ source: "authentication-certificate", reason, message, status: 500 });
}
