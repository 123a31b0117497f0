/** Where Application Insights takes telemetry: a connection string, or an instrumentation key alone. */

export interface AppInsightsSettings {
  readonly instrumentationKey: string;
  /** Where `/v2.1/track` is. */
  readonly endpoint: IngestionPlace;
  /** null: the instrumentation key is enough; else a token of this identity goes along. */
  readonly identity: { readonly clientId: string | null } | null;
  /** false: metrics are not gathered before they are sent. */
  readonly isBuffered: boolean;
}

export interface IngestionPlace {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Without a slash at its end. */
  readonly path: string;
}

const GLOBAL_ENDPOINT = "https://dc.services.visualstudio.com";
const KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Reads `InstrumentationKey=…;IngestionEndpoint=https://…/`, or with `EndpointSuffix` and `Location` instead of the latter.
 *
 * @returns a sentence saying what is wrong, which shows nothing of the text
 */
export function readConnectionString(
  text: string,
): { readonly instrumentationKey: string; readonly endpoint: IngestionPlace } | string {
  const parts = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const instrumentationKey = parts.get("instrumentationkey") ?? "";
  if (instrumentationKey === "") return "it has no InstrumentationKey";
  if (!KEY.test(instrumentationKey)) return "its InstrumentationKey is no GUID";
  const suffix = parts.get("endpointsuffix");
  const location = parts.get("location");
  const given =
    parts.get("ingestionendpoint") ??
    (suffix === undefined
      ? GLOBAL_ENDPOINT
      : `https://${location === undefined ? "" : `${location}.`}dc.${suffix.replace(/^\.+/, "")}`);
  const endpoint = placeOf(given);
  return endpoint === null
    ? "its IngestionEndpoint is no http or https URL"
    : { instrumentationKey, endpoint };
}

/** @returns null for what is no absolute http or https URL */
export function placeOf(text: string): IngestionPlace | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const scheme = url.protocol === "https:" ? "https" : "http";
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port),
    path: url.pathname.replace(/\/+$/, ""),
  };
}
