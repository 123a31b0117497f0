/** `context.Deployment`, with the certificates of the snapshot: by thumbprint and by name (`resources.md` §1.15). */
import type { HostDeployment } from "../compiler/runtime/host.ts";
import type { CertificateIndex } from "./snapshot.ts";

const made = new WeakMap<CertificateIndex, HostDeployment>();

export function deploymentOf(deployment: HostDeployment, index: CertificateIndex): HostDeployment {
  if (index.byId.size === 0) return deployment;
  let whole = made.get(index);
  if (whole === undefined) {
    const certificates = new Map(deployment.certificates);
    for (const { id, der } of index.byId.values()) certificates.set(id, der);
    for (const [thumbprint, { der }] of index.byThumbprint) certificates.set(thumbprint, der);
    made.set(index, (whole = { ...deployment, certificates }));
  }
  return whole;
}
