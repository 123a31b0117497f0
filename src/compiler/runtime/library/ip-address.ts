/** System.Net.IPAddress: IPv4 in all the forms that inet_aton reads, IPv6 with scope and embedded IPv4. */
import { type Members, defineType } from "../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange, formatError } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, type OutCell, TYPE, enumValue, hashOf, typeNamed } from "../values.ts";

export class IPAddress implements NetObject {
  /** 4 or 16. */
  readonly bytes: Uint8Array;
  readonly scope: number;

  constructor(bytes: Uint8Array, scope = 0) {
    this.bytes = bytes;
    this.scope = scope;
  }
  get [TYPE](): Type {
    return typeNamed("System.Net.IPAddress");
  }
  netToString(): string {
    return this.bytes.length === 4 ? this.bytes.join(".") : ipv6Text(this);
  }
  netEquals(other: unknown): boolean {
    return (
      other instanceof IPAddress &&
      other.bytes.length === this.bytes.length &&
      other.scope === this.scope &&
      this.bytes.every((byte, i) => byte === other.bytes[i])
    );
  }
  netHashCode(): number {
    return hashOf(this.netToString());
  }
}

/** RFC 5952, except that an embedded IPv4 address is shown where .NET shows it. */
function ipv6Text(address: IPAddress): string {
  const { bytes, scope } = address;
  const groups = Array.from({ length: 8 }, (_, i) => bytes[i * 2]! * 256 + bytes[i * 2 + 1]!);
  const suffix = scope === 0 ? "" : `%${scope}`;
  const embedded =
    groups.slice(0, 5).every((g) => g === 0) &&
    (groups[5] === 0xffff || (groups[5] === 0 && groups[6] !== 0));
  const shown = embedded ? groups.slice(0, 6) : groups;
  const hex = shown.map((g) => g.toString(16));
  const [start, length] = longestZeros(shown);
  let text: string;
  if (length < 2) text = hex.join(":");
  else text = `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
  if (embedded) text += (text.endsWith(":") ? "" : ":") + bytes.subarray(12).join(".");
  return text + suffix;
}

function longestZeros(groups: readonly number[]): [number, number] {
  let best: [number, number] = [-1, 0];
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best[1]) best = [i, end - i];
    if (end > i) i = end;
  }
  return best;
}

/** One to four parts, each decimal, octal (0…) or hexadecimal (0x…); the last fills what is left. */
export function readIPv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length > 4) return null;
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^(?:0[xX][\da-fA-F]{1,8}|0[0-7]{0,11}|[1-9]\d{0,9})$/.test(part)) return null;
    const octal = part.length > 1 && part.startsWith("0") && !/^0[xX]/.test(part);
    numbers.push(octal ? Number.parseInt(part, 8) : Number(part));
  }
  const last = numbers.pop()!;
  if (numbers.some((n) => n > 255) || last >= 256 ** (4 - numbers.length)) return null;
  const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), last);
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Without brackets and scope. */
export function readIPv6(text: string): Uint8Array | null {
  let rest = text;
  let tail: Uint8Array | null = null;
  const dotted = /:(\d+\.\d+\.\d+\.\d+)$/.exec(rest);
  if (dotted !== null) {
    if (dotted[1]!.split(".").some((part) => part.length > 1 && part.startsWith("0"))) return null;
    tail = readIPv4(dotted[1]!);
    if (tail === null) return null;
    rest = rest.slice(0, dotted.index + 1);
    rest = rest.endsWith("::") ? rest : rest.slice(0, -1);
  }
  const halves = rest.split("::");
  if (halves.length > 2) return null;
  const wanted = tail === null ? 8 : 6;
  const read = (half: string): number[] | null => {
    if (half === "") return [];
    const groups = half.split(":");
    return groups.every((g) => /^[\da-fA-F]{1,4}$/.test(g))
      ? groups.map((g) => Number.parseInt(g, 16))
      : null;
  };
  const head = read(halves[0]!);
  const end = halves.length === 2 ? read(halves[1]!) : [];
  if (head === null || end === null) return null;
  const missing = wanted - head.length - end.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...end];
  const bytes = new Uint8Array(16);
  groups.forEach((g, i) => {
    bytes[i * 2] = g >>> 8;
    bytes[i * 2 + 1] = g & 255;
  });
  if (tail !== null) bytes.set(tail, 12);
  return bytes;
}

function readAddress(text: string): IPAddress | null {
  if (text.length > 100) return null;
  if (!text.includes(":")) {
    const bytes = readIPv4(text);
    return bytes === null ? null : new IPAddress(bytes);
  }
  const match = /^\[?([^\]%[/]*)(?:%(\d{1,10}))?(?:\](?::\d+)?)?$/.exec(text);
  if (match === null || text.startsWith("[") !== text.includes("]")) return null;
  const bytes = readIPv6(match[1]!);
  return bytes === null ? null : new IPAddress(bytes, Number(match[2] ?? 0));
}

function parse(text: string | null): IPAddress {
  if (text === null) throw argumentNull("ipString");
  const address = readAddress(text);
  if (address === null) throw formatError("An invalid IP address was specified.");
  return address;
}

function fromBytes(bytes: Uint8Array | null): IPAddress {
  if (bytes === null) throw argumentNull("address");
  if (bytes.length !== 4 && bytes.length !== 16)
    throw argumentError("An invalid IP address was specified.", "address");
  return new IPAddress(bytes.slice());
}

const v4 = (...bytes: number[]): IPAddress => new IPAddress(Uint8Array.from(bytes));
const v6 = (last: number): IPAddress =>
  new IPAddress(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last));
const ANY = v4(0, 0, 0, 0);
const LOOPBACK = v4(127, 0, 0, 1);
const BROADCAST = v4(255, 255, 255, 255);
const IPV6_ANY = v6(0);
const IPV6_LOOPBACK = v6(1);

function isMapped({ bytes }: IPAddress): boolean {
  return (
    bytes.length === 16 &&
    bytes.subarray(0, 10).every((b) => b === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255
  );
}

function isLoopback(address: IPAddress | null): boolean {
  if (address === null) throw argumentNull("address");
  if (isMapped(address)) return address.bytes[12] === 127;
  return address.bytes.length === 4
    ? address.bytes[0] === 127
    : new IPAddress(address.bytes).netEquals(IPV6_LOOPBACK);
}

function family(address: IPAddress): unknown {
  return enumValue(
    typeNamed("System.Net.Sockets.AddressFamily").definition,
    address.bytes.length === 4 ? 2 : 23,
  );
}

const prefixed = (test: (a: number, b: number) => boolean) => (address: IPAddress) =>
  address.bytes.length === 16 && test(address.bytes[0]!, address.bytes[1]!);

const members: Members = {
  "IPAddress(byte[] address)": fromBytes,
  "IPAddress(byte[] address, long scopeid)": (bytes: Uint8Array | null, scope: bigint) => {
    if (bytes !== null && bytes.length !== 16)
      throw argumentError("An invalid IP address was specified.", "address");
    if (scope < 0n || scope > 0xffffffffn) throw argumentOutOfRange("scopeid");
    return new IPAddress(fromBytes(bytes).bytes, Number(scope));
  },
  "IPAddress(long newAddress)": (value: bigint) => {
    if (value < 0n || value > 0xffffffffn) throw argumentOutOfRange("newAddress");
    const n = Number(value);
    return v4(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24);
  },
  "static IPAddress Any { get; }": () => ANY,
  "static IPAddress Loopback { get; }": () => LOOPBACK,
  "static IPAddress Broadcast { get; }": () => BROADCAST,
  "static IPAddress None { get; }": () => BROADCAST,
  "static IPAddress IPv6Any { get; }": () => IPV6_ANY,
  "static IPAddress IPv6Loopback { get; }": () => IPV6_LOOPBACK,
  "static IPAddress IPv6None { get; }": () => IPV6_ANY,
  "static IPAddress Parse(string ipString)": parse,
  "static bool TryParse(string ipString, out IPAddress address)": (text: string | null, result: OutCell) => {
    const address = text === null ? null : readAddress(text);
    result.value = address;
    return address !== null;
  },
  "static bool IsLoopback(IPAddress address)": isLoopback,
  "AddressFamily AddressFamily { get; }": family,
  "byte[] GetAddressBytes()": (address: IPAddress) => address.bytes.slice(),
  "long ScopeId { get; }": (address: IPAddress) => {
    if (address.bytes.length === 4) {
      throw new NetException(
        "System.InvalidOperationException",
        "The attempted operation is not supported for the type of object referenced.",
      );
    }
    return BigInt(address.scope);
  },
  "bool IsIPv4MappedToIPv6 { get; }": isMapped,
  "bool IsIPv6LinkLocal { get; }": prefixed((a, b) => a === 0xfe && (b & 0xc0) === 0x80),
  "bool IsIPv6SiteLocal { get; }": prefixed((a, b) => a === 0xfe && (b & 0xc0) === 0xc0),
  "bool IsIPv6UniqueLocal { get; }": prefixed((a) => (a & 0xfe) === 0xfc),
  "bool IsIPv6Multicast { get; }": prefixed((a) => a === 0xff),
  "IPAddress MapToIPv4()": (address: IPAddress) =>
    address.bytes.length === 4 ? address : new IPAddress(address.bytes.slice(12)),
  "IPAddress MapToIPv6()": (address: IPAddress) => {
    if (address.bytes.length === 16) return address;
    const bytes = new Uint8Array(16);
    bytes.fill(255, 10, 12);
    bytes.set(address.bytes, 12);
    return new IPAddress(bytes);
  },
  "bool Equals(object comparand)": (a: IPAddress, b: unknown) => a.netEquals(b),
  "int GetHashCode()": (address: IPAddress) => address.netHashCode(),
  "string ToString()": (address: IPAddress) => address.netToString(),
};
defineType("class System.Net.IPAddress", members);
