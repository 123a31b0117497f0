/** Judges one resource by its kind, wherever it comes from: a file, a REST body, an import. */
import type { Problem } from "../base/problem.ts";
import type { Resource } from "../contract/resource.ts";
import type { OpenProperties } from "../contract/resource.ts";
import { kindOf } from "./kinds/index.ts";
import type { ResourceKind } from "./kinds/kind.ts";
import { checkShape, type Finding, isObject, pathText } from "./kinds/shape.ts";
import { messages, problem } from "./messages.ts";
import type { Locate } from "./resource-set.ts";

/**
 * Compares properties with the shape of their kind.
 *
 * @returns a normalised copy: names and enums as in `contract`, numbers and booleans as such, `null`
 *          gone, unknown properties untouched. Values that are wrong are left out and reported.
 */
export function checkProperties(
  kind: ResourceKind,
  name: string,
  properties: unknown,
  locate: Locate,
): { properties: OpenProperties; problems: Problem[] } {
  const findings: Finding[] = [];
  const checked = checkShape(properties ?? {}, kind.shape, findings);
  const problems = findings.map((finding) => toProblem(finding, kind, name, locate));
  return { properties: isObject(checked) ? checked : {}, problems };
}

function toProblem(finding: Finding, kind: ResourceKind, name: string, locate: Locate): Problem {
  const { code, path, parameters, hint, atKey } = finding;
  const inside = path.length > 0 && code === "HG5204";
  const noun = inside
    ? `\`${pathText(path)}\` of ${kind.noun}`
    : path.length > 1
      ? pathText(path.slice(0, -1))
      : capital(kind.noun);
  return problem(code, { noun, name, ...parameters }, locate(path, { key: atKey }), hint);
}

export function capital(noun: string): string {
  return noun.charAt(0).toUpperCase() + noun.slice(1);
}

/** The same for a whole resource of a store; types without a kind pass as they are. */
export function normalise(resource: Resource): Resource {
  const kind = kindOf(resource.id);
  if (!kind) return resource;
  const { properties } = checkProperties(kind, resource.name, resource.properties, () => undefined);
  return { ...resource, properties };
}

/** `headgate explain`: the longer text of a code, if it is one of this folder's. */
export function explain(code: string): { severity: string; message: string; text: string } | undefined {
  const message = (messages as Record<string, { severity: string; text: string; explain: string }>)[code];
  return message && { severity: message.severity, message: message.text, text: message.explain };
}
