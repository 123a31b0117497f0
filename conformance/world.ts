/**
 * The configuration around a case: one API `api` at path `api`, its backend the scripted upstream, in the product `gold`;
 * no key needed. Keys: `gold-key` (the product's), `all-key` (all APIs), `api-key` (this API).
 */
import type { Resource } from "../src/contract/resource.ts";
import { builtIns } from "../src/store/built-in.ts";
import { ResourceSet } from "../src/store/resource-set.ts";
import { parseTarget } from "../src/gateway/url.ts";
import { DEFAULT_GATEWAY_OPTIONS, type GatewayOptions } from "../src/gateway/snapshot.ts";
import { readSasConnections } from "../src/telemetry/sas.ts";
import type { Block, Case } from "./case-file.ts";

const OPERATIONS: readonly string[] = [
  "GET /x",
  "POST /x",
  "PUT /x",
  "HEAD /x",
  "GET /items/{id}",
  "GET /search?q={q}",
  "GET /files/{*path}",
];
const SECTIONS = ["inbound", "backend", "outbound", "on-error"];
const SCOPE_IDS: Readonly<Record<string, string>> = {
  global: "",
  product: "/products/gold",
  api: "/apis/api",
  operation: "/apis/api/operations/get-x",
};

export interface World {
  readonly resources: ResourceSet;
  readonly options: GatewayOptions;
  /** Names that lead to the upstream. */
  readonly hosts: readonly string[];
  readonly region: string;
}

interface Settings {
  readonly api?: Record<string, unknown>;
  readonly options?: Partial<GatewayOptions>;
  /** `context.Deployment.Region`. */
  readonly region?: string;
  /** URL of the Dapr sidecar. */
  readonly dapr?: string;
  /** Connection strings, as HEADGATE_SERVICE_BUS has them. */
  readonly serviceBus?: string;
  /** More operations' properties by name, e.g. `get-x`. */
  readonly operations?: Readonly<Record<string, Record<string, unknown>>>;
}

/** @param fill puts `{upstream}` and its kin in */
export function worldOf(one: Case, fill: (text: string) => string): World {
  const found = one.given.find(({ name }) => name === "settings");
  const hosts = one.given.find(({ name }) => name === "hosts")?.text.split(/\s+/) ?? [];
  const settings = (found === undefined ? {} : JSON.parse(fill(found.text))) as Settings;
  const resources: Resource[] = [
    ...builtIns,
    resource("/apis/api", "apis", {
      path: "api",
      serviceUrl: fill("{upstream}"),
      subscriptionRequired: false,
      protocols: ["http", "https"],
      ...settings.api,
    }),
    ...operationsOf(one, settings),
    resource("/products/gold", "products", {
      displayName: "Gold",
      subscriptionRequired: true,
      state: "published",
    }),
    resource("/products/gold/apis/api", "products/apis", {}),
    subscription("gold", "/products/gold"),
    subscription("all", "/apis"),
    subscription("api", "/apis/api"),
    ...one.given.flatMap((block) => ofBlock(block, fill)),
    ...documentsOf(one, fill),
  ];
  return {
    resources: new ResourceSet(resources),
    options: { ...DEFAULT_GATEWAY_OPTIONS, ...settings.options, ...servicesBeside(settings) },
    hosts,
    region: settings.region ?? "here",
  };
}

function servicesBeside({ dapr, serviceBus = "" }: Settings): Partial<GatewayOptions> {
  const beside = { serviceBus: readSasConnections(serviceBus) };
  return dapr === undefined ? beside : { ...beside, dapr: { target: parseTarget(dapr)!, token: null } };
}

function resource(id: string, type: string, properties: Record<string, unknown>): Resource {
  return { id, name: id.slice(id.lastIndexOf("/") + 1), type, properties };
}

function subscription(name: string, scope: string): Resource {
  return resource(`/subscriptions/${name}`, "subscriptions", {
    displayName: name,
    scope,
    state: "active",
    primaryKey: `${name}-key`,
    secondaryKey: `${name}-key-2`,
  });
}

