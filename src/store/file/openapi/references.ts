import type { Problem } from "../../../base/problem.ts";
import { isObject, type PropertyPath } from "../../kinds/shape.ts";
import { problem } from "../../messages.ts";
import type { ParsedFile } from "../source.ts";

/** Longer chains of `$ref` to `$ref` are taken for a circle. */
const MAX_HOPS = 50;

/** Follows `$ref` inside one document, one step at a time and only when asked. */
export class References {
  readonly #document: Record<string, unknown>;
  readonly #file: ParsedFile;
  readonly #problems: Problem[];
  /** A broken target is reported once, however often it is used. */
  readonly #reported = new Set<string>();

  constructor(document: Record<string, unknown>, file: ParsedFile, problems: Problem[]) {
    this.#document = document;
    this.#file = file;
    this.#problems = problems;
  }

  /**
   * The object that `value` is or refers to. Members beside a `$ref` win over those of its target
   * (OpenAPI 3.1 allows it for `summary` and `description`, path items in 3.0).
   *
   * @param path where `value` stands, for messages
   */
  follow(value: unknown, path: PropertyPath): Record<string, unknown> | undefined {
    let current = value;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      if (!isObject(current)) return undefined;
      const reference = current["$ref"];
      if (typeof reference !== "string") return current;
      if (!reference.startsWith("#")) return this.#report("HG5304", reference, path);
      const target = this.#at(reference);
      if (target === undefined) return this.#report("HG5303", reference, path);
      const { $ref: _, ...beside } = current;
      current = isObject(target) && Object.keys(beside).length > 0 ? { ...target, ...beside } : target;
    }
    const reference = isObject(value) ? String(value["$ref"]) : "";
    return this.#report("HG5305", reference, path);
  }

  /** `#/components/schemas/Order` → `Order`, when it names a schema of the document. */
  schemaName(value: unknown): string | undefined {
    const reference = isObject(value) ? value["$ref"] : undefined;
    if (typeof reference !== "string") return undefined;
    const name = /^#\/components\/schemas\/([^/]+)$/.exec(reference)?.[1];
    return name === undefined ? undefined : unescapePointer(name);
  }

  #at(reference: string): unknown {
    let current: unknown = this.#document;
    const pointer = reference.slice(1);
    if (pointer === "") return current;
    if (!pointer.startsWith("/")) return undefined;
    for (const step of pointer.slice(1).split("/")) {
      const key = unescapePointer(step);
      if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
      current = (current as Record<string, unknown>)[key];
    }
    return current;
  }

  #report(code: "HG5303" | "HG5304" | "HG5305", reference: string, path: PropertyPath): undefined {
    if (this.#reported.has(reference)) return undefined;
    this.#reported.add(reference);
    const shown = reference.length > 200 ? reference.slice(0, 200) + "…" : reference;
    this.#problems.push(problem(code, { ref: shown }, this.#file.locate([...path, "$ref"])));
    return undefined;
  }
}

/** RFC 6901 §4 and its URI form, §6. */
function unescapePointer(step: string): string {
  let decoded = step;
  try {
    decoded = decodeURIComponent(step);
  } catch {
    // A stray `%` is meant literally.
  }
  return decoded.replace(/~1/g, "/").replace(/~0/g, "~");
}
