/**
 * Hides secrets in what a trace shows. Two nets, for each alone has holes: by name (headers, query parameters and
 * variables that are called after a secret), and by value (the secrets known to be in play: keys of the subscription,
 * secret named values, credentials of the backend, what masked headers held), wherever else they turn up. Texts that
 * look like a credential whatever they are called (JWTs, `Bearer …`, SAS signatures) are hidden, too.
 */
import { parseAuthorization } from "./authorization.ts";

export const HIDDEN = "***";

/** Shorter ones would blank out half of the trace. */
const SHORTEST_SECRET = 4;
const MOST_SECRETS = 1_000;

const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "ocp-apim-subscription-key",
  "apim-debug-authorization",
  "x-functions-key",
  "x-zumo-auth",
]);
const SECRET_NAME =
  /(?:^|[-_.])(?:api|access|account|subscription|shared|private|master|host|primary|secondary)?[-_]?(?:keys?|secrets?|tokens?|passwords?|passwd|pwd|passphrase|credentials?|signature|authorization|auth|jwt|assertion|sig|bearer)$/i;
/** Query parameters that are a word of their own elsewhere. */
const SECRET_PARAMETERS = new Set(["code", "sig", "subscription-key", "key"]);
/** Bounded where they could begin again and again in the same text. */
const CREDENTIALS: readonly [RegExp, string][] = [
  [/\beyJ[\w-]{8,1000}\.[\w-]{4,}(?:\.[\w-]*){1,3}/g, HIDDEN],
  [/\b(Bearer|Basic|SharedAccessSignature)\s+[^\s"',;]{6,}/gi, `$1 ${HIDDEN}`],
  [/\b(SharedAccessKey|AccountKey|SharedSecretValue|Password|Pwd)=[^;&"'\s]+/gi, `$1=${HIDDEN}`],
  [/\bsk-[\w-]{16,}/g, HIDDEN],
];

export class Mask {
  readonly #secrets = new Set<string>();
  readonly #headers: Set<string> = new Set();
  readonly #parameters: Set<string> = new Set();
  #ordered: readonly string[] | null = null;

  /** A text that must not be seen, in itself and in the forms it takes in URLs, JSON and Basic credentials. */
  addSecret(secret: string | null | undefined): void {
    if (secret == null || secret.length < SHORTEST_SECRET || this.#secrets.size >= MOST_SECRETS) return;
    this.#secrets.add(secret);
    this.#secrets.add(encodeURIComponent(secret.toWellFormed()));
    this.#secrets.add(JSON.stringify(secret).slice(1, -1));
    this.#ordered = null;
  }

  /** A header and a query parameter that carry the subscription key. */
  addKeyNames(header: string, parameter: string): void {
    this.#headers.add(header.toLowerCase());
    this.#parameters.add(parameter.toLowerCase());
  }

  /** Hides every secret in `text`. */
  text(text: string): string {
    let shown = text;
    // The longest first, for one may hold another.
    this.#ordered ??= [...this.#secrets].sort((a, b) => b.length - a.length);
    for (const secret of this.#ordered) if (shown.includes(secret)) shown = shown.replaceAll(secret, HIDDEN);
    for (const [pattern, replacement] of CREDENTIALS) shown = shown.replace(pattern, replacement);
    return shown;
  }

  hidesHeader(name: string): boolean {
    const lower = name.toLowerCase();
    return SECRET_HEADERS.has(lower) || this.#headers.has(lower) || hidesName(lower);
  }

  /** Notes the values of hidden headers, so that they are hidden elsewhere too. @param raw flat */
  learnHeaders(raw: readonly string[]): void {
    for (let i = 0; i < raw.length; i += 2) if (this.hidesHeader(raw[i]!)) this.#learnHeader(raw[i + 1]!);
  }

  #learnHeader(value: string): void {
    this.addSecret(value);
    for (const part of parseAuthorization(value)) this.addSecret(part);
  }

  /** Notes the values of hidden query parameters. @param query raw, without `?` */
  learnQuery(query: string): void {
    for (const pair of query.split("&")) {
      const at = pair.indexOf("=");
      if (at > 0 && this.#hidesParameter(pair.slice(0, at))) {
        this.addSecret(pair.slice(at + 1));
        this.addSecret(decoded(pair.slice(at + 1)));
      }
    }
  }

  /** A URL or a target with the values of hidden parameters hidden. */
  url(url: string): string {
    const at = url.indexOf("?");
    if (at < 0) return url;
    const pairs = url.slice(at + 1).split("&");
    const shown = pairs.map((pair) => {
      const equals = pair.indexOf("=");
      return equals > 0 && this.#hidesParameter(pair.slice(0, equals))
        ? `${pair.slice(0, equals)}=${HIDDEN}`
        : pair;
    });
    return `${url.slice(0, at)}?${shown.join("&")}`;
  }

  #hidesParameter(name: string): boolean {
    const lower = decoded(name).toLowerCase();
    return this.#parameters.has(lower) || SECRET_PARAMETERS.has(lower) || hidesName(lower);
  }
}

/** Whether a variable, header or parameter is called after a secret: `apiKey`, `access_token`, `x-api-key`. */
export function hidesName(name: string): boolean {
  return SECRET_NAME.test(name.replace(/([a-z0-9])([A-Z])/g, "$1-$2"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