function operationsOf(one: Case, settings: Settings): Resource[] {
  const written = one.given.find(({ name }) => name === "operations");
  const lines = written === undefined ? OPERATIONS : written.text.split("\n");
  return lines.map((line) => {
    const [method = "", urlTemplate = ""] = line.trim().split(" ");
    const word = urlTemplate.split(/[?/]/).find((part) => /^[\w-]+$/.test(part)) ?? "any";
    const name = `${method.toLowerCase()}-${word}`;
    const properties = {
      displayName: `${method} ${urlTemplate}`,
      method,
      urlTemplate,
      ...settings.operations?.[name],
    };
    return resource(`/apis/api/operations/${name}`, "apis/operations", properties);
  });
}

function ofBlock({ name, text }: Block, fill: (text: string) => string): Resource[] {
  if (name === "named values") {
    return pairs(text).map(([key, value]) =>
      resource(`/namedValues/${key}`, "namedValues", { displayName: key, value: fill(value) }),
    );
  }
  if (name === "backends") return pairs(text).map(([key, value]) => backend(key, fill(value)));
  if (name === "resources") return text.split("\n").map((line) => anyResource(fill(line)));
  if (name.startsWith("policy ")) {
    const owner = name.slice("policy ".length);
    return [anyResource(`${owner}/policies/policy ${fill(text)}`)];
  }
  if (name.startsWith("fragment ")) {
    const id = name.slice("fragment ".length);
    return [
      resource(`/policyFragments/${id}`, "policyFragments", {
        value: `<fragment>\n${fill(text)}\n</fragment>`,
        format: "rawxml",
      }),
    ];
  }
  return [];
}

/** `/apis/b/operations/get {"method": …}`; a policy's value may stand as plain text behind its id. */
function anyResource(line: string): Resource {
  const at = line.indexOf(" ");
  const id = at < 0 ? line : line.slice(0, at);
  const rest = at < 0 ? "{}" : line.slice(at + 1);
  const type = id
    .split("/")
    .filter((_part, i) => i % 2 === 1)
    .join("/");
  const properties = rest.startsWith("<")
    ? { value: rest, format: "rawxml" }
    : (JSON.parse(rest) as Record<string, unknown>);
  return resource(id, type, properties);
}

function pairs(text: string): (readonly [string, string])[] {
  return text.split("\n").map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

/** `https://…`, `https://… {json properties}` or `pool a, b@2`. */
function backend(name: string, value: string): Resource {
  if (value.startsWith("pool ")) {
    const services = value
      .slice(5)
      .split(",")
      .map((member) => {
        const [id = "", priority = "1"] = member.trim().split("@");
        return { id: `/backends/${id}`, priority: Number(priority), weight: 1 };
      });
    return resource(`/backends/${name}`, "backends", { type: "Pool", pool: { services } });
  }
  const at = value.indexOf(" ");
  const more = at < 0 ? {} : (JSON.parse(value.slice(at)) as Record<string, unknown>);
  return resource(`/backends/${name}`, "backends", {
    url: at < 0 ? value : value.slice(0, at),
    protocol: "http",
    ...more,
  });
}

/** One document per scope that a case speaks of. */
function documentsOf(one: Case, fill: (text: string) => string): Resource[] {
  const whole = new Map<string, string>();
  const sections = new Map<string, Map<string, string>>();
  for (const { name, text } of one.given) {
    const words = name.split(" ");
    const section = words.at(-1)!;
    const scope = words.length === 1 && SECTIONS.includes(section) ? "api" : words[0]!;
    if (!Object.hasOwn(SCOPE_IDS, scope)) continue;
    if (!SECTIONS.includes(section)) whole.set(scope, fill(text));
    else {
      const known = sections.get(scope) ?? new Map<string, string>();
      sections.set(scope, known.set(section, fill(text)));
    }
  }
  for (const [scope, known] of sections) whole.set(scope, document(scope, known));
  return [...whole].map(([scope, value]) => {
    const id = SCOPE_IDS[scope]!;
    const type =
      id === "" ? "policies" : `${scope === "operation" ? "apis/operations" : `${scope}s`}/policies`;
    return resource(`${id}/policies/policy`, type, { value, format: "rawxml" });
  });
}

function document(scope: string, known: ReadonlyMap<string, string>): string {
  const parts = SECTIONS.map((section) => {
    const standard = scope === "global" && section === "backend" ? "<forward-request />" : "<base />";
    const text = known.get(section);
    const content =
      text === undefined
        ? standard
        : /<base\s*\/>/.test(text) || section === "backend"
          ? text
          : `${standard}\n${text}`;
    return `<${section}>${content}</${section}>`;
  });
  return `<policies>\n${parts.join("\n")}\n</policies>`;
}
