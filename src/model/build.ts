/**
 * Resources → snapshot: compiles every policy document, folds the scopes into a plan per operation, and builds the
 * indexes of the router and of admission. One pure function of the resources and of what the compiler remembers; either a
 * whole snapshot comes out or the list of everything wrong.
 */
import type { Problem } from "../base/problem.ts";
import { suggest } from "../base/suggest.ts";
import type {
  ApiProperties,
  ApiSchemaProperties,
  ApiVersionSetProperties,
  OperationProperties,
} from "../contract/apis.ts";
import type { WorkspaceProperties } from "../contract/platform.ts";
import type { Resource } from "../contract/resource.ts";
import { type CompiledDocument, PolicyCompiler, type Surroundings, stepsOf } from "../compiler/compile.ts";
import { compileExpression } from "../compiler/csharp/compile-expression.ts";
import type { Plan, PolicyDefinition, Scope } from "../compiler/policy.ts";
import type { Logger } from "../telemetry/logger.ts";
import { indexApis, indexOperations } from "../gateway/api-index.ts";
import { indexKeys } from "../gateway/keys.ts";
import {
  type Api,
  type BackendEntity,
  type CertificateIndex,
  DEFAULT_GATEWAY_OPTIONS,
  type GatewayOptions,
  type Product,
  type Snapshot,
  type VersionSet,
} from "../gateway/snapshot.ts";
import { compileTemplate } from "../gateway/template.ts";
import * as ids from "../store/ids.ts";
import type { PolicyDocument, ResourceSet } from "../store/resource-set.ts";
import { type Fill, buildBackends, defaultTarget, orderByUrl } from "./backends.ts";
import { buildCaches } from "./caches.ts";
import { buildConnections } from "./connections.ts";
import { buildGuards } from "./guards.ts";
import { buildLoggers } from "./loggers.ts";
import { buildCertificates, knowsThumbprint } from "./certificates.ts";
import { aiFormatOf } from "./ai-format.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { schemaPlaces, storedSchemas } from "./contracts.ts";
import { Kept, type Parts } from "./kept.ts";
import { BuiltOperation } from "./operations.ts";
import { attachApis, buildProducts, buildSubscriptions } from "./people.ts";
import { Reporter } from "./report.ts";
import { surroundingsOf } from "./surroundings.ts";

export interface BuiltSnapshot {
  /** null when there is an error. */
  readonly snapshot: Snapshot | null;
  readonly problems: readonly Problem[];
}

/** Builds one snapshot after another; what did not change is neither compiled nor built again. */
export class SnapshotBuilder {
  readonly #compiler: PolicyCompiler;
  #parts: Parts = new Map();

  constructor(catalogue: Iterable<PolicyDefinition>) {
    this.#compiler = new PolicyCompiler(catalogue, compileExpression);
  }

