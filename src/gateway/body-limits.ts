/** How much work a policy puts into one body that it reads whole (`reliability.md` A3). */
import { DEFAULT_LIMITS, type Limits } from "../compiler/runtime/budget.ts";

/** Levels of JSON in bodies that the gateway itself looks into. */
export const MOST_JSON_DEPTH = 128;
/** Levels of XML elements. */
export const MOST_XML_DEPTH = 256;

/** For the runtime's parsers: a whole body takes longer than an expression may. */
export const BODY_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  steps: 20_000_000,
  timeMs: 2000,
  depth: 512,
  stringLength: 64 * 1024 * 1024,
  collectionSize: 2_000_000,
};
