/**
 * Shared access signatures of Azure Service Bus and Event Hubs, which share one scheme: a token is the URL it is for, an
 * end, the name of a key, and an HMAC-SHA-256 over the first two.
 *
 *     SharedAccessSignature sr={url}&sig={base64}&se={seconds}&skn={key name}
 *
 * Source: "Authenticate access to Event Hubs resources using shared access signatures"
 */
import { createHmac } from "node:crypto";

/** What a connection string says: `Endpoint=sb://…/;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=…`. */
export interface SasConnection {
  readonly place: ServicePlace;
  readonly credential: SasCredential;
  /** Hub, queue or topic, when the string names one. */
  readonly entityPath: string | null;
}

export interface ServicePlace {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

export type SasCredential =
  | { readonly kind: "key"; readonly name: string; readonly key: string }
  /** A token that somebody else made. */
  | { readonly kind: "signature"; readonly token: string };

/** @returns the connection, or a sentence saying what is wrong that shows nothing of the text, which holds a key */
export function parseSasConnection(text: string): SasConnection | string {
  const parts = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const endpoint = parts.get("endpoint");
  if (endpoint === undefined) return "it has no Endpoint";
  const place = parsePlace(endpoint);
  if (place === null) return "its Endpoint is not sb://host/";
  const entityPath = parts.get("entitypath") ?? null;
  const token = parts.get("sharedaccesssignature");
  if (token !== undefined) return { place, credential: { kind: "signature", token }, entityPath };
  const name = parts.get("sharedaccesskeyname");
  const key = parts.get("sharedaccesskey");
  if (name === undefined || name === "") return "it has no SharedAccessKeyName";
  if (key === undefined || key === "") return "it has no SharedAccessKey";
  return { place, credential: { kind: "key", name, key }, entityPath };
}

/**
 * Several connection strings, separated by white space: what HEADGATE_SERVICE_BUS holds.
 *
 * @throws Error that shows nothing of them
 */
export function readSasConnections(text: string): SasConnection[] {
  const texts = text.split(/\s+/).filter((one) => one !== "");
  return texts.map((one) => {
    const connection = parseSasConnection(one);
    if (typeof connection !== "string") return connection;
    throw new Error(
      `A connection string of HEADGATE_SERVICE_BUS cannot be used: ${connection}. It looks like Endpoint=sb://…/;SharedAccessKeyName=…;SharedAccessKey=…`,
    );
  });
}

/** `sb://host[:port]/`, an http or https URL, or a bare host. The services speak HTTPS; http is for stand-ins. */
export function parsePlace(text: string): ServicePlace | null {
  const match = /^(?:(sb|amqps|https|http):\/\/)?([^/:\s@[\]?#]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?\/?$/i.exec(
    text.trim(),
  );
  if (match === null) return null;
  const scheme = match[1]?.toLowerCase() === "http" ? "http" : "https";
  const port = match[3] === undefined ? (scheme === "http" ? 80 : 443) : Number(match[3]);
  if (port < 1 || port > 65_535) return null;
  return { scheme, host: match[2]!.replace(/^\[|\]$/g, "").toLowerCase(), port };
}

/** `host` or `host:port`, as a Host header has it. */
export function authorityOf({ scheme, host, port }: ServicePlace): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

const LIFETIME_S = 3_600;
/** A token is made anew when it has less than this left. */
const RENEW_S = 300;

/** The value of Authorization for `entity`; one token serves for most of an hour. */
export class SasSigner {
  readonly #uri: string;
  readonly #credential: SasCredential;
  #token = "";
  #expiresS = 0;

  constructor(place: ServicePlace, entity: string, credential: SasCredential) {
    // Names the resource, not the connection: always http(s) and in lower case, the port only when it is unusual.
    this.#uri = `${place.scheme}://${authorityOf(place)}/${entity}`.toLowerCase();
    this.#credential = credential;
  }

  /** @param nowMs since the epoch */
  authorization(nowMs: number): string {
    if (this.#credential.kind === "signature") return this.#credential.token;
    const now = Math.floor(nowMs / 1000);
    if (this.#expiresS - now < RENEW_S) {
      this.#expiresS = now + LIFETIME_S;
      this.#token = sasToken(this.#uri, this.#credential.name, this.#credential.key, this.#expiresS);
    }
    return this.#token;
  }
}

/** @param expiresS seconds since the epoch */
export function sasToken(uri: string, keyName: string, key: string, expiresS: number): string {
  const resource = encodeURIComponent(uri);
  const signature = createHmac("sha256", key).update(`${resource}\n${expiresS}`).digest("base64");
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresS}&skn=${encodeURIComponent(keyName)}`;
}
