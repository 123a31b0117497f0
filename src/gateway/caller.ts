/**
 * Who is at the other end when there are proxies in front (`policies.md` 26, `routing.md` §2.1). What
 * `X-Forwarded-…` say is believed of proxies that are named, and of nobody else.
 */
import { type AddressRange, parseAddress, within } from "../base/addresses.ts";
import type { HeaderList } from "../base/headers.ts";

export interface Caller {
  /** As it was written; text that is no address when a trusted proxy has written that. */
  readonly address: string;
  /** The scheme that the first proxy was called with; null when nobody trusted says so. */
  readonly scheme: "http" | "https" | null;
}

/**
 * The address that called the first of our proxies: read from the end of `X-Forwarded-For`, as each proxy adds the one
 * that called it, up to the first that is not trusted.
 *
 * @param peer who is connected
 */
export function callerBehind(peer: string, headers: HeaderList, trusted: readonly AddressRange[]): Caller {
  if (!isTrusted(peer, trusted)) return { address: peer, scheme: null };
  const hops = headers.getAll("x-forwarded-for")?.join(",").split(",") ?? [];
  let address = peer;
  while (hops.length > 0 && isTrusted(address, trusted)) {
    const hop = withoutPort(hops.pop()!.trim());
    if (hop !== "") address = hop;
  }
  const said = headers.getAll("x-forwarded-proto")?.join(",").split(",").at(-1)!.trim().toLowerCase();
  return { address, scheme: said === "http" || said === "https" ? said : null };
}

function isTrusted(text: string, trusted: readonly AddressRange[]): boolean {
  const address = parseAddress(text);
  return address !== null && trusted.some((range) => within(address, range));
}

/** Some proxies write `192.0.2.1:443` and `[2001:db8::1]:443`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
}
