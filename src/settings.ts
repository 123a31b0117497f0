/**
 * Settings of the process, read once from flags and environment, then frozen. Flags win over the environment, the
 * environment over defaults (`deployment.md` D5). Only this file and `main.ts` read `process.env`.
 */
import { readFileSync } from "node:fs";
import { type AddressRange, parseAddress, parseRange } from "./base/addresses.ts";

export interface Settings {
  /** Folder in an APIOps layout; null = the example configuration in `./headgate`. */
  readonly configDir: string | null;
  /** Where the process keeps what it must not lose. */
  readonly dataDir: string;
  /** A Redis or Valkey where several nodes count together; null = this node counts alone. A secret. */
  readonly redis: string | null;
  readonly host: string;
  readonly port: number;
  /** Where `/metrics` is answered; null = nowhere. */
  readonly admin: AdminSettings | null;
  /** False when the port was asked for: then a taken one is an error, not a reason to move. */
  readonly portIsDefault: boolean;
  /** PEM files; both or none. */
  readonly tlsKeyFile: string | null;
  readonly tlsCertFile: string | null;
  /** Ask callers for a certificate; policies judge it. */
  readonly tlsClientCertificates: boolean;
  /** Access log on standard output; default on unless standard output is a terminal. */
  readonly accessLog: "on" | "off" | "auto";
  /** How long streams may go on after SIGTERM. */
  readonly drainMs: number;
  readonly json: boolean;
  readonly demoModel: boolean;
  /** DNS servers that backends' names are asked of; empty: the system decides. */
  readonly dnsServers: readonly string[];
  /** Signs session cookies: the same on all nodes that share sessions; null = this node's own. A secret. */
  readonly sessionSecret: string | null;
  /** The product's ways where ours are others, by wish. */
  readonly compat: Readonly<Record<(typeof COMPAT)[number], boolean>>;
  /** How requests are matched and forwarded, by those names. */
  readonly gateway: GatewaySettings;
  /** Where browsers reach the gateway, without final slash; null = where it listens. */
  readonly publicUrl: string | null;
  /** Where requests that policies make on their own may go besides what is refused by default. */
  readonly egress: { readonly allow: readonly string[]; readonly loopback: boolean };
}

/** Gateway-wide settings that the specification names. */
export interface GatewaySettings {
  /** `routing.fallThrough`. */
  readonly fallThrough: boolean;
  /** `routing.ignoreProtocol`. */
  readonly ignoreProtocol: boolean;
  /** `backends.matchByUrl`. */
  readonly matchBackendsByUrl: boolean;
  /** `forwarding.extended`. */
  readonly extendedForwarding: boolean;
  /** `forwarding.trustedProxies`. */
  readonly trustedProxies: readonly AddressRange[];
  /** `forwarding.gatewayStatusCodes`. */
  readonly gatewayStatusCodes: boolean;
  /** `security.stripSubscriptionKey`. */
  readonly stripSubscriptionKey: "never" | "knownKeys";
}

export interface AdminSettings {
  readonly host: string;
  readonly port: number;
  readonly portIsDefault: boolean;
  /** Bearer token that `/metrics` wants; null only on loopback. A secret. */
  readonly token: string | null;
}

