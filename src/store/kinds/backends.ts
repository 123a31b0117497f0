import { defineKind } from "./kind.ts";
import * as is from "./shape.ts";

const failureResponse = is.object({ statusCode: is.integer(100, 599) });
const listOrOne = is.either(is.list(is.text()), is.text());

const credentials = is.object({
  header: is.map(listOrOne, headerName),
  query: is.map(listOrOne),
  authorization: is.object({ scheme: is.text(), parameter: is.text() }),
  certificate: is.list(is.text(), 32),
  certificateIds: is.list(is.text(), 32),
  managedIdentity: is.object({ resource: is.text(), clientId: is.text() }),
  awsSigV4: is.object({
    accessKeyId: is.text(),
    secretAccessKey: is.text(),
    sessionToken: is.text(),
    region: is.text(),
    service: is.text(),
  }),
  googleServiceAccount: is.object({ key: is.text(), scope: is.text() }),
});

const circuitBreakerRule = is.object({
  name: is.text(),
  failureCondition: is.object({
    count: is.integer(1),
    percentage: is.integer(1, 100),
    interval: is.duration,
    statusCodeRanges: is.list(statusCodeRange(200), 10),
    errorReasons: is.list(is.text(), 10),
  }),
  tripDuration: is.duration,
  acceptRetryAfter: is.boolean,
  maxTripDuration: is.duration,
  failureResponse,
});

const member = is.object(
  {
    id: is.text(),
    priority: is.integer(0, 100),
    weight: is.integer(0, 100),
    preferredCarbonEmission: is.text(),
  },
  ["id"],
);

const sessionAffinity = is.object({
  sessionId: is.object({
    source: is.oneOf("Cookie", "cookie", "Header", "header"),
    name: is.text(256, { rule: headerName }),
  }),
  // A lab sends these, too; they change nothing.
  enabled: is.boolean,
  affinityType: is.text(),
  cookieName: is.text(),
});

export const backend = defineKind("backends", {
  noun: "backend",
  properties: {
    type: is.oneOf("Single", "Pool"),
    url: is.text(2000, { rule: backendUrl }),
    protocol: is.oneOf("http", "soap"),
    title: is.text(300),
    description: is.text(2000),
    resourceId: is.text(2000),
    azureRegion: is.text(),
    credentials,
    tls: is.object({
      validateCertificateChain: is.boolean,
      validateCertificateName: is.boolean,
      serverCertificateThumbprints: is.list(is.text()),
      serverX509Names: is.list(
        is.object({ name: is.text(), issuerCertificateThumbprint: is.text() }, ["name"]),
      ),
    }),
    proxy: is.object({ url: is.text(), username: is.text(), password: is.text() }, ["url"]),
    properties: is.object({}),
    guard: is.object({
      blocklists: is.map(is.list(is.text(512), 10_000)),
      detectors: is.object({ personalData: is.list(is.text()), promptInjection: is.number(0, 10) }),
    }),
    circuitBreaker: is.object({ rules: is.list(circuitBreakerRule) }),
    probe: is.object(
      {
        path: is.text(2000, { rule: probePath }),
        interval: is.duration,
        timeout: is.duration,
        statusCodeRanges: is.list(statusCodeRange(100), 10),
      },
      ["path"],
    ),
    pool: is.object({
      services: is.list(member, 30),
      sessionAffinity,
      algorithm: is.oneOf("roundRobin", "leastBusy", "latency", "remainingTokens", "promptPrefix"),
      promptPrefix: is.object({ bytes: is.integer(1, 1024 * 1024) }),
      failover: is.object({
        on: is.list(is.either(is.integer(400, 599), is.oneOf("connect", "reset", "timeout"))),
        maxAttempts: is.integer(1, 30),
      }),
      hedge: is.object({ afterMs: is.integer(1, 600_000) }, ["afterMs"]),
      outlierDetection: is.object({
        enabled: is.boolean,
        consecutiveFailures: is.integer(1),
        ejection: is.duration,
        maxEjection: is.duration,
        panicThreshold: is.integer(0, 100),
      }),
      failureResponse,
    }),
  },
  references: [
    { at: "pool.services[].id", to: "backends", noun: "backend" },
    { at: "credentials.certificateIds[]", to: "certificates", noun: "certificate" },
  ],
  artifact: { folders: ["backends"], files: ["backendInformation"] },
});

function statusCodeRange(least: number) {
  return is.object({ min: is.integer(least, 599), max: is.integer(least, 599) }, [], ({ min, max }) =>
    typeof min === "number" && typeof max === "number" && min > max
      ? { rule: `must not begin behind its end: ${min} to ${max}`, hint: `write ${max} to ${min}` }
      : undefined,
  );
}

/** Headers and cookies are called alike (RFC 9110 §5.6.2, RFC 6265 §4.1.1). */
function headerName(name: string) {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name)
    ? undefined
    : { rule: `has characters that names on the wire cannot have: \`${name}\`` };
}

/** What is sent is written as it is sent: nothing in it is escaped or filled in. */
function probePath(value: string) {
  return /^[\x21\x23-\x3b\x3d\x3f-\x7e]*$/.test(value) && !/^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? undefined
    : { rule: `must be a path below the backend's URL, but is \`${value}\``, hint: "such as `/health`" };
}

/** Named values may stand for all or part of a URL; what is left must look like one. */
function backendUrl(value: string) {
  if (value.includes("{{") || /^(https?|wss?|sf|fabric|built-in):/i.test(value)) {
    return /\s/.test(value) ? { rule: "must not contain spaces" } : undefined;
  }
  const hint = /^[\w.-]+(:\d+)?(\/|$)/.test(value)
    ? `write \`https://${value}\``
    : "such as `https://models.example.com/v1`";
  return { rule: `must be an absolute URL, but is \`${value}\``, hint };
}
