/** What a client asks of an upstream's certificate. Chain, name and thumbprint are separate questions. */
import { createHash } from "node:crypto";
import { isIP, type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
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
  readonly #protocols: string[];

  /** @throws what OpenSSL says of a key, a certificate or a passphrase that does not fit */
  constructor(settings: ClientTls = DEFAULT_TLS, host: string, protocols: string[]) {
    this.#settings = settings;
    this.#name = settings.serverName ?? host;
    this.#protocols = protocols;
    this.#thumbprints = new Set(settings.thumbprints?.map(bareHex));
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
    const certificate = socket.getPeerCertificate();
    if (this.#thumbprints.size > 0) {
      const known =
        this.#thumbprints.has(bareHex(certificate.fingerprint ?? "")) ||
        this.#thumbprints.has(bareHex(certificate.fingerprint256 ?? ""));
      if (!known) return "the certificate has none of the accepted thumbprints";
    } else if (validateChain && !socket.authorized) {
      return `the certificate is not trusted: ${String(socket.authorizationError)}`;
    }
    if (!validateName) return null;
    return tls.checkServerIdentity(this.#name, certificate)?.message ?? null;
  }
}

function bareHex(thumbprint: string): string {
  return thumbprint.replace(/[^0-9a-fA-F]/g, "").toUpperCase();
}