export interface Flags {
  readonly config?: string;
  readonly data?: string;
  readonly host?: string;
  readonly port?: string;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly accessLog?: string;
  readonly json?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const KNOWN = new Set([
  "CONFIG",
  "DATA",
  "ADMIN_HOST",
  "ADMIN_PORT",
  "METRICS_TOKEN",
  "HOST",
  "PORT",
  "TLS_KEY_FILE",
  "TLS_CERT_FILE",
  "TLS_CLIENT_CERTIFICATES",
  "ACCESS_LOG",
  "DRAIN_SECONDS",
  "DEMO_MODEL",
  "PUBLIC_URL",
  "EGRESS_ALLOW",
  "EGRESS_LOOPBACK",
  "SECRETS_DIR",
  "SERVICE_BUS",
  "REDIS",
  "SESSION_SECRET",
  "COMPAT",
  "ROUTING__FALL_THROUGH",
  "ROUTING__IGNORE_PROTOCOL",
  "BACKENDS__MATCH_BY_URL",
  "FORWARDING__EXTENDED",
  "FORWARDING__TRUSTED_PROXIES",
  "FORWARDING__GATEWAY_STATUS_CODES",
  "SECURITY__STRIP_SUBSCRIPTION_KEY",
  "DNS_SERVERS",
  "LOG_DAYS",
  "LOG_GB",
  "SEMANTIC_CACHE_MB",
  "SEMANTIC_CACHE_GB",
]);

/** @throws SettingsError when it would be open to others without a token */
function readAdmin(environment: Environment): AdminSettings | null {
  const port = environment["HEADGATE_ADMIN_PORT"];
  if (port?.toLowerCase() === "off") return null;
  const host = environment["HEADGATE_ADMIN_HOST"] ?? "127.0.0.1";
  const token = environment["HEADGATE_METRICS_TOKEN"]?.trim() || null;
  if (token === null && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/i.test(host)) {
    throw new SettingsError(
      `HEADGATE_ADMIN_HOST is ${host}: metrics would be open to whoever reaches it.`,
      "set HEADGATE_METRICS_TOKEN as well, or leave it at 127.0.0.1",
    );
  }
  return {
    host,
    port: port === undefined ? 8081 : readPort(port),
    portIsDefault: port === undefined,
    token,
  };
}

/** @throws SettingsError naming the flag or variable and what it takes */
export function readSettings(flags: Flags, environment: Environment): Settings {
  const take = (flag: string | undefined, name: string): string | undefined =>
    flag ?? environment[`HEADGATE_${name}`];
  const port = take(flags.port, "PORT");
  const tlsKeyFile = take(flags.tlsKey, "TLS_KEY_FILE") ?? null;
  const tlsCertFile = take(flags.tlsCert, "TLS_CERT_FILE") ?? null;
  if ((tlsKeyFile === null) !== (tlsCertFile === null)) {
    throw new SettingsError(
      "--tls-key and --tls-cert (HEADGATE_TLS_KEY_FILE, HEADGATE_TLS_CERT_FILE) go together.",
      "give both or none",
      "HG5702",
    );
  }
  return Object.freeze({
    configDir: take(flags.config, "CONFIG") ?? null,
    dataDir: take(flags.data, "DATA") ?? ".headgate",
    redis: environment["HEADGATE_REDIS"]?.trim() || null,
    admin: readAdmin(environment),
    host: take(flags.host, "HOST") ?? "127.0.0.1",
    port: port === undefined ? 8080 : readPort(port),
    portIsDefault: port === undefined,
    tlsKeyFile,
    tlsCertFile,
    tlsClientCertificates:
      readChoice(
        "HEADGATE_TLS_CLIENT_CERTIFICATES",
        environment["HEADGATE_TLS_CLIENT_CERTIFICATES"] ?? "off",
        ["off", "request"],
      ) === "request",
    accessLog: readChoice("--access-log", take(flags.accessLog, "ACCESS_LOG") ?? "auto", [
      "on",
      "off",
      "auto",
    ]),
    drainMs: readSeconds("HEADGATE_DRAIN_SECONDS", environment["HEADGATE_DRAIN_SECONDS"] ?? "30") * 1000,
    json: flags.json ?? false,
    demoModel: (environment["HEADGATE_DEMO_MODEL"] ?? "on") !== "off",
    publicUrl: readUrl("HEADGATE_PUBLIC_URL", environment["HEADGATE_PUBLIC_URL"]),
    dnsServers: readDnsServers(environment["HEADGATE_DNS_SERVERS"] ?? ""),
    sessionSecret: readSessionSecret(environment),
    compat: readCompat(environment["HEADGATE_COMPAT"] ?? ""),
    gateway: readGateway(environment),
    egress: {
      allow: readEgress(environment["HEADGATE_EGRESS_ALLOW"] ?? ""),
      loopback:
        readChoice("HEADGATE_EGRESS_LOOPBACK", environment["HEADGATE_EGRESS_LOOPBACK"] ?? "on", [
          "on",
          "off",
        ]) === "on",
    },
  });
}

/** How long rows of the ledger and what was said are kept, and how large they may become. @throws SettingsError */
export function readRetention(environment: Environment): {
  readonly keepDays: number;
  readonly keepBytes: number;
} {
  return {
    keepDays: readAmount(environment, "HEADGATE_LOG_DAYS", "30", "days"),
    keepBytes: readAmount(environment, "HEADGATE_LOG_GB", "10", "gigabytes") * 1024 ** 3,
  };
}

/**
 * How much this node's semantic cache may take; the oldest entries go.
 *
 * @throws SettingsError naming the variable and what it takes
 */
export function readSemanticCache(environment: Environment): {
  readonly memoryBytes: number;
  readonly diskBytes: number;
} {
  return {
    memoryBytes: readAmount(environment, "HEADGATE_SEMANTIC_CACHE_MB", "256", "megabytes") * 1024 ** 2,
    diskBytes: readAmount(environment, "HEADGATE_SEMANTIC_CACHE_GB", "1", "gigabytes") * 1024 ** 3,
  };
}

function readAmount(environment: Environment, name: string, otherwise: string, unit: string): number {
  const text = environment[name] ?? otherwise;
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1e6))
    throw new SettingsError(
      `${name} takes a number of ${unit} above 0, not "${text}".`,
      `such as ${otherwise}`,
    );
  return value;
}

