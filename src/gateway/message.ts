/**
 * The two messages of an exchange. Policies change them in place; expressions see them through the host interfaces.
 */
import type { HostRequest, HostResponse, HostUrl } from "../compiler/runtime/host.ts";
import { HeaderList } from "../base/headers.ts";
import type { Body } from "./body.ts";
import type { ClientCertificate, Target } from "./snapshot.ts";
import type { ClientProxy } from "../transport/transport.ts";

/** What set-header, set-body and their kin act on. */
export interface Message {
  headers: HeaderList;
  body: Body | null;
  readonly kind: "request" | "response";
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** The request: at first as received, then as it will be sent to the backend. */
export class RequestMessage implements Message, HostRequest {
  readonly kind = "request";
  method: string;
  headers: HeaderList;
  body: Body | null;
  readonly originalUrl: HostUrl;
  readonly ipAddress: string;
  matchedParameters: ReadonlyMap<string, string> = NO_PARAMETERS;
  /** Template values as received, for `rewrite-uri`. */
  rawParameters: ReadonlyMap<string, string> = NO_PARAMETERS;
  /** Where it goes; null while nothing says so. */
  target: Target | null = null;
  /** Path below the base, raw, with leading `/` or empty. */
  path: string;
  /** Query without `?`, raw. */
  query: string;
  /** A policy set `Host`: it is sent instead of the backend's. */
  hostSet = false;
  /** A policy set `Authorization` since the backend was chosen: it stays, whatever that backend's credentials are. */
  authorizationSet = false;
  /** Presented to the server in the TLS handshake (authentication-certificate). */
  clientCertificate: ClientCertificate | null = null;
  /** The HTTP proxy it is sent through (proxy). */
  proxy: ClientProxy | null = null;
  readonly #certificate: () => Uint8Array | null;
  #url: HostUrl | null = null;

  constructor(fields: {
    method: string;
    headers: HeaderList;
    body: Body | null;
    originalUrl: HostUrl;
    path: string;
    query: string;
    ipAddress: string;
    certificate: () => Uint8Array | null;
  }) {
    this.method = fields.method;
    this.headers = fields.headers;
    this.body = fields.body;
    this.originalUrl = fields.originalUrl;
    this.path = fields.path;
    this.query = fields.query;
    this.ipAddress = fields.ipAddress;
    this.#certificate = fields.certificate;
  }

  get certificate(): Uint8Array | null {
    return this.#certificate();
  }

  /** The URL that would go to the backend now. Composed when somebody looks. */
  get url(): HostUrl {
    return (this.#url ??=
      this.target === null ? this.#withoutTarget() : composeUrl(this.target, this.path, this.query));
  }

  #withoutTarget(): HostUrl {
    const { scheme, host, port } = this.originalUrl;
    return {
      scheme,
      host,
      port,
      path: this.path === "" ? "/" : this.path,
      queryString: this.query === "" ? "" : `?${this.query}`,
    };
  }

  setTarget(target: Target): void {
    this.target = target;
    this.#url = null;
  }

  setPath(path: string): void {
    this.path = path;
    this.#url = null;
  }

  setQuery(query: string): void {
    this.query = query;
    this.#url = null;
  }
}

/**
 * Base + path + query as `routing.md` §6.2 says: one slash at the join, none added for an empty path, base
 * parameters first unless the request has the same name.
 */
export function composeUrl(target: Target, path: string, query: string): HostUrl {
  const full = joinPath(target.basePath, path);
  const merged = target.baseQuery === "" ? query : mergeQuery(target.baseQuery, query);
  return {
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    path: full === "" ? "/" : full,
    queryString: merged === "" ? "" : `?${merged}`,
  };
}

/** `basePath` has no trailing slash, `path` begins with one or is empty. A lone `/` adds nothing to a base path. */
export function joinPath(basePath: string, path: string): string {
  if (path === "" || (path === "/" && basePath !== "")) return basePath;
  return basePath + path;
}

function mergeQuery(base: string, query: string): string {
  if (query === "") return base;
  const taken = new Set(query.split("&").map((pair) => nameOf(pair)));
  const kept = base.split("&").filter((pair) => !taken.has(nameOf(pair)));
  return kept.length === 0 ? query : `${kept.join("&")}&${query}`;
}

function nameOf(pair: string): string {
  const at = pair.indexOf("=");
  return (at < 0 ? pair : pair.slice(0, at)).toLowerCase();
}

/** A response: the backend's, a policy's or the built-in error. */
export class ResponseMessage implements Message, HostResponse {
  readonly kind = "response";
  statusCode: number;
  statusReason: string;
  headers: HeaderList;
  body: Body | null;

  constructor(
    statusCode: number,
    statusReason = "",
    headers: HeaderList = new HeaderList(),
    body: Body | null = null,
  ) {
    this.statusCode = statusCode;
    this.statusReason = statusReason === "" ? (STANDARD_REASONS.get(statusCode) ?? "") : statusReason;
    this.headers = headers;
    this.body = body;
  }
}

/** RFC 9110 §15, and those registered since. */
export const STANDARD_REASONS: ReadonlyMap<number, string> = new Map([
  [100, "Continue"],
  [101, "Switching Protocols"],
  [103, "Early Hints"],
  [200, "OK"],
  [201, "Created"],
  [202, "Accepted"],
  [203, "Non-Authoritative Information"],
  [204, "No Content"],
  [205, "Reset Content"],
  [206, "Partial Content"],
  [207, "Multi-Status"],
  [208, "Already Reported"],
  [226, "IM Used"],
  [300, "Multiple Choices"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [303, "See Other"],
  [304, "Not Modified"],
  [305, "Use Proxy"],
  [307, "Temporary Redirect"],
  [308, "Permanent Redirect"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [402, "Payment Required"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [406, "Not Acceptable"],
  [407, "Proxy Authentication Required"],
  [408, "Request Timeout"],
  [409, "Conflict"],
  [410, "Gone"],
  [411, "Length Required"],
  [412, "Precondition Failed"],
  [413, "Payload Too Large"],
  [414, "URI Too Long"],
  [415, "Unsupported Media Type"],
  [416, "Range Not Satisfiable"],
  [417, "Expectation Failed"],
  [418, "I'm a teapot"],
  [421, "Misdirected Request"],
  [422, "Unprocessable Entity"],
  [423, "Locked"],
  [424, "Failed Dependency"],
  [425, "Too Early"],
  [426, "Upgrade Required"],
  [428, "Precondition Required"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [451, "Unavailable For Legal Reasons"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"],
  [506, "Variant Also Negotiates"],
  [507, "Insufficient Storage"],
  [508, "Loop Detected"],
  [511, "Network Authentication Required"],
]);
