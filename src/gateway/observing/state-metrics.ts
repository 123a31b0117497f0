/** Gauges that are worked out when somebody scrapes: what state the gateway, its backends and its stores are in. */
import type { Clock } from "../../base/clock.ts";
import type { Metrics } from "../../telemetry/metrics/registry.ts";

export interface GatewayState {
  readonly version: string;
  inFlight(): number;
  configVersion(): number;
  /** Configurations refused since the start. */
  rejectedConfigurations(): number;
  /** Names of stores that do not answer. */
  degraded(): readonly string[];
  backends(): readonly {
    readonly id: string;
    readonly breaker: "closed" | "open" | "half-open" | null;
    readonly inFlight: number;
    readonly transitions: Readonly<Record<"closed" | "open" | "half-open", number>> | null;
  }[];
  /** Tokens that calls under way hold of their limits. */
  heldTokens(): number;
  /** How often limits got no answer from a shared counter store. */
  limitStoreErrors(): number;
  /** Records given up, by sink and reason. */
  dropped(): readonly { readonly sink: string; readonly reason: string; readonly count: number }[];
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** 99th percentile since the last scrape, in seconds. */
  eventLoopDelay(): number;
}

const BREAKER = { closed: 0, "half-open": 1, open: 2 } as const;

export function stateMetrics(metrics: Metrics, state: GatewayState): void {
  type Read = (set: (value: number, values?: readonly string[]) => void) => void;
  const readBy =
    (kind: "gauge" | "counter") =>
    (name: string, help: string, unit: string, labels: readonly string[], read: Read): void => {
      const family = metrics[kind]({ name, help, unit, labels });
      family.refresh = () => {
        family.clear();
        read((value, values) => family.record(value, values));
      };
    };
  const gauge = readBy("gauge");
  /** Counted elsewhere, and only read here. */
  const total = readBy("counter");
  gauge("headgate_build_info", "1, with the version.", "1", ["version"], (set) => set(1, [state.version]));
  gauge("headgate_in_flight_requests", "Requests under way.", "{request}", [], (set) =>
    set(state.inFlight()),
  );
  gauge("headgate_config_version", "Configuration that serves new requests.", "1", [], (set) =>
    set(state.configVersion()),
  );
  total("headgate_config_rejected_total", "Configurations that were refused.", "1", [], (set) =>
    set(state.rejectedConfigurations()),
  );
  gauge("headgate_store_degraded", "1 while a store does not answer.", "1", ["store"], (set) => {
    for (const store of state.degraded()) set(1, [store]);
  });
  gauge("headgate_breaker_state", "0 closed, 1 half-open, 2 open.", "1", ["backend"], (set) => {
    for (const { id, breaker } of state.backends()) if (breaker !== null) set(BREAKER[breaker], [id]);
  });
  const cameTo = "How often a circuit breaker came into a state: open, half-open, closed.";
  total("headgate_breaker_transitions_total", cameTo, "1", ["backend", "to"], (set) => {
    for (const { id, transitions } of state.backends())
      for (const [to, count] of Object.entries(transitions ?? {})) set(count, [id, to]);
  });
  gauge("headgate_backend_in_flight", "Watched requests under way.", "{request}", ["backend"], (set) => {
    for (const { id, inFlight } of state.backends()) set(inFlight, [id]);
  });
  gauge("headgate_tokens_held", "Tokens that calls under way hold of their limits.", "{token}", [], (set) =>
    set(state.heldTokens()),
  );
  total(
    "headgate_limit_store_errors_total",
    "How often limits got no answer from a shared counter store.",
    "{question}",
    [],
    (set) => set(state.limitStoreErrors()),
  );
  total(
    "headgate_log_dropped_total",
    "Records that were given up.",
    "{record}",
    ["sink", "reason"],
    (set) => {
      for (const { sink, reason, count } of state.dropped()) set(count, [sink, reason]);
    },
  );
  const stepped = clockSteps(state.clock);
  const steps = "How often the machine's clock was found set by a second or more since the last scrape.";
  total("headgate_clock_step_total", steps, "1", [], (set) => set(stepped()));
  gauge("headgate_event_loop_delay_seconds", "99th percentile since the last scrape.", "s", [], (set) =>
    set(state.eventLoopDelay()),
  );
}

const STEP_MS = 1000;

/** @returns looks at the clock, and says how often it has been found set */
function clockSteps(clock: GatewayState["clock"]): () => number {
  const ahead = (): number => clock.now() - clock.monotonic();
  let last = ahead();
  let count = 0;
  return () => {
    const now = ahead();
    if (Math.abs(now - last) >= STEP_MS) count++;
    last = now;
    return count;
  };
}