/** Variables that begin with `HEADGATE_` and mean nothing, each with the nearest one that does. */
export function unknownVariables(environment: Environment): string[] {
  return Object.keys(environment).filter((name) => {
    if (!name.startsWith("HEADGATE_") || name.startsWith("HEADGATE_NAMED_VALUE_")) return false;
    return !KNOWN.has(
      name.slice("HEADGATE_".length).replace(/_FILE$/, (end) => (name.includes("TLS") ? end : "")),
    );
  });
}

export function knownVariables(): string[] {
  return [...KNOWN].map((name) => `HEADGATE_${name}`);
}

/** What `headgate explain` says about a flag or variable that cannot be used. */
export const settingsMessages = {
  HG5701: {
    text: "a flag or an environment variable has a value that it does not take",
    explain:
      "Settings of the process come from flags (`--port`) and from variables (`HEADGATE_PORT`); flags win. The message names " +
      "the one that is wrong and what it takes.",
  },
  HG5702: {
    text: "two settings that go together are not both there",
    explain: "For example the key and the certificate of TLS: give both or none.",
  },
};

export class SettingsError extends Error {
  readonly code: keyof typeof settingsMessages;
  readonly hint: string;
  constructor(message: string, hint: string, code: keyof typeof settingsMessages = "HG5701") {
    super(message);
    this.name = "SettingsError";
    this.code = code;
    this.hint = hint;
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new SettingsError(
      `--port takes a number from 0 to 65535, not "${text}".`,
      "such as 8080; 0 takes any free one",
    );
  return port;
}

function readSeconds(name: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0) || text.trim() === "")
    throw new SettingsError(`${name} takes a number of seconds, not "${text}".`, "such as 30");
  return seconds;
}

function readUrl(name: string, text: string | undefined): string | null {
  const given = text?.trim() ?? "";
  if (given === "") return null;
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw new SettingsError(
      `${name} takes an http or https URL, not "${given}".`,
      "such as https://gateway.example.com",
    );
  return url.href.replace(/\/+$/, "");
}

