/**
 * The only place where parts meet: settings → folder → snapshot → listen. `start.ts` is the command line in front of it;
 * `startGateway` is the same gateway for tests and for whoever embeds it.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { askBackend } from "./backends/own-requests/ask-backend.ts";
import { Backends } from "./backends/backends.ts";
import { backendPaths } from "./backends/door.ts";
import { readDapr } from "./backends/own-requests/dapr.ts";
import { forward } from "./backends/forward.ts";
import { makeIdentities } from "./backends/identity/identities.ts";
import { readIdentitySettings } from "./backends/identity/settings.ts";
import { Probes } from "./backends/health/probes.ts";
import { freeMemory } from "./base/free-memory.ts";
import { type Problem, hasErrors } from "./base/problem.ts";
import { newRequestId } from "./base/request-id.ts";
import { systemClock, threadTimeMs } from "./base/system-clock.ts";
import type { Application, StartOptions, StartedGateway } from "./cli/application.ts";
import { configureBudget } from "./compiler/runtime/budget.ts";
import { configureEnvironment } from "./compiler/runtime/environment.ts";
import { setTrustedRoots } from "./compiler/runtime/library/crypto-certificate.ts";
import { startDemoModel } from "./demo/index.ts";
import { accessLine } from "./gateway/observing/access-record.ts";
import type { DoorPaths } from "./gateway/door.ts";
import { answerHealth } from "./gateway/health.ts";
import { type Books, laterBooks } from "./gateway/models/bookkeeping.ts";
import { GatewayMetrics } from "./gateway/observing/gateway-metrics.ts";
import { Spans } from "./gateway/observing/spans.ts";
import { stateMetrics } from "./gateway/observing/state-metrics.ts";
import { ledgerPaths } from "./gateway/models/ledger-door.ts";
import { createGateway } from "./gateway/listener.ts";
import { watchModelCall } from "./gateway/models/find-model-call.ts";
import { guardBehind } from "./gateway/safety/guards.ts";
import { createBuiltInGuard } from "./guards/built-in/guard.ts";
import { LaterAnswers } from "./gateway/models/later-answers.ts";
import { ModelCounting } from "./gateway/models/model-counting.ts";
import type { Services } from "./gateway/services.ts";
import { PRICES_FILE, Prices, priceMessages } from "./llm/prices/index.ts";
import { DEFAULT_GATEWAY_OPTIONS } from "./gateway/snapshot.ts";
import { tracingPaths } from "./gateway/tracing/door.ts";
import { LONGEST_TOKEN_MS, createTracing } from "./gateway/tracing/index.ts";
import { callable, listen, openAdmin, openDoor } from "./main/listeners.ts";
import {
  COUNTS,
  modelServices,
  openLedger,
  readPrices,
  semanticConnection,
  semanticServices,
} from "./main/models.ts";
import { openState } from "./main/state.ts";
import { eventLoopDelay, openOtlp, packageVersion } from "./main/telling.ts";
import { SnapshotBuilder } from "./model/build.ts";
import { modelMessages } from "./model/report.ts";
import * as policies from "./policies/index.ts";
import { readSemanticCache, settingsMessages } from "./settings.ts";
import { fileKeyStore, memoryKeyStore } from "./store/file/keys.ts";
import { messages as storeMessages } from "./store/messages.ts";
import { FolderLoader } from "./store/file/load.ts";
import type { Scan } from "./store/file/scan.ts";
import { sessionSecret } from "./store/file/session-secret.ts";
import { watchFolder } from "./store/file/watch.ts";
import { openCredentials } from "./credentials/index.ts";
import { SemanticStores } from "./semantic/semantic-stores.ts";
import { createLineLog } from "./telemetry/line-log.ts";
import { Loggers } from "./telemetry/loggers.ts";
import { Measures } from "./telemetry/metrics/measures.ts";
import { Metrics } from "./telemetry/metrics/registry.ts";
import { readSasConnections } from "./telemetry/sas.ts";
import { createClient, trustedRoots } from "./transport/node/index.ts";
import type { Incoming } from "./transport/transport.ts";
import { type WholeAnswer, type WholeRequest, requestWhole } from "./transport/whole-answer.ts";

const builtInGuard = createBuiltInGuard();

/** Every policy there is, for model, command line and reference pages. */
export const catalogue = Object.values(policies);

