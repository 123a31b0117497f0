/**
 * One request that the gateway makes on its own account: guarded (`egress.ts`), bounded in time and in size, without
 * redirects. Whatever a policy asks the world goes through here; a caller's request goes through `forward.ts`.
 */
import { Abort } from "../../base/abort.ts";
import { HeaderList } from "../../base/headers.ts";
import { Body } from "../../gateway/body.ts";
import { withoutHopByHop } from "../../gateway/hop-by-hop.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import type { Services } from "../../gateway/services.ts";
import type { EgressOptions } from "../../gateway/snapshot.ts";
import { type ClientRequest, TransportError } from "../../transport/transport.ts";
import { egressGuard } from "./egress.ts";

export interface CallOut {
  readonly request: Omit<ClientRequest, "abort" | "refuse" | "timeouts">;
  /** Until the answer is there whole. */
  readonly timeoutMs: number;
  /** Octets that the answer's body may have. 0: it is not wanted, the head is enough. */
  readonly limitBytes: number;
  /** Ends the call at once; null for one that outlives whoever asked for it. */
  readonly abort: Abort | null;
}

/** The whole has its own timer. */
const TIMEOUTS = { headersMs: 0, idleMs: 0 };
/** Timers take no more than this. */
const LONGEST_MS = 0x7fffffff;

/**
 * @returns the answer, whatever its status; its body is in memory
 * @throws TransportError (`headers_timeout` when the time is over, `address_refused`, …); GatewayError
 *   `ResponseBodyTooLarge`
 */
export async function callOut(
  services: Pick<Services, "client" | "clock">,
  egress: EgressOptions,
  { request, timeoutMs, limitBytes, abort: outer }: CallOut,
): Promise<ResponseMessage> {
  const guard = egressGuard(egress);
  if (guard.refusesHost(request.host)) {
    throw new TransportError("address_refused", `connections to ${request.host} are not allowed`, {
      nothingSent: true,
    });
  }
  const abort = new Abort();
  const forget = outer?.onAbort((reason) => abort.abort(reason));
  const stop = services.clock.after(Math.min(timeoutMs, LONGEST_MS), () => abort.abort("deadline"));
  try {
    const refuse = guard.refuseFor(request.host);
    const answer = await services.client.send({ ...request, abort, refuse, timeouts: TIMEOUTS });
    const headers = new HeaderList(withoutHopByHop(answer.rawHeaders));
    const body = answer.body === null ? null : Body.streaming("response", answer.body, headers);
    if (limitBytes === 0) body?.discard();
    else await body?.buffer(limitBytes);
    return new ResponseMessage(answer.status, answer.reason, headers, body);
  } catch (error) {
    if (abort.reason !== "deadline") throw error;
    throw new TransportError("headers_timeout", `there was no complete answer within ${timeoutMs / 1000} s`, {
      cause: error,
    });
  } finally {
    stop();
    forget?.();
  }
}