/** Addresses, with a port or without, separated by commas or spaces. */
function readDnsServers(text: string): string[] {
  const servers = text.split(/[\s,]+/).filter((server) => server !== "");
  for (const server of servers) {
    const [, six, four, port = "53"] = /^(?:\[(.+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(server) ?? [];
    if (parseAddress(six ?? four ?? server) !== null && Number(port) <= 65535) continue;
    throw new SettingsError(
      `HEADGATE_DNS_SERVERS takes addresses, with a port or without, separated by commas, not "${server}".`,
      "such as 10.0.0.10 or [fd00::10]:5353",
    );
  }
  return servers;
}

const SHORTEST_SECRET = 16;

/** `HEADGATE_SESSION_SECRET`, or what is in the file of `HEADGATE_SESSION_SECRET_FILE`. */
function readSessionSecret(environment: Environment): string | null {
  const file = environment["HEADGATE_SESSION_SECRET_FILE"]?.trim() ?? "";
  let secret = environment["HEADGATE_SESSION_SECRET"]?.trim() ?? "";
  if (secret === "" && file === "") return null;
  if (secret === "") {
    try {
      secret = readFileSync(file, "utf8").trim();
    } catch {
      throw new SettingsError(
        `HEADGATE_SESSION_SECRET_FILE names the file ${file}, which cannot be read.`,
        "a text file with at least 16 characters",
      );
    }
  }
  if (secret.length < SHORTEST_SECRET)
    throw new SettingsError(
      `HEADGATE_SESSION_SECRET takes at least ${SHORTEST_SECRET} characters, not ${secret.length}.`,
      "such as what `openssl rand -base64 32` prints",
    );
  return secret;
}

const COMPAT = ["breakerFullReset", "tlsHostnameValidation"] as const;

/** Names separated by commas or spaces. */
function readCompat(text: string): Settings["compat"] {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  for (const name of names) {
    if (!(COMPAT as readonly string[]).includes(name))
      throw new SettingsError(
        `HEADGATE_COMPAT knows ${COMPAT.join(", ")}, not "${name}".`,
        "names are separated by commas",
      );
  }
  const [breakerFullReset, tlsHostnameValidation] = COMPAT.map((name) => names.includes(name));
  return { breakerFullReset: breakerFullReset!, tlsHostnameValidation: tlsHostnameValidation! };
}

function readGateway(environment: Environment): GatewaySettings {
  const isOn = (name: string, byDefault: "on" | "off"): boolean =>
    readChoice(`HEADGATE_${name}`, environment[`HEADGATE_${name}`] ?? byDefault, ["on", "off"]) === "on";
  const stripping = "HEADGATE_SECURITY__STRIP_SUBSCRIPTION_KEY";
  return {
    fallThrough: isOn("ROUTING__FALL_THROUGH", "off"),
    ignoreProtocol: isOn("ROUTING__IGNORE_PROTOCOL", "on"),
    matchBackendsByUrl: isOn("BACKENDS__MATCH_BY_URL", "on"),
    extendedForwarding: isOn("FORWARDING__EXTENDED", "off"),
    trustedProxies: readProxies(environment["HEADGATE_FORWARDING__TRUSTED_PROXIES"] ?? ""),
    gatewayStatusCodes: isOn("FORWARDING__GATEWAY_STATUS_CODES", "off"),
    stripSubscriptionKey: readChoice(stripping, environment[stripping] ?? "never", ["never", "knownKeys"]),
  };
}

/** Addresses and CIDR blocks, separated by commas or spaces. */
function readProxies(text: string): AddressRange[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  return entries.map((entry) => {
    const range = parseRange(entry);
    if (range !== null) return range;
    throw new SettingsError(
      `HEADGATE_FORWARDING__TRUSTED_PROXIES takes addresses and CIDR blocks separated by commas, not "${entry}".`,
      "such as 10.0.0.0/8,fd00::/8",
    );
  });
}

/** Host names, `*.` and a domain, addresses and CIDR blocks, separated by commas. */
function readEgress(text: string): string[] {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  for (const entry of entries) {
    if (parseRange(entry) !== null || /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(entry)) continue;
    throw new SettingsError(
      `HEADGATE_EGRESS_ALLOW takes hosts, addresses and CIDR blocks separated by commas, not "${entry}".`,
      "such as models.example.com,10.0.0.0/8",
    );
  }
  return entries;
}

function readChoice<const T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined)
    throw new SettingsError(
      `${name} takes ${choices.join(", ")}, not "${text}".`,
      `write ${choices.map((choice) => `\`${choice}\``).join(" or ")}`,
    );
  return found;
}
