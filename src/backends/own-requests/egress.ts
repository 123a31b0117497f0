/**
 * Where requests that policies make on their own may not go. Policies send to wherever an expression says, and an
 * expression may say what a caller wrote; so addresses that give away a machine's credentials are refused unless the
 * gateway's options allow them: link-local ones, the metadata services of the clouds, and "this host" (`0.0.0.0/8`).
 *
 * Names are judged by the address that is then connected to (`ClientRequest.refuse`). `forward-request` is not guarded,
 * because where it goes is configured; but where a backend's redirect leads (`follow-redirects`) is.
 */
import { domainToASCII } from "node:url";
import { type AddressRange, parseAddress, parseRange, within } from "../../base/addresses.ts";
import type { EgressOptions } from "../../gateway/snapshot.ts";

export interface EgressGuard {
  /** True when the host must not be called, whatever it resolves to. */
  refusesHost(host: string): boolean;
  /** For `ClientRequest.refuse`, one function for all hosts; undefined for a host that is allowed by its name. */
  refuseFor(host: string): ((address: string) => boolean) | undefined;
}

/** One guard for the same options, so that its connections are shared. */
export function egressGuard(options: EgressOptions): EgressGuard {
  let guard = guards.get(options);
  if (guard === undefined) guards.set(options, (guard = makeGuard(options)));
  return guard;
}

const guards = new WeakMap<EgressOptions, EgressGuard>();

const REFUSED = ranges(
  "0.0.0.0/8", // "this host" (RFC 1122 §3.2.1.3); Linux connects to itself
  "::/128",
  "169.254.0.0/16", // link-local (RFC 3927): metadata of AWS, Azure, Google and most others
  "fe80::/10",
  "fd00:ec2::254/128", // AWS metadata, IPv6
  "fd20:ce::254/128", // Google metadata, IPv6
  "100.100.100.200/32", // Alibaba metadata
  "168.63.129.16/32", // Azure's own services for a virtual machine
  "192.0.0.192/32", // Oracle metadata, classic
);
const LOOPBACK = ranges("127.0.0.0/8", "::1/128");
const REFUSED_HOSTS = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "instance-data",
  "instance-data.ec2.internal",
  "metadata.tencentyun.com",
  "metadata.platformequinix.com",
]);

function makeGuard({ allow, loopback }: EgressOptions): EgressGuard {
  const allowedRanges: AddressRange[] = [];
  const allowedHosts: string[] = [];
  for (const entry of allow) {
    const range = parseRange(entry);
    if (range !== null) allowedRanges.push(range);
    else allowedHosts.push(plainHost(entry));
  }
  const refusedRanges = loopback ? REFUSED : [...REFUSED, ...LOOPBACK];

  const refuse = (text: string): boolean => {
    const address = parseAddress(text);
    // What cannot be read cannot be judged.
    if (address === null) return true;
    if (allowedRanges.some((range) => within(address, range))) return false;
    const inner = embeddedV4(address);
    return refusedRanges.some((range) => within(address, range) || (inner !== null && within(inner, range)));
  };
  const allowsHost = (host: string): boolean =>
    allowedHosts.some((entry) => (entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry));

  return {
    refusesHost(host) {
      const plain = plainHost(host);
      if (allowsHost(plain)) return false;
      return REFUSED_HOSTS.has(plain) || (parseAddress(plain) !== null && refuse(plain));
    },
    refuseFor: (host) => (allowedHosts.length > 0 && allowsHost(plainHost(host)) ? undefined : refuse),
  };
}

/**
 * One spelling for each host: lower case, no final dot, and an IPv4 address in any of the forms that resolvers take
 * (`2852039166`, `0xa9.0376.43518`) in its usual one.
 */
function plainHost(host: string): string {
  const bare = host
    .trim()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.+$/, "");
  if (bare.includes(":") || bare.startsWith("*.")) return bare.toLowerCase();
  const ascii = domainToASCII(bare);
  return ascii === "" ? bare.toLowerCase() : ascii;
}

/** The IPv4 address that an IPv6 one leads to through a translator or tunnel, in its mapped form. */
function embeddedV4(address: bigint): bigint | null {
  const low = address & 0xffffffffn;
  const mapped = (v4: bigint): bigint => (0xffffn << 32n) | v4;
  if (address >> 32n === 0n && address > 1n) return mapped(low); // IPv4-compatible, RFC 4291 §2.5.5.1
  if (address >> 32n === 0x64ff9bn << 64n) return mapped(low); // NAT64, RFC 6052 §2.1
  if (address >> 80n === 0x64ff9b0001n) return mapped(low); // NAT64 of one's own, RFC 8215
  if (address >> 112n === 0x2002n) return mapped((address >> 80n) & 0xffffffffn); // 6to4, RFC 3056 §2
  if (address >> 96n === 0x20010000n) return mapped(low ^ 0xffffffffn); // Teredo, RFC 4380 §4
  return null;
}

function ranges(...texts: readonly string[]): AddressRange[] {
  return texts.map((text) => parseRange(text)!);
}
