/** IP addresses as numbers: IPv4 and IPv6 in one 128-bit space, IPv4 in its mapped form (`::ffff:a.b.c.d`). */
export interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

const MAPPED = 0xffffn << 32n;

/** @returns null when it is no address */
export function parseAddress(text: string): bigint | null {
  const trimmed = text.trim();
  const four = parseV4(trimmed);
  if (four !== null) return MAPPED | four;
  return parseV6(trimmed.replace(/%.*$/, ""));
}

/** One address or a CIDR block such as `10.0.0.0/8`. */
export function parseRange(text: string): AddressRange | null {
  const [base, bits, more] = text.trim().split("/");
  const address = parseAddress(base ?? "");
  if (address === null || more !== undefined) return null;
  if (bits === undefined) return { from: address, to: address };
  const isV4 = parseV4(base!.trim()) !== null;
  const length = Number(bits);
  if (!/^\d{1,3}$/.test(bits) || length > (isV4 ? 32 : 128)) return null;
  const host = (1n << BigInt((isV4 ? 32 : 128) - length)) - 1n;
  return { from: address & ~host, to: address | host };
}

/** Both ends of one family and in order; null otherwise. */
export function rangeOf(from: string, to: string): AddressRange | null {
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === null || last === null || first > last || isMapped(first) !== isMapped(last)) return null;
  return { from: first, to: last };
}

export function within(address: bigint, range: AddressRange): boolean {
  return address >= range.from && address <= range.to;
}

function isMapped(address: bigint): boolean {
  return address >> 32n === 0xffffn;
}

function parseV4(text: string): bigint | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  let value = 0n;
  for (const part of match.slice(1)) {
    const octet = Number(part);
    if (octet > 255) return null;
    value = (value << 8n) | BigInt(octet);
  }
  return value;
}

function parseV6(text: string): bigint | null {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail])
    value = (value << 16n) | BigInt(group);
  return value;
}

function groups(text: string): number[] | null {
  if (text === "") return [];
  const out: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      const four = i === parts.length - 1 ? parseV4(part) : null;
      if (four === null) return null;
      out.push(Number(four >> 16n), Number(four & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) out.push(Number.parseInt(part, 16));
    else return null;
  }
  return out;
}
