/** Content-Type and Accept (RFC 9110 §8.3, §12.5.1), as far as conversions of bodies ask for them. */
import type { HeaderList } from "../base/headers.ts";

/** `type/subtype` without parameters, lower case; empty when absent. */
export function mediaTypeOf(headers: HeaderList): string {
  return bareType(headers.get("content-type") ?? "");
}

export function bareType(contentType: string): string {
  const at = contentType.indexOf(";");
  return (at < 0 ? contentType : contentType.slice(0, at)).trim().toLowerCase();
}

export function isJsonType(type: string): boolean {
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

export function isXmlType(type: string): boolean {
  return type === "application/xml" || type === "text/xml" || type.endsWith("+xml");
}

/**
 * Whether the caller takes a media type of this family. No Accept at all takes everything. Of several ranges that
 * speak of it the most exact ones count, and one with q > 0 is enough.
 *
 * @param typical the family's types that a wildcard stands for, e.g. `["application/json", "text/json"]`
 * @param belongs whether an exact type belongs to the family
 */
export function accepts(
  headers: HeaderList,
  typical: readonly string[],
  belongs: (type: string) => boolean,
): boolean {
  const lines = headers.getAll("accept");
  if (lines === null || lines.every((line) => line.trim() === "")) return true;
  let exactness = 0;
  let taken = false;
  for (const range of lines.join(",").split(",")) {
    const type = bareType(range);
    const found = belongs(type) ? 3 : type === "*/*" ? 1 : matchesHalf(type, typical) ? 2 : 0;
    if (found < exactness || found === 0) continue;
    if (found > exactness) taken = false;
    exactness = found;
    taken ||= !REFUSED.test(range);
  }
  return taken;
}

const REFUSED = /;\s*q\s*=\s*0(?:\.0{0,3})?\s*(?:;|$)/i;

/** `application/*` */
function matchesHalf(range: string, typical: readonly string[]): boolean {
  return range.endsWith("/*") && typical.some((type) => type.startsWith(range.slice(0, -1)));
}

const JSON_TYPES = ["application/json", "text/json"];
const XML_TYPES = ["application/xml", "text/xml"];

export const acceptsJson = (headers: HeaderList): boolean => accepts(headers, JSON_TYPES, isJsonType);
export const acceptsXml = (headers: HeaderList): boolean => accepts(headers, XML_TYPES, isXmlType);
