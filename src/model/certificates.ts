/** `certificates` → what TLS can present and policies can look up. Files are opened here, once. */
import type { CertificateProperties } from "../contract/platform.ts";
import type { Resource } from "../contract/resource.ts";
import { openCertificate } from "../gateway/certificate.ts";
import type { Certificate, CertificateIndex } from "../gateway/snapshot.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { Fill } from "./backends.ts";
import type { Reporter } from "./report.ts";

export function buildCertificates(resources: ResourceSet, fill: Fill, report: Reporter): CertificateIndex {
  const byId = new Map<string, Certificate>();
  const byThumbprint = new Map<string, Certificate>();
  for (const resource of resources.ofType("certificates")) {
    const certificate = open(resource, fill, report);
    if (certificate === null) continue;
    byId.set(resource.name.toLowerCase(), certificate);
    byThumbprint.set(certificate.thumbprint, certificate);
  }
  return { byId, byThumbprint };
}

/** Null without data (it lies in a vault, or was left out of the folder) and when it cannot be opened. */
function open(resource: Resource<CertificateProperties>, fill: Fill, report: Reporter): Certificate | null {
  const { data, password } = resource.properties;
  if (data === undefined || data === "" || data.startsWith("***")) return null;
  const filled = fill(data, resource.id, ["data"]);
  const secret = password === undefined ? "" : fill(password, resource.id, ["password"]);
  if (filled === null || secret === null) return null;
  const opened = openCertificate(Buffer.from(filled, "base64"), secret);
  if (typeof opened === "string") {
    const reason =
      opened === "password"
        ? "the password is wrong or missing"
        : "it is not the base64 of a PKCS#12 (PFX) file";
    report.error("HG5504", { name: resource.name, reason }, resource.id, [
      opened === "password" ? "password" : "data",
    ]);
    return null;
  }
  return {
    id: resource.name,
    thumbprint: opened.certificate.fingerprint.replaceAll(":", "").toUpperCase(),
    der: opened.certificate.raw,
    client: opened.client,
  };
}

/** Whether a thumbprint, as an author writes it, is one of ours. Certificates that are not opened may tell theirs. */
export function knowsThumbprint(resources: ResourceSet, index: CertificateIndex, text: string): boolean {
  const wanted = plainThumbprint(text);
  if (index.byThumbprint.has(wanted)) return true;
  return resources
    .ofType("certificates")
    .some(
      ({ properties }) =>
        properties.thumbprint !== undefined && plainThumbprint(properties.thumbprint) === wanted,
    );
}

function plainThumbprint(text: string): string {
  return text.replace(/[^0-9a-f]/gi, "").toUpperCase();
}
