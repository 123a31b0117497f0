/** What a client asks of an upstream's certificate. Chain, name and thumbprint are separate questions. */
import { createHash, X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import tls, { type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import type { ClientTls } from "../transport.ts";
import { FULL_BYTES } from "./outbox.ts";

const DEFAULT_TLS: ClientTls = { validateChain: true, validateName: true };

const identities = new WeakMap<ClientTls, string>();

/** Equal settings have equal keys, so that a new snapshot goes on using the connections of the old one. */
export function tlsKey(settings: ClientTls | undefined): string {
  if (settings === undefined) return "";
  let key = identities.get(settings);
  if (key === undefined) {
    const text = JSON.stringify(settings, (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    );
    key = createHash("sha256").update(text).digest("base64");
    identities.set(settings, key);
  }
  return key;
}

/** The settings of one origin, prepared once: reading certificates costs milliseconds. */
export class TlsDoor {
  readonly #settings: ClientTls;
  readonly #name: string;
  readonly #context: tls.SecureContext;
  readonly #thumbprints: ReadonlySet<string>;
  readonly #names: readonly X509Name[];
  readonly #protocols: string[];

  /** @throws what OpenSSL says of a key, a certificate or a passphrase that does not fit */
  constructor(settings: ClientTls = DEFAULT_TLS, host: string, protocols: string[]) {
    this.#settings = settings;
    this.#name = settings.serverName ?? host;
    this.#protocols = protocols;
    this.#thumbprints = new Set(settings.thumbprints?.map(bareHex));
    this.#names = (settings.x509Names ?? []).map(({ name, issuer }) => ({
      name: name.toLowerCase(),
      issuers: issuer === null ? null : new Set(issuer.split(",").map(bareHex)),
    }));
    const own = settings.certificate;
    this.#context = tls.createSecureContext({
      minVersion: "TLSv1.2",
      // `ca` replaces the built-in roots; additional trust has to bring them along.
      ca: settings.ca === undefined ? undefined : [...tls.getCACertificates("default"), ...settings.ca],
      ...(own === undefined
        ? {}
        : "pfx" in own
          ? { pfx: Buffer.from(own.pfx), passphrase: own.passphrase }
          : own),
    });
  }

  connect(socket: Socket, allowHalfOpen: boolean): TLSSocket {
    return tls.connect({
      socket,
      secureContext: this.#context,
      servername: isIP(this.#name) === 0 ? this.#name : undefined,
      ALPNProtocols: this.#protocols,
      // Both checks are made in `refuses`, so that each can be switched off alone.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      allowHalfOpen,
      highWaterMark: FULL_BYTES,
    } as tls.ConnectionOptions);
  }

  /** @returns why the peer's certificate is not accepted, or null */
  refuses(socket: TLSSocket): string | null {
    const { validateChain, validateName } = this.#settings;
    const certificate = socket.getPeerCertificate(true);
    if (this.#thumbprints.size > 0 || this.#names.length > 0) {
      if (this.#named(socket, certificate)) return null;
      if (!hasThumbprint(certificate, this.#thumbprints))
        return this.#names.length === 0
          ? "the certificate has none of the accepted thumbprints"
          : "the certificate has none of the accepted names and issuers";
    } else if (validateChain && !socket.authorized) {
      return `the certificate is not trusted: ${String(socket.authorizationError)}`;
    }
    if (!validateName) return null;
    return tls.checkServerIdentity(this.#name, certificate)?.message ?? null;
  }

  /** By its common name and whoever signed it. */
  #named(socket: TLSSocket, certificate: DetailedPeerCertificate): boolean {
    if (this.#names.length === 0 || certificate.raw === undefined) return false;
    if (OUT_OF_TIME.has(String(socket.authorizationError))) return false;
    const subject = [certificate.subject?.CN ?? []].flat().map((name) => name.toLowerCase());
    return this.#names.some(
      ({ name, issuers }) =>
        subject.includes(name) && (issuers === null ? socket.authorized : isSignedBy(certificate, issuers)),
    );
  }
}

interface X509Name {
  /** Lower case. */
  readonly name: string;
  /** null: whoever is trusted. */
  readonly issuers: ReadonlySet<string> | null;
}

/** What OpenSSL says last, of a certificate that it also knows no issuer of. */
const OUT_OF_TIME: ReadonlySet<string> = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);

function hasThumbprint(
  { fingerprint, fingerprint256 }: tls.PeerCertificate,
  accepted: ReadonlySet<string>,
): boolean {
  return accepted.has(bareHex(fingerprint ?? "")) || accepted.has(bareHex(fingerprint256 ?? ""));
}

/** Anybody can send an issuer's certificate along with one that it has never seen: the signature tells. */
function isSignedBy(certificate: DetailedPeerCertificate, issuers: ReadonlySet<string>): boolean {
  const issuer = certificate.issuerCertificate;
  if (issuer?.raw === undefined || !hasThumbprint(issuer, issuers)) return false;
  return new X509Certificate(certificate.raw).verify(new X509Certificate(issuer.raw).publicKey);
}

function bareHex(thumbprint: string): string {
  return thumbprint.replace(/[^0-9a-fA-F]/g, "").toUpperCase();
}
