/**
 * The way out of a case's gateway. Hosts that the case names lead to its upstream, as behind a front proxy where TLS ends;
 * like one, it tells what it saw of the connection: `Seen-Scheme`, and `Seen-Certificate`, the common name of the client
 * certificate.
 */
import { X509Certificate } from "node:crypto";
import { openCertificate } from "../src/gateway/certificate.ts";
import type { Client, ClientRequest, ClientResponse, ClientTls } from "../src/transport/transport.ts";

export class Elsewhere implements Client {
  readonly #client: Client;
  readonly #port: () => number;
  #hosts: ReadonlySet<string> = new Set();

  constructor(client: Client, port: () => number) {
    this.#client = client;
    this.#port = port;
  }

  /** A new case begins. */
  reset(hosts: readonly string[]): void {
    this.#hosts = new Set(hosts);
  }

  send(request: ClientRequest): Promise<ClientResponse> {
    if (!this.#hosts.has(request.host)) return this.#client.send(request);
    const rawHeaders = [...request.rawHeaders, "Seen-Scheme", request.scheme];
    const certificate = request.tls?.certificate;
    if (certificate !== undefined) rawHeaders.push("Seen-Certificate", nameOf(certificate));
    const { tls: _tls, ...plain } = request;
    return this.#client.send({ ...plain, scheme: "http", host: "127.0.0.1", port: this.#port(), rawHeaders });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function nameOf(certificate: NonNullable<ClientTls["certificate"]>): string {
  if ("cert" in certificate) return new X509Certificate(certificate.cert).subject;
  const opened = openCertificate(Buffer.from(certificate.pfx), certificate.passphrase ?? "");
  return typeof opened === "string" ? `unreadable: ${opened}` : opened.certificate.subject;
}
