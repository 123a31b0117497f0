/** TLS settings of a backend together with the certificate that authentication-certificate chose for one request. */
import type { ClientCertificate } from "../gateway/snapshot.ts";
import type { ClientTls } from "../transport/transport.ts";

const DEFAULT_TLS: ClientTls = { validateChain: true, validateName: true };

/** Made once for each pair: the transport knows settings again by identity, and pools connections by them. */
const combined = new WeakMap<ClientCertificate, WeakMap<ClientTls, ClientTls>>();

/** @param base the backend's own settings, if it has any; the request's certificate wins over theirs */
export function withClientCertificate(
  base: ClientTls | null,
  certificate: ClientCertificate | null,
): ClientTls | undefined {
  if (certificate === null) return base ?? undefined;
  const settings = base ?? DEFAULT_TLS;
  let known = combined.get(certificate);
  if (known === undefined) combined.set(certificate, (known = new WeakMap()));
  let tls = known.get(settings);
  if (tls === undefined) known.set(settings, (tls = { ...settings, certificate }));
  return tls;
}
