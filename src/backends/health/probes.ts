/**
 * Active probes, ours and only where they are configured: a GET to a path of the backend that costs no tokens, again and
 * again, each time a little earlier or later so that gateways do not ask in step. What comes of it is told to the same
 * breakers and ejections that requests feed (`Backends.probed`). A breaker that is open is not probed before its time is
 * over; then the probe, not a caller's request, finds out. Credentials of the backend go along.
 */
import { Abort } from "../../base/abort.ts";
import type { Services } from "../../gateway/services.ts";
import type { BackendEntity, ProbeRule, Snapshot } from "../../gateway/snapshot.ts";
import { type ClientRequest, TransportError } from "../../transport/transport.ts";
import type { Backends } from "../backends.ts";
import { attachCredentials, authorizeOwn } from "../credentials.ts";

type World = Pick<Services, "client" | "clock" | "random" | "identities">;

/** An interval varies by so much in either direction. */
const JITTER = 0.1;

export class Probes {
  readonly #world: World;
  readonly #backends: Backends;
  /** By what says whom to ask, and how. */
  readonly #running = new Map<string, Probe>();

  constructor(world: World, backends: Backends) {
    this.#world = world;
    this.#backends = backends;
  }

  /** Probes the backends of this snapshot that want it, and no others. */
  use({ backends }: Pick<Snapshot, "backends">): void {
    const wanted = new Map<string, BackendEntity>();
    for (const entity of backends.values()) if (entity.probe !== null) wanted.set(keyOf(entity), entity);
    for (const [key, probe] of this.#running) {
      if (wanted.has(key)) continue;
      probe.stop();
      this.#running.delete(key);
    }
    for (const [key, entity] of wanted) {
      const probe = this.#running.get(key);
      if (probe !== undefined) probe.entity = entity;
      else this.#running.set(key, new Probe(this.#world, this.#backends, entity));
    }
  }

  close(): void {
    for (const probe of this.#running.values()) probe.stop();
    this.#running.clear();
  }
}

/** The breaker belongs to it: with another rule the state is another. */
function keyOf({ id, target, probe, breaker }: BackendEntity): string {
  const { scheme, host, port, basePath, baseQuery } = target!;
  return JSON.stringify([id, scheme, host, port, basePath, baseQuery, probe, breaker]);
}

class Probe {
  /** As the latest snapshot has it: credentials may have changed. */
  entity: BackendEntity;
  readonly #world: World;
  readonly #backends: Backends;
  readonly #rule: ProbeRule;
  #abort: Abort | null = null;
  #stopTimer: () => void;
  #stopped = false;

  constructor(world: World, backends: Backends, entity: BackendEntity) {
    this.#world = world;
    this.#backends = backends;
    this.entity = entity;
    this.#rule = entity.probe!;
    this.#stopTimer = world.clock.after(world.random() * this.#rule.intervalMs, this.#due);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
    this.#abort?.abort("shutdown");
  }

  readonly #due = (): void => {
    void this.#once().finally(() => {
      if (this.#stopped) return;
      const { clock, random } = this.#world;
      const waitMs = this.#rule.intervalMs * (1 - JITTER + 2 * JITTER * random());
      this.#stopTimer = clock.after(waitMs, this.#due);
    });
  };

  async #once(): Promise<void> {
    const { entity } = this;
    const permit = this.#backends.beginProbe(entity);
    if (permit === null) return;
    const abort = (this.#abort = new Abort());
    const stop = this.#world.clock.after(this.#rule.timeoutMs, () => abort.abort("deadline"));
    let outcome: number | string | null = null;
    let well = false;
    try {
      const answer = await this.#world.client.send(await this.#request(entity, abort));
      answer.body?.cancel();
      answer.tunnel?.close();
      outcome = answer.status;
      well = this.#rule.statusRanges.some(({ min, max }) => answer.status >= min && answer.status <= max);
    } catch (error) {
      // A credential that cannot be had says nothing of the backend.
      outcome = error instanceof TransportError ? failureOf(error, abort) : null;
    } finally {
      stop();
      this.#abort = null;
    }
    this.#backends.probed(entity, permit, outcome, well);
  }

  async #request(entity: BackendEntity, abort: Abort): Promise<ClientRequest> {
    const { scheme, host, port, authority, basePath, baseQuery } = entity.target!;
    const [path = "", query = ""] = this.#rule.path.split(/\?(.*)/s);
    const queries = [baseQuery, query].filter((part) => part !== "").join("&");
    const rawHeaders = ["Host", authority, "Accept", "*/*", "User-Agent", "headgate-probe"];
    const { credentials } = entity;
    const search = queries === "" ? "" : `?${queries}`;
    const queryString =
      credentials === null ? search : attachCredentials(rawHeaders, search, credentials, false);
    const request: ClientRequest = {
      method: "GET",
      scheme,
      host,
      port,
      target: `${basePath}${path}` === "" ? `/${queryString}` : `${basePath}${path}${queryString}`,
      rawHeaders,
      body: null,
      abort,
      tls: entity.tls ?? undefined,
      proxy: entity.proxy ?? undefined,
      timeouts: { headersMs: 0, idleMs: 0 },
    };
    if (credentials?.identity != null) await authorizeOwn(this.#world, request, credentials.identity);
    return request;
  }
}

function failureOf({ code }: TransportError, { reason }: Abort): string | null {
  if (reason === "deadline") return "timeout";
  return reason === null ? code : null;
}
