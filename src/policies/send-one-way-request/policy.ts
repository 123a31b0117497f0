import {
  OWN_REQUEST,
  type OwnRequest,
  checkOwnRequest,
  makeOwnRequest,
  prepareOwnRequest,
  sendOwnRequest,
  shownUrl,
  timeoutOf,
} from "../../backends/own-requests/own-request.ts";
import { ClientGone } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { RequestMessage } from "../../gateway/message.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";
import type { Services } from "../../gateway/services.ts";

/** At most so many requests, and so many octets of their bodies, are on their way; one more is logged and dropped. */
const MOST_REQUESTS = 1_000;
const MOST_BYTES = 64 * 1024 * 1024;

interface UnderWay {
  requests: number;
  bytes: number;
}

/** Of each gateway; it outlives exchanges and snapshots. */
const underWay = new WeakMap<Services, UnderWay>();

/**
 * Sends a request and goes on at once; the answer is thrown away. What is sent is evaluated before it goes on, so
 * that later changes do not show in it. Nothing that goes wrong fails the exchange: it is logged. The request belongs
 * to nobody once it is on its way: neither the end of the exchange nor the caller's hang-up stops it.
 */
export const sendOneWayRequest = definePolicy({
  element: "send-one-way-request",
  summary: "Sends a request of its own without waiting for the answer; failures are only logged.",
  sections: ALL_SECTIONS,
  shape: OWN_REQUEST,
  check: (args, report) => checkOwnRequest(args, report),
  prepare: (args, site) => {
    const own = prepareOwnRequest(args, site.section, "send-one-way-request");
    return (exchange) => run(own, exchange);
  },
});

async function run(own: OwnRequest, exchange: Exchange): Promise<void> {
  let message: RequestMessage | null = null;
  try {
    message = await makeOwnRequest(own, exchange);
    start(own, exchange, message, timeoutOf(own, exchange));
  } catch (error) {
    if (error instanceof ClientGone || exchange.abort.aborted) throw error;
    say(exchange, message, error);
  }
}

function start(own: OwnRequest, exchange: Exchange, message: RequestMessage, timeoutMs: number): void {
  const { services } = exchange;
  let count = underWay.get(services);
  if (count === undefined) underWay.set(services, (count = { requests: 0, bytes: 0 }));
  const all = count;
  const bytes = message.body?.length ?? 0;
  if (all.requests >= MOST_REQUESTS || all.bytes + bytes > MOST_BYTES) {
    throw new Error(
      `it was dropped: ${all.requests} requests with ${all.bytes} bytes are on their way already`,
    );
  }
  all.requests++;
  all.bytes += bytes;
  const over = (): void => {
    all.requests--;
    all.bytes -= bytes;
  };
  const work = sent(own, exchange, message, timeoutMs).then(over, (error: unknown) => {
    over();
    say(exchange, message, error);
  });
  services.outlives?.(work);
}

async function sent(
  own: OwnRequest,
  exchange: Exchange,
  message: RequestMessage,
  timeoutMs: number,
): Promise<void> {
  await sendOwnRequest(exchange, message, own.source, { timeoutMs, limitBytes: 0, abort: null });
}

function say(exchange: Exchange, message: RequestMessage | null, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  exchange.remark("send-one-way-request", text);
  exchange.services.log({
    level: "warn",
    msg: "send-one-way-request failed",
    requestId: exchange.requestId,
    url: message === null ? undefined : shownUrl(message),
    error: text,
  });
}
