/** Backends whose URL is `built-in:` → guards of this process, with the lists and detectors that `guard` says. */
import type { Guard } from "../guards/guard.ts";
import { createBuiltInGuard } from "../guards/built-in/guard.ts";
import { readGuardSettings } from "../guards/built-in/settings.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { Reporter } from "./report.ts";

/** @returns by lower-case name */
export function buildGuards(resources: ResourceSet, report: Reporter): ReadonlyMap<string, Guard> {
  const guards = new Map<string, Guard>();
  for (const { id, name, properties } of resources.ofType("backends")) {
    if (!/^built-in:\/{0,2}$/i.test(properties.url ?? "")) continue;
    const settings = readGuardSettings(properties.guard, (reason, path) =>
      report.error("HG5531", { backend: name, reason }, id, ["guard", ...path]),
    );
    guards.set(name.toLowerCase(), createBuiltInGuard(settings));
  }
  return guards;
}
