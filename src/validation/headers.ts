import type { HeaderList } from "../base/headers.ts";
import { withoutHopByHop } from "../gateway/hop-by-hop.ts";

export interface GivenHeader {
  /** As first written. */
  readonly name: string;
  /** One value per field line. */
  readonly lines: string[];
}

/** Headers that belong to the message and not to the connection or its framing, by lower-case name. */
export function headersOfMessage(headers: HeaderList): Map<string, GivenHeader> {
  const found = new Map<string, GivenHeader>();
  const raw = withoutHopByHop(headers.raw);
  for (let i = 0; i < raw.length; i += 2) {
    const key = raw[i]!.toLowerCase();
    if (key === "content-length") continue;
    const known = found.get(key);
    if (known === undefined) found.set(key, { name: raw[i]!, lines: [raw[i + 1]!] });
    else known.lines.push(raw[i + 1]!);
  }
  return found;
}