  build(
    resources: ResourceSet,
    version: number,
    options: GatewayOptions = DEFAULT_GATEWAY_OPTIONS,
  ): BuiltSnapshot {
    const kept = new Kept(this.#parts);
    const built = new Build(this.#compiler, resources, options, kept).run(version);
    if (built.snapshot !== null) this.#parts = kept.parts;
    return built;
  }
}

class Build {
  readonly #compiler: PolicyCompiler;
  readonly #resources: ResourceSet;
  readonly #options: GatewayOptions;
  readonly #kept: Kept;
  readonly #schemas: Snapshot["schemas"];
  readonly #report: Reporter;
  readonly #around: Surroundings;
  #certificates: CertificateIndex = { byId: new Map(), byThumbprint: new Map() };
  #loggers: ReadonlyMap<string, Logger> = new Map();
  readonly #documents = new Map<string, CompiledDocument | null>();
  readonly #problems: Problem[] = [];
  #failed = false;

  constructor(compiler: PolicyCompiler, resources: ResourceSet, options: GatewayOptions, kept: Kept) {
    this.#compiler = compiler;
    this.#resources = resources;
    this.#options = options;
    this.#kept = kept;
    const schemas = resources.ofType("schemas");
    this.#schemas = kept.use("schemas", schemas, () => storedSchemas(schemas));
    this.#report = new Reporter(resources);
    this.#around = surroundingsOf(resources, (text) => knowsThumbprint(resources, this.#certificates, text));
  }

  run(version: number): BuiltSnapshot {
    const resources = this.#resources;
    this.#certificates = buildCertificates(resources, this.#fill, this.#report);
    this.#compileFragments();
    this.#compileDocuments();
    const backends = buildBackends(
      resources,
      this.#certificates,
      this.#options.validateNames,
      this.#fill,
      this.#report,
    );
    const guards = buildGuards(resources, this.#report);
    const caches = buildCaches(resources, this.#fill, this.#report);
    const loggers = buildLoggers(resources, this.#fill, this.#report);
    this.#loggers = loggers;
    const connections = buildConnections(resources, this.#fill, this.#report);
    const products = buildProducts(resources);
    const apis = resources.apis().map((resource) => this.#api(resource, backends, products));
    const problems = [...this.#problems, ...this.#report.problems];
    if (this.#failed || problems.some((problem) => problem.severity === "error"))
      return { snapshot: null, problems };
    attachApis(products.values(), apis);
    const subscriptions = buildSubscriptions(resources, products);
    const snapshot: Snapshot = {
      version,
      apis: indexApis(apis),
      keys: this.#kept.use("keys", subscriptions, () => indexKeys(subscriptions)),
      backends,
      backendsByUrl: orderByUrl(backends.values()),
      guards,
      certificates: this.#certificates,
      caches,
      schemas: this.#schemas,
      loggers,
      connections,
      secrets: [...this.#secrets(), ...secretsOf(connections)],
      globalPlan: this.#compiler.plan([this.#documentOf("/")]),
      options: this.#options,
      subscriptionKey: (name) => subscriptions.find(({ id }) => id === name)?.primaryKey ?? null,
    };
    return { snapshot, problems };
  }

  #secrets(): string[] {
    return [...this.#around.namedValues].flatMap(([, { secret, value }]) => (secret ? [value] : []));
  }

  #compileFragments(): void {
    for (const source of this.#around.fragments.values()) {
      const { ok, diagnostics } = this.#compiler.compileFragment(source, this.#around);
      if (!ok) this.#failed = true;
      this.#problems.push(...diagnostics);
    }
  }

  #compileDocuments(): void {
    for (const document of this.#resources.policies()) {
      const place = this.#placeOf(document);
      if (place === null) continue;
      const compiled = this.#compiler.compile(
        {
          text: document.text,
          format: document.format === "xml" ? "encoded" : "raw",
          file: document.file ?? null,
          scopeId: document.scopeId,
          ...place,
        },
        this.#around,
      );
      if (!compiled.ok) this.#failed = true;
      this.#problems.push(
        ...(document.embedded ? atLocation(compiled.diagnostics, document) : compiled.diagnostics),
      );
      this.#documents.set(ids.idKey(document.scopeId), compiled.ok ? compiled : null);
    }
  }

  /** Scope by the shape of the id; resolvers' documents are not folded into plans. */
  #placeOf(document: PolicyDocument): { scope: Scope; operationTemplate: string | null } | null {
    const id = document.scopeId.replace(/^\/workspaces\/[^/]+/i, "");
    if (document.scopeId === ids.SERVICE_ID) return { scope: "global", operationTemplate: null };
    if (id === "") return { scope: "workspace", operationTemplate: null };
    if (/^\/products\/[^/]+$/i.test(id)) return { scope: "product", operationTemplate: null };
    if (/^\/apis\/[^/]+$/i.test(id)) return { scope: "api", operationTemplate: null };
    if (!/^\/apis\/[^/]+\/operations\/[^/]+$/i.test(id)) return null;
    const operation = this.#resources.get<OperationProperties>(document.scopeId);
    return { scope: "operation", operationTemplate: operation?.properties.urlTemplate ?? null };
  }

  #documentOf(scopeId: string): CompiledDocument | null {
    return this.#documents.get(ids.idKey(scopeId)) ?? null;
  }

  /** Global, then the workspace that `id` lies in. */
  #outerDocuments(id: string): (CompiledDocument | null)[] {
    const workspace = ids.workspaceOf(id);
    return [this.#documentOf("/"), workspace === ids.SERVICE_ID ? null : this.#documentOf(workspace)];
  }

  /** What `context.Workspace` says: a folder of artifacts may well have no file for the workspace itself. */
  #workspace(id: string): { readonly id: string; readonly name: string } | null {
    const workspace = ids.workspaceOf(id);
    if (workspace === ids.SERVICE_ID) return null;
    const name = ids.nameOf(workspace);
    return {
      id: name,
      name: this.#resources.get<WorkspaceProperties>(workspace)?.properties.displayName ?? name,
    };
  }

  #plan(chain: readonly (CompiledDocument | null)[]): Plan {
    return this.#failed ? NO_PLAN : this.#compiler.plan(chain);
  }

  #api(
    resource: Resource<ApiProperties>,
    backends: ReadonlyMap<string, BackendEntity>,
    products: ReadonlyMap<string, Product>,
  ): Api {
    const resources = this.#resources;
    const { properties } = resource;
    const rootId = ids.rootKey(resource.id);
    const containing = [...products.values()].filter((product) => product.apiIds.has(rootId));
    const outer = this.#outerDocuments(resource.id);
    const own = this.#documentOf(resource.id);
    const plan = this.#plan([...outer, own]);
    const target = defaultTarget(properties, resources, resource.id, backends, this.#fill);
    if (target === "bad url") {
      const values = { what: `API \`${resource.name}\``, url: properties.serviceUrl ?? "" };
      this.#report.error("HG5501", values, resource.id, ["serviceUrl"]);
    }
    const type = (properties.type ?? properties.apiType ?? "http").toLowerCase();
    const { operations, operationIndex } = this.#operations(resource, type, outer, own, containing);
    const names = properties.subscriptionKeyParameterNames;
    const usable = target === "bad url" ? null : target;
    return {
      id: ids.nameOf(ids.withoutRevision(resource.id)),
      rootId,
      name: properties.displayName ?? resource.name,
      path: properties.path ?? "",
      serviceUrl:
        usable === null
          ? null
          : {
              scheme: usable.scheme,
              host: usable.host,
              port: usable.port,
              path: usable.basePath === "" ? "/" : usable.basePath,
              queryString: usable.baseQuery === "" ? "" : `?${usable.baseQuery}`,
            },
      revision: String(properties.apiRevision ?? ids.revisionOf(resource.id) ?? "1"),
      version: properties.apiVersion ?? "",
      isCurrentRevision: resources.isCurrent(resource),
      workspace: this.#workspace(resource.id),
      isOnline: properties.isOnline ?? true,
      protocols: (properties.protocols ?? ["https"]).map((protocol) => protocol.toLowerCase()),
      type,
      subscriptionKeyParameterNames: {
        header: names?.header ?? "Ocp-Apim-Subscription-Key",
        query: names?.query ?? "subscription-key",
      },
      subscriptionRequired: properties.subscriptionRequired ?? true,
      bearerKey: names?.bearer?.toLowerCase() === "enabled",
      versionSet: this.#versionSet(resource),
      target: usable,
      operations,
      operationIndex,
      plan,
      cors: stepsOf("cors", plan.inbound),
      openProduct: containing.find((product) => !product.subscriptionRequired) ?? null,
      bodyLimitBytes: null,
      aiFormat: aiFormatOf(resource, this.#report),
      diagnostics: diagnosticsOf(resources, resource.id, this.#loggers),
      productIds: new Set(containing.map((product) => product.id)),
    };
  }

  #versionSet(resource: Resource<ApiProperties>): VersionSet | null {
    const { apiVersionSetId, apiVersionSet } = resource.properties;
    const reference = apiVersionSetId ?? apiVersionSet?.id;
    const found =
      reference === undefined ? undefined : this.#resources.resolve(reference, "apiVersionSets", resource.id);
    const properties = (found?.properties ?? apiVersionSet) as ApiVersionSetProperties | undefined;
    if (properties === undefined) return null;
    const scheme = (properties.versioningScheme ?? "Segment").toLowerCase();
    return {
      id: found?.name ?? apiVersionSet?.name ?? resource.name,
      scheme: scheme === "header" ? "Header" : scheme === "query" ? "Query" : "Segment",
      parameter: (scheme === "header" ? properties.versionHeaderName : properties.versionQueryName) ?? "",
    };
  }

  /** Kept as long as nothing that they are made of changed; `kept.ts`. */
  #operations(
    api: Resource<ApiProperties>,
    type: string,
    outer: readonly (CompiledDocument | null)[],
    own: CompiledDocument | null,
    products: readonly Product[],
  ): Pick<Api, "operations" | "operationIndex"> {
    const given = this.#resources.operationsOf(api.id);
    const listed = type === "websocket" ? withHandshake(api, given) : given;
    const documents = listed.map(({ id }) => this.#documentOf(id));
    const schemas = this.#resources.childrenOf<ApiSchemaProperties>(api.id, "schemas");
    const ofProducts = products.flatMap((product) => {
      const document = this.#productDocument(product);
      return document === null ? [] : [{ id: product.id, document }];
    });
    const inputs = [
      api,
      own,
      this.#schemas,
      outer.length,
      ...outer,
      given.length,
      ...given,
      ...documents,
      schemas.length,
      ...schemas,
      ...ofProducts.flatMap(({ id, document }) => [id, document]),
    ];
    return this.#kept.use(`operations of ${ids.idKey(api.id)}`, inputs, () => {
      const places = schemaPlaces(schemas, this.#schemas);
      const operations = listed.flatMap((resource, i) => {
        const matcher = compileTemplate(resource.properties.urlTemplate ?? "/");
        if (typeof matcher === "string") {
          const values = { operation: resource.name, api: api.name, reason: matcher };
          this.#report.error("HG5502", values, resource.id, ["urlTemplate"]);
          return [];
        }
        const narrow = [own, documents[i]!];
        const plan = this.#plan([...outer, ...narrow]);
        const productPlans = ofProducts.map(
          ({ id, document }) => [id, this.#plan([...outer, document, ...narrow])] as const,
        );
        return new BuiltOperation(resource, matcher, plan, productPlans, places);
      });
      return { operations, operationIndex: indexOperations(operations) };
    });
  }

  #productDocument(product: Product): CompiledDocument | null {
    return this.#documentOf(`/products/${product.id}`);
  }

  /** Puts named values into a URL or credential. */
  readonly #fill: Fill = (text, resourceId, path) => {
    let missing = false;
    const filled = text.replace(/\{\{([^{}]+)\}\}/g, (_reference, given: string) => {
      const name = given.trim();
      const found = this.#around.namedValues.get(name);
      if (found !== undefined) return found.value;
      missing = true;
      const likely = suggest(name, this.#around.namedValues.keys());
      this.#report.error(
        "HG5503",
        { name },
        resourceId,
        path,
        likely == null ? undefined : `did you mean \`{{${likely}}}\`?`,
      );
      return "";
    });
    return missing ? null : filled;
  };
}

function secretsOf(connections: Snapshot["connections"]): string[] {
  return [...connections.values()].flatMap(({ clientSecret }) => clientSecret ?? []);
}

const NO_PLAN: Plan = { inbound: null, backend: null, outbound: null, onError: null };

/** The system operation of a WebSocket API: every handshake below its path (`resources.md` §1.5). */
function withHandshake(
  api: Resource<ApiProperties>,
  given: readonly Resource<OperationProperties>[],
): readonly Resource<OperationProperties>[] {
  const written = given.find((operation) => operation.name.toLowerCase() === "onhandshake");
  return [
    {
      id: written?.id ?? ids.childId(api.id, "operations", "onHandshake"),
      name: written?.name ?? "onHandshake",
      type: "apis/operations",
      properties: { ...written?.properties, displayName: "On Handshake", method: "GET", urlTemplate: "/*" },
    } as Resource<OperationProperties>,
  ];
}

/** A document inside a JSON file: its own positions mean nothing there, so all point to where its value begins. */
function atLocation(problems: readonly Problem[], document: PolicyDocument): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    message:
      problem.range === undefined
        ? problem.message
        : `${problem.message} (line ${problem.range.start.line} of the policy)`,
    range: document.location?.range,
  }));
}
