/**
 * What every adapter must do, written once. An adapter's own test file calls `transportSuite` with its factories.
 */
import { describe } from "vitest";
import type { Adapter } from "./suite/adapter.ts";
import { framingSuite } from "./suite/framing.ts";

export type { Adapter } from "./suite/adapter.ts";

export function transportSuite(adapter: Adapter): void {
  describe(adapter.name, () => {
    framingSuite(adapter);
  });
}
