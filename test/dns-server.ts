/** A DNS server on loopback (RFC 1035, as much as A and AAAA need) whose answers a test decides, query by query. */
import { type RemoteInfo, createSocket } from "node:dgram";
import { type AddressInfo, isIPv6 } from "node:net";

export interface DnsServer {
  /** `address:port`. */
  readonly address: string;
  /** Names and types that were asked for: `a.test A`. */
  readonly asked: string[];
  /**
   * Addresses for a query; an empty list is "no such record", `NXDOMAIN` "no such name", `SERVFAIL` a failure and null no
   * answer at all.
   */
  answer: (name: string, type: "A" | "AAAA") => readonly string[] | "NXDOMAIN" | "SERVFAIL" | null;
  close(): Promise<void>;
}

const TTL_SECONDS = 1;
const TYPES = { A: 1, AAAA: 28 } as const;
const CODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;

export async function startDns(answer: DnsServer["answer"]): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.on("message", (query: Buffer, from: RemoteInfo) => {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end) === TYPES.AAAA ? "AAAA" : "A";
    server.asked.push(`${name} ${type}`);
    const found = server.answer(name, type);
    if (found !== null) socket.send(reply(query.subarray(0, end + 4), found), from.port, from.address);
  });
  await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
  const server: DnsServer = {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    asked: [],
    answer,
    close: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
  return server;
}

/** §4.1.2: labels, each behind its length. @returns where the type stands */
function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

/** §4.1.1, §4.1.3. @param question header and question of the query, which come back */
function reply(question: Buffer, found: readonly string[] | "NXDOMAIN" | "SERVFAIL"): Buffer {
  const head = Buffer.from(question);
  const code = typeof found === "string" ? CODES[found] : 0;
  const addresses = typeof found === "string" ? [] : found;
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...addresses.map(record)]);
}

function record(address: string): Buffer {
  const data = isIPv6(address) ? bytesOfV6(address) : Buffer.from(address.split(".").map(Number));
  const head = Buffer.alloc(12);
  // The name is the question's.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(isIPv6(address) ? TYPES.AAAA : TYPES.A, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function bytesOfV6(address: string): Buffer {
  const [left = "", right = ""] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const before = groups(left);
  const after = groups(right);
  const bytes = Buffer.alloc(16);
  before.forEach((group, i) => bytes.writeUInt16BE(group, i * 2));
  after.forEach((group, i) => bytes.writeUInt16BE(group, 16 - (after.length - i) * 2));
  return bytes;
}
