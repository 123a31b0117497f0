/** PKCS#12 files as certificates that TLS can present. Opened here, because Node refuses the older ciphers in them. */
import { X509Certificate } from "node:crypto";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { type PfxFailure, openPfx } from "../compiler/runtime/library/pkcs12.ts";
import type { ClientCertificate } from "./snapshot.ts";

export interface OpenedCertificate {
  readonly certificate: X509Certificate;
  /** With the rest of the file's chain; null without a private key. */
  readonly client: ClientCertificate | null;
}

/** Authorities are published without a key, as a certificate in DER or PEM: that is taken, too. */
export function openCertificate(pfx: Uint8Array, password: string): OpenedCertificate | PfxFailure {
  // The reader pays for its work from the budget of expressions.
  beginEvaluation();
  const opened = openPfx(pfx, password);
  if (typeof opened === "string") return opened === "format" ? bareCertificate(pfx) : opened;
  const { certificate, privateKey, chain } = opened;
  if (privateKey === null) return { certificate, client: null };
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { certificate, client: { key, cert: [certificate, ...chain].join("") } };
}

function bareCertificate(bytes: Uint8Array): OpenedCertificate | PfxFailure {
  try {
    return { certificate: new X509Certificate(bytes), client: null };
  } catch {
    return "format";
  }
}
