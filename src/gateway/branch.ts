/**
 * One of several lines of work on the same exchange, which can be stopped without it (`wait`): the exchange itself in
 * everything but `abort`. What a branch writes is written to the exchange.
 */
import type { Abort } from "../base/abort.ts";
import type { Exchange } from "./exchange.ts";

export function branchOf(exchange: Exchange, abort: Abort): Exchange {
  return new Proxy(exchange, {
    get(target, key, branch) {
      if (key === "abort") return abort;
      const value: unknown = Reflect.get(target, key, target);
      // Methods reach private fields, which only the exchange has; only forward is to see the branch's abort.
      return typeof value === "function" ? value.bind(key === "forward" ? branch : target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}