const clock = systemClock(
  () => Date.now(),
  () => performance.now(),
);
configureBudget(() => performance.now(), undefined, threadTimeMs);
configureEnvironment({ now: () => Date.now() });
setTrustedRoots(trustedRoots);

/** One request of a command's own. */
export async function requestOnce(request: WholeRequest): Promise<WholeAnswer> {
  const client = createClient();
  try {
    return await requestWhole(client, request);
  } finally {
    await client.close();
  }
}

/** The model that needs no account. */
export async function startDemo(): ReturnType<Application["startDemoModel"]> {
  const model = await startDemoModel({ now: () => Date.now() });
  return { url: model.url, close: () => model.close() };
}

/** Messages besides the compiler's, by code. */
export const otherMessages = new Map([
  ...Object.entries(storeMessages),
  ...Object.entries(modelMessages),
  ...Object.entries(settingsMessages),
  ...Object.entries(priceMessages),
]);

/** Loads and builds without running. */
export async function checkFolder(
  folder: string,
  environment: Application["environment"],
): ReturnType<Application["check"]> {
  const loader = new FolderLoader(folder, { environment, keys: memoryKeyStore() });
  const loaded = await loader.load();
  const built = new SnapshotBuilder(catalogue).build(loaded.resources, 1);
  const own = readPrices(folder);
  return {
    problems: [...loaded.problems, ...built.problems, ...own.problems],
    textOf: (file) => (file === PRICES_FILE ? own.text : loaded.textOf(file)),
    resources: loaded.resources.size,
  };
}

/**
 * Starts a gateway on a folder.
 *
 * @throws ConfigurationError when the folder has mistakes; the transport's error when it cannot listen
 */
