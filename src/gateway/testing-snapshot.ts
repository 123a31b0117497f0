/** For tests: small configurations by hand. */
import type { Plan, Step } from "../compiler/policy.ts";
import type { Logger } from "../telemetry/logger.ts";
import { indexApis, indexOperations } from "./api-index.ts";
import type { Connection } from "./connections.ts";
import { indexKeys } from "./keys.ts";
import {
  type Api,
  type BackendEntity,
  DEFAULT_GATEWAY_OPTIONS,
  type GatewayOptions,
  type Operation,
  type Product,
  type Snapshot,
  type Subscription,
  type SubscriptionScope,
} from "./snapshot.ts";
import { compileTemplate } from "./template.ts";
import { parseTarget } from "./url.ts";

export const NO_PLAN: Plan = { inbound: null, backend: null, outbound: null, onError: null };

export interface OperationFields {
  readonly id?: string;
  readonly method?: string;
  readonly template: string;
  readonly plan?: Plan;
  readonly cors?: readonly Step[];
  readonly productCors?: Operation["productCors"];
  readonly productPlans?: ReadonlyMap<string, Plan>;
  readonly responses?: Operation["responses"];
  readonly contract?: Partial<Operation["contract"]>;
}

/** `"GET /x"` or the fields. */
export function operationOf(given: string | OperationFields): Operation {
  const fields =
    typeof given === "string"
      ? { method: given.split(" ", 1)[0]!, template: given.slice(given.indexOf(" ") + 1) }
      : given;
  const method = fields.method ?? "GET";
  const matcher = compileTemplate(fields.template);
  if (typeof matcher === "string") throw new Error(matcher);
  const id = ("id" in fields ? fields.id : undefined) ?? `${method} ${fields.template}`;
  return {
    name: id,
    plan: NO_PLAN,
    productPlans: new Map(),
    cors: [],
    productCors: new Map(),
    responses: [],
    ...fields,
    id,
    method,
    urlTemplate: fields.template,
    matcher,
    contract: {
      headers: [],
      query: [],
      path: [],
      bodies: [],
      needsBody: false,
      responses: [],
      ...("contract" in fields ? fields.contract : {}),
    },
  };
}

export type ApiFields = Partial<Omit<Api, "operations" | "target" | "serviceUrl">> & {
  readonly path: string;
  readonly operations?: readonly (string | OperationFields)[];
  /** Base URL. */
  readonly serviceUrl?: string;
};

export function apiOf({ operations: given = [], serviceUrl, ...fields }: ApiFields): Api {
  const operations = given.map(operationOf);
  const id = fields.id ?? (fields.path === "" ? "root" : fields.path.replaceAll("/", "-"));
  const target = serviceUrl === undefined ? null : parseTarget(serviceUrl);
  return {
    name: id,
    rootId: id.split(";")[0]!,
    revision: "1",
    version: "",
    isCurrentRevision: true,
    workspace: null,
    isOnline: true,
    protocols: ["http", "https"],
    type: "http",
    subscriptionKeyParameterNames: { header: "Ocp-Apim-Subscription-Key", query: "subscription-key" },
    subscriptionRequired: false,
    bearerKey: false,
    versionSet: null,
    plan: NO_PLAN,
    cors: [],
    openProduct: null,
    bodyLimitBytes: null,
    aiFormat: null,
    diagnostics: null,
    productIds: new Set(),
    ...fields,
    id,
    serviceUrl: null,
    target,
    operations,
    operationIndex: indexOperations(operations),
  };
}

export interface SnapshotFields {
  readonly apis?: readonly Api[];
  readonly subscriptions?: readonly Subscription[];
  readonly backends?: readonly BackendEntity[];
  readonly certificates?: Snapshot["certificates"];
  readonly schemas?: Snapshot["schemas"];
  readonly caches?: Snapshot["caches"];
  readonly globalPlan?: Plan;
  readonly secrets?: readonly string[];
  readonly loggers?: readonly Logger[];
  readonly connections?: readonly Connection[];
  readonly options?: Partial<GatewayOptions>;
}

export function snapshotOf(fields: SnapshotFields = {}): Snapshot {
  const backends = fields.backends ?? [];
  const singles = backends.filter((backend) => backend.target !== null);
  return {
    version: 1,
    apis: indexApis(fields.apis ?? []),
    keys: indexKeys(fields.subscriptions ?? []),
    backends: new Map(backends.map((backend) => [backend.id.toLowerCase(), backend])),
    backendsByUrl: singles.sort((a, b) => b.target!.basePath.length - a.target!.basePath.length),
    guards: new Map(),
    schemas: fields.schemas ?? new Map(),
    certificates: fields.certificates ?? { byId: new Map(), byThumbprint: new Map() },
    caches: fields.caches ?? [],
    connections: new Map((fields.connections ?? []).map((connection) => [connection.key, connection])),
    loggers: new Map((fields.loggers ?? []).map((logger) => [logger.id.toLowerCase(), logger])),
    secrets: fields.secrets ?? [],
    globalPlan: fields.globalPlan ?? NO_PLAN,
    options: { ...DEFAULT_GATEWAY_OPTIONS, ...fields.options },
    subscriptionKey: (name) => fields.subscriptions?.find(({ id }) => id === name)?.primaryKey ?? null,
  };
}

export function subscriptionOf(
  id: string,
  scope: SubscriptionScope,
  changed: Partial<Subscription> = {},
): Subscription {
  return {
    id,
    name: id,
    state: "active",
    scope,
    primaryKey: `${id}-1`,
    secondaryKey: `${id}-2`,
    createdMs: 0,
    startMs: null,
    endMs: null,
    user: null,
    allowTracing: false,
    ...changed,
  };
}

export function productOf(id: string, apiIds: readonly string[], changed: Partial<Product> = {}): Product {
  return {
    id,
    name: id,
    approvalRequired: false,
    subscriptionRequired: true,
    subscriptionsLimit: null,
    state: "Published",
    groups: [],
    apis: [],
    apiIds: new Set(apiIds),
    ...changed,
  };
}

export function backendOf(id: string, url: string, changed: Partial<BackendEntity> = {}): BackendEntity {
  const entity = {
    id,
    type: "Single" as const,
    azureRegion: "",
    target: null as BackendEntity["target"],
    pool: [],
    balancing: null,
    breaker: null,
    probe: null,
    failureStatus: null,
    tls: null,
    proxy: null,
    credentials: null,
    ...changed,
  };
  entity.target = entity.type === "Single" ? parseTarget(url, entity) : null;
  return entity;
}
