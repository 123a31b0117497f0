/**
 * One of several lines of work on the same exchange, which can be stopped without it (`wait`): the exchange itself in
 * everything but `abort`. What a branch writes is written to the exchange.
 */
import type { Abort } from "../base/abort.ts";
import type { Exchange } from "./exchange.ts";

export function branchOf(exchange: Exchange, abort: Abort): Exchange {
  return new Proxy(exchange, {
    get: (target, key) => (key === "abort" ? abort : Reflect.get(target, key, target)),
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}