export async function startGateway(options: StartOptions): Promise<StartedGateway> {
  const keys =
    options.dataDir === null
      ? memoryKeyStore()
      : await fileKeyStore(join(prepared(options.dataDir), "subscription-keys.json"));
  const loader = new FolderLoader(options.configDir, { environment: options.environment, keys });
  const builder = new SnapshotBuilder(catalogue);
  const gatewayOptions = {
    ...DEFAULT_GATEWAY_OPTIONS,
    ...options.gateway,
    validateNames: options.compat?.tlsHostnameValidation !== true,
    egress: options.egress ?? DEFAULT_GATEWAY_OPTIONS.egress,
    dapr: readDapr(options.environment),
    serviceBus: readSasConnections(options.environment["HEADGATE_SERVICE_BUS"] ?? ""),
  };
  const log = createLineLog(options.logStream);
  const client = createClient({ dnsServers: options.dnsServers });
  const say = (level: string, msg: string, more: Readonly<Record<string, unknown>>): void =>
    log.write({ ts: new Date(clock.now()).toISOString(), level, msg, ...more });
  const state = await openState(options, clock, say);
  let draining = false;
  let version = 0;
  /** The folder as it was last loaded, so that the watcher tells what came since. */
  let known: Scan | undefined;

  const random = (): number => Math.random();
  const write = (record: Readonly<Record<string, unknown>>): void =>
    log.write({ ts: new Date(clock.now()).toISOString(), ...record });
  const backends = new Backends({
    monotonic: () => clock.monotonic(),
    now: () => clock.now(),
    random,
    secret:
      options.sessionSecret ??
      sessionSecret(options.dataDir === null ? null : join(options.dataDir, "session-secret")),
    breakerFullReset: options.compat?.breakerFullReset === true,
    log: write,
  });
  const identitySettings = readIdentitySettings(options.environment);
  const identities = makeIdentities({ client, clock, random, log: write }, identitySettings);
  const probes = new Probes({ client, clock, random, identities }, backends);
  const azureToken = (resource: string, clientId: string | null): string | Promise<string> =>
    identities.azureToken(resource, clientId);
  const credentials = openCredentials(
    { client, clock, log: write, identities, egress: gatewayOptions.egress },
    {
      dataDir: options.dataDir,
      entra: identitySettings.azure.authority,
      publicUrl: () => options.publicUrl ?? callable(url),
    },
  );
  const metrics = new Metrics(clock.now());
  const gatewayMetrics = new GatewayMetrics(metrics);
  const loggers = new Loggers({
    client,
    clock,
    random,
    report: write,
    azureToken,
    dataDir: options.dataDir,
    role: "headgate",
    instance: hostname(),
  });
  const otlp = openOtlp(options.environment, { client, clock, random, report: write });
  otlp?.watch(metrics);
  const spans =
    otlp === null || otlp.sampledShare === null
      ? null
      : new Spans({ sampledShare: otlp.sampledShare, random, add: (span) => otlp.addSpan(span) });
  const ledger = openLedger(clock, options, say);
  let prices = new Prices();
  /** Some 40 ms of work and 14 MB: done when models are known to be asked, while no request waits for it. */
  let pricesLater: (() => void) | null = null;
  const loadPrices = (delayMs: number): void =>
    void (pricesLater ??= clock.after(delayMs, () => prices.load()));
  const counting = new ModelCounting();
  const semanticStores = new SemanticStores({
    clock,
    folder: options.dataDir,
    ...readSemanticCache(options.environment),
    report: (level, msg, reason) => say(level, msg, { reason }),
  });
  const books: Books = {
    ledger,
    prices: () => prices,
    count: (record, chunkGaps) => gatewayMetrics.settled(record, chunkGaps),
    countLater: (record) => gatewayMetrics.settledLater(record),
  };
  const later = new LaterAnswers(laterBooks(books, clock));
  const outliving = new Set<Promise<void>>();
  const services: Services = {
    clock,
    client,
    deployment: {
      region: "self-hosted",
      serviceName: "headgate",
      serviceId: "headgate",
      gatewayId: "managed",
      gateway: { id: "managed", instanceId: hostname(), isManaged: true },
      certificates: new Map(),
    },
    random,
    caches: state.caches,
    identities,
    connections: credentials.connections,
    loggers,
    counters: state.counters,
    semantic: semanticServices(clock, semanticStores),
    spans,
    measures: new Measures(metrics),
    watchModel: (exchange) => {
      // Until the answer is over, what counts it is loaded.
      counting.warm();
      const call = watchModelCall(exchange);
      if (call !== null) loadPrices(1);
      return call;
    },
    sinks: loggers,
    models: modelServices(books, counting, later),
    later,
    guardFor: (exchange, service) => guardBehind(exchange, service, builtInGuard),
    countSafety: (action, category) => gatewayMetrics.safety(action, category),
    ask: (exchange, question) => askBackend(exchange, question, backends),
    forward: (exchange, forwardOptions) => forward(exchange, forwardOptions, client, backends),
    mayRetry: () => backends.mayRetry(),
    log: write,
    outlives: (work) => {
      const over = (): void => void outliving.delete(work);
      outliving.add(work);
      work.then(over, over);
    },
    reportBug: (exchange, error) => {
      const { cause } = error;
      log.write({
        ts: new Date(clock.now()).toISOString(),
        level: "error",
        msg: "bug",
        requestId: exchange.requestId,
        error: error.message,
        stack: cause instanceof Error ? cause.stack : undefined,
      });
    },
  };

  const tracing = createTracing({ key: randomBytes(32), now: () => clock.now(), newId: () => randomUUID() });
  const gateway = createGateway({
    services,
    startTrace: tracing.start,
    newRequestId: () => newRequestId(clock.now()),
    onDone: (exchange) => {
      gatewayMetrics.ended(exchange);
      spans?.ended(exchange);
      if (options.accessLog) log.writeText(accessLine(exchange));
      options.onExchange?.(exchange);
    },
    health: (incoming, path) => health(incoming, path) || credentials.answers(incoming),
  });
  const degraded = (): string[] => [
    ...state.degraded(),
    ...(loggers.failing > 0 ? ["log_sink"] : []),
    ...(ledger?.failing === true ? ["ledger"] : []),
  ];
  function health(incoming: Incoming, path: string): boolean {
    return answerHealth(incoming, path, () => ({
      ready: gateway.snapshot !== null,
      draining,
      degraded: degraded(),
    }));
  }
  let rejected = 0;
  stateMetrics(metrics, {
    version: packageVersion(),
    inFlight: () => gateway.inFlight,
    configVersion: () => version,
    rejectedConfigurations: () => rejected,
    degraded,
    backends: () => backends.report(),
    heldTokens: () => state.counters.tokens.heldTokens,
    limitStoreErrors: () => state.counters.unanswered.count,
    dropped: () => [
      { sink: "loggers", reason: "queue", count: loggers.totals.dropped },
      { sink: "otlp", reason: "queue", count: otlp?.state.dropped ?? 0 },
      ...(ledger?.losses() ?? []),
    ],
    clock,
    eventLoopDelay,
  });

  /** Loads the folder and swaps the new snapshot in; with errors everything stays as it is. */
  async function reload(scan?: Scan): Promise<Problem[]> {
    const loaded = await loader.load(scan);
    known = loaded.scan;
    const built = builder.build(loaded.resources, version + 1, gatewayOptions);
    const own = readPrices(options.configDir);
    const problems = [...loaded.problems, ...built.problems, ...own.problems];
    if (built.snapshot !== null && !hasErrors(problems)) {
      version++;
      prices = new Prices(own.overrides);
      state.caches.use(built.snapshot.caches);
      semanticStores.use(semanticConnection(built.snapshot.caches));
      services.semantic.vectors.clear();
      loggers.use(built.snapshot.loggers.values());
      backends.adopt(built.snapshot);
      if (loaded.resources.policies().some(({ text }) => COUNTS.test(text))) {
        counting.warm();
        loadPrices(1000);
      }
      probes.use(built.snapshot);
      credentials.adopt(built.snapshot.connections);
      gateway.swap(built.snapshot);
    } else rejected++;
    options.onReload?.({
      problems,
      applied: !hasErrors(problems),
      version,
      textOf: (file) => (file === PRICES_FILE ? own.text : loaded.textOf(file)),
    });
    return problems;
  }

  const problems = await reload();
  if (gateway.snapshot === null) throw new ConfigurationError(problems);
  await state.answers(gateway.snapshot.caches);
  await freeMemory();
  const server = await listen(options, gateway.onRequest, clock, log.write);
  const url = `${options.tls === null ? "http" : "https"}://${options.host.includes(":") ? `[${options.host}]` : options.host}:${server.port}`;
  /** What commands on this machine may ask; each feature gives its paths. */
  const doorPaths: DoorPaths = {
    ...tracingPaths(tracing),
    ...backendPaths(backends),
    ...credentials.doorPaths,
    ...ledgerPaths(ledger, () => clock.now()),
  };
  const door = options.dataDir === null ? null : await openDoor(options.dataDir, doorPaths, url);
  const admin = await openAdmin(options, metrics, clock, log.write, (incoming) =>
    health(incoming, incoming.target),
  );
  const watcher = options.watch
    ? watchFolder(options.configDir, async (scan) => void (await reload(scan)), { known })
    : null;

  async function close(): Promise<void> {
    watcher?.close();
    probes.close();
    loggers.close();
    otlp?.close();
    await server.close();
    await door?.close();
    await admin?.close();
    await client.close();
    credentials.close();
    pricesLater?.();
    await ledger?.close();
    await Promise.all([semanticStores.close(), services.semantic.embedder.close()]);
    state.close();
    await log.flush();
  }

  return {
    port: server.port,
    url,
    adminUrl: admin?.url ?? null,
    problems,
    debugToken: (api, lifetimeMs = LONGEST_TOKEN_MS) => tracing.issue(api, lifetimeMs),
    trace: (traceId) => tracing.read(traceId),
    reload: () => reload(),
    loginLink: credentials.actions.loginLink,
    subscriptionKey: (name) => gateway.snapshot?.subscriptionKey(name) ?? null,
    backends: () => backends.report(),
    resetBackend: (id) => backends.reset(id),
    drainBackend: (id, drained) => backends.drain(id, drained),
    setTls: (tls) => server.setTls(tls),
    get inFlight() {
      return gateway.inFlight;
    },
    get version() {
      return version;
    },
    drain: async (ms) => {
      draining = true;
      watcher?.close();
      probes.close();
      const drained = server.drain().then(() => Promise.allSettled(outliving));
      let late = (): void => {};
      const deadline = new Promise<void>((resolve) => (late = clock.after(ms, resolve)));
      // What was sent without waiting has been promised to nobody, but it is not dropped either.
      await Promise.race([drained.then(() => Promise.all([loggers.flush(), otlp?.flush()])), deadline]);
      late();
      await close();
    },
    close,
  };
}

/** Why a folder could not be started: all its mistakes. */
export class ConfigurationError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(
      `The configuration has ${problems.filter((problem) => problem.severity === "error").length} errors.`,
    );
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

function prepared(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
