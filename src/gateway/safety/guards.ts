/** Who judges texts behind a `backend-id`: the gateway's own detectors, or a service that speaks Azure's contract. */
import { SAFETY_API_VERSION, createAzureGuard } from "../../guards/azure/azure-guard.ts";
import { type Guard, GuardUnavailable } from "../../guards/guard.ts";
import type { Exchange } from "../exchange.ts";
import type { SafetyService } from "../services.ts";

/** The gateway's own detectors, in the place of a backend. */
export const BUILT_IN_GUARD = "built-in";

/** The answer about 10,000 characters is some hundred octets; matches of blocklists are listed one by one. */
const MOST_ANSWER_BYTES = 1024 * 1024;

/** @param builtIn null: this process has none */
export function guardBehind(
  exchange: Exchange,
  { source, backendId, timeoutMs, authorization }: SafetyService,
  builtIn: Guard | null,
): Guard {
  const own = exchange.snapshot.guards.get(backendId.toLowerCase());
  if (own !== undefined) return own;
  if (backendId === BUILT_IN_GUARD) {
    if (builtIn !== null) return builtIn;
    throw new GuardUnavailable("this gateway has no detectors of its own");
  }
  return createAzureGuard((path, json) =>
    exchange.services.ask(exchange, {
      backendId,
      source,
      path,
      query: SAFETY_API_VERSION,
      json,
      timeoutMs,
      limitBytes: MOST_ANSWER_BYTES,
      identityResource: null,
      authorization,
    }),
  );
}
