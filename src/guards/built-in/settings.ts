/** What a backend entity says of a built-in guard: `properties.guard` beside `"url": "built-in:"`. */
import { type JsonObject, isJsonObject } from "../../base/json-object.ts";
import { PERSONAL_KINDS, type PersonalKind } from "../detectors/personal-data.ts";
import { BadBlocklistItem, type Blocklist, createBlocklist } from "./blocklists.ts";

export interface BuiltInGuardSettings {
  readonly blocklists: ReadonlyMap<string, Blocklist>;
  /** What `PersonalData` looks for. */
  readonly personalKinds: readonly PersonalKind[];
  /** Scores of signs from which a prompt is an attack; 1 is the weight of one plain sign. */
  readonly shieldThreshold: number;
}

export const DEFAULT_GUARD: BuiltInGuardSettings = {
  blocklists: new Map(),
  personalKinds: PERSONAL_KINDS,
  shieldThreshold: 1,
};

/**
 * @param guard `{ blocklists?: { [name]: string[] }, detectors?: { personalData?: string[], promptInjection?: number } }`
 * @param report is told every mistake, with its path below `guard`; what is wrong is left out
 */
export function readGuardSettings(
  guard: unknown,
  report: (message: string, path: readonly string[]) => void,
): BuiltInGuardSettings {
  if (guard === undefined || guard === null) return DEFAULT_GUARD;
  if (!isJsonObject(guard)) {
    report("`guard` must be an object", []);
    return DEFAULT_GUARD;
  }
  const detectors = isJsonObject(guard["detectors"]) ? guard["detectors"] : {};
  return {
    blocklists: readBlocklists(guard["blocklists"], report),
    personalKinds: readKinds(detectors, report),
    shieldThreshold: readThreshold(detectors, report),
  };
}

function readBlocklists(
  lists: unknown,
  report: (message: string, path: readonly string[]) => void,
): ReadonlyMap<string, Blocklist> {
  const found = new Map<string, Blocklist>();
  if (lists === undefined) return found;
  if (!isJsonObject(lists)) {
    report("`blocklists` must be an object of lists", ["blocklists"]);
    return found;
  }
  for (const [name, items] of Object.entries(lists)) {
    if (!Array.isArray(items) || !items.every((item) => typeof item === "string")) {
      report(`blocklist \`${name}\` must be a list of strings`, ["blocklists", name]);
      continue;
    }
    try {
      found.set(name, createBlocklist(name, items));
    } catch (error) {
      if (!(error instanceof BadBlocklistItem)) throw error;
      report(error.message, ["blocklists", name]);
    }
  }
  return found;
}

function readKinds(
  detectors: JsonObject,
  report: (message: string, path: readonly string[]) => void,
): readonly PersonalKind[] {
  const kinds = detectors["personalData"];
  if (kinds === undefined) return PERSONAL_KINDS;
  const known = (kind: unknown): kind is PersonalKind =>
    (PERSONAL_KINDS as readonly unknown[]).includes(kind);
  if (Array.isArray(kinds) && kinds.every(known)) return kinds;
  report(`\`personalData\` must be a list of ${PERSONAL_KINDS.join(", ")}`, ["detectors", "personalData"]);
  return PERSONAL_KINDS;
}

function readThreshold(
  detectors: JsonObject,
  report: (message: string, path: readonly string[]) => void,
): number {
  const threshold = detectors["promptInjection"];
  if (threshold === undefined) return DEFAULT_GUARD.shieldThreshold;
  if (typeof threshold === "number" && threshold > 0 && threshold <= 10) return threshold;
  report("`promptInjection` must be a number above 0, at most 10", ["detectors", "promptInjection"]);
  return DEFAULT_GUARD.shieldThreshold;
}
