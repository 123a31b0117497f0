/** A JSON value as text, to be counted. */

/**
 * Compact JSON. A value nested too deeply for `JSON.stringify` (a parser takes depths that it does
 * not) becomes its strings and punctuation in some order, which counts about the same.
 */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return flatText(value);
  }
}

function flatText(value: unknown): string {
  const texts: string[] = [];
  const waiting: unknown[] = [value];
  const seen = new Set<object>();
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "object" && next !== null) {
      if (seen.has(next)) continue;
      seen.add(next);
      texts.push(Array.isArray(next) ? "[]" : "{}");
      for (const [key, inner] of Object.entries(next)) {
        if (!Array.isArray(next)) texts.push(JSON.stringify(key));
        waiting.push(inner);
      }
    } else if (typeof next !== "bigint") {
      texts.push(JSON.stringify(next) ?? "");
    }
  }
  return texts.join(",");
}
