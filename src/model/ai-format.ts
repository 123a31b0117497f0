/** `aiFormat` of an API: which dialect its requests to models speak, where neither path nor body tell. Ours. */
import { suggest } from "../base/suggest.ts";
import type { ApiProperties } from "../contract/apis.ts";
import type { Resource } from "../contract/resource.ts";
import type { Dialect, DialectName } from "../llm/dialect.ts";
import { DIALECTS } from "../llm/providers/index.ts";
import { dialectNamed } from "../llm/recognise.ts";
import type { Reporter } from "./report.ts";

/** @returns null when the API does not say */
export function aiFormatOf(
  { id, name, properties }: Resource<ApiProperties>,
  report: Reporter,
): Dialect | null {
  const given = properties.aiFormat;
  if (given === undefined) return null;
  const dialect = dialectNamed(given.toLowerCase() as DialectName);
  if (dialect !== null) return dialect;
  const names = [...new Set(DIALECTS.map((known) => known.name))];
  const meant = suggest(given, names);
  report.error(
    "HG5530",
    { api: name, format: given },
    id,
    ["aiFormat"],
    meant === null ? undefined : `did you mean \`${meant}\`?`,
  );
  return null;
}
