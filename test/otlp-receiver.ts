/**
 * A collector for tests: takes OTLP over HTTP and reads the messages by the field numbers of the protocol's own
 * definition (opentelemetry-proto 1.x), so that what our serializer writes is read by something else.
 */
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Scalar = "string" | "double" | "fixed64" | "hex" | "int" | "bool";
/** Field number → name, what it holds, and whether there may be several. */
type Message = Readonly<
  Record<number, readonly [name: string, type: Scalar | Message | (() => Message), many?: "many"]>
>;

const anyValue: () => Message = () => ({
  1: ["string", "string"],
  2: ["bool", "bool"],
  3: ["int", "int"],
  4: ["double", "double"],
  5: ["array", { 1: ["values", anyValue, "many"] }],
});
const attribute: Message = { 1: ["key", "string"], 2: ["value", anyValue] };
const resource: Message = { 1: ["attributes", attribute, "many"] };
const scope: Message = { 1: ["name", "string"] };
const point: Message = {
  7: ["attributes", attribute, "many"],
  2: ["start", "fixed64"],
  3: ["time", "fixed64"],
  4: ["double", "double"],
};
const histogram: Message = {
  9: ["attributes", attribute, "many"],
  4: ["count", "fixed64"],
  5: ["sum", "double"],
};
const metric: Message = {
  1: ["name", "string"],
  3: ["unit", "string"],
  5: ["gauge", { 1: ["points", point, "many"] }],
  7: ["sum", { 1: ["points", point, "many"], 2: ["temporality", "int"], 3: ["monotonic", "bool"] }],
  9: ["histogram", { 1: ["points", histogram, "many"], 2: ["temporality", "int"] }],
};
const span: Message = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  4: ["parentSpanId", "hex"],
  5: ["name", "string"],
  6: ["kind", "int"],
  7: ["start", "fixed64"],
  8: ["end", "fixed64"],
  9: ["attributes", attribute, "many"],
  15: ["status", { 2: ["message", "string"], 3: ["code", "int"] }],
};
const log: Message = {
  1: ["time", "fixed64"],
  5: ["body", anyValue],
  6: ["attributes", attribute, "many"],
  12: ["eventName", "string"],
};
const request = (item: Message, name: string): Message => ({
  1: [
    "resources",
    { 1: ["resource", resource], 2: ["scopes", { 1: ["scope", scope], 2: [name, item, "many"] }, "many"] },
    "many",
  ],
});
const REQUESTS: Readonly<Record<string, readonly [Message, string]>> = {
  "/v1/traces": [request(span, "spans"), "spans"],
  "/v1/metrics": [request(metric, "metrics"), "metrics"],
  "/v1/logs": [request(log, "logs"), "logs"],
};

export interface Item {
  readonly scope: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly [field: string]: any;
}

export interface Collector {
  readonly url: string;
  readonly spans: Item[];
  /** By name, as last sent. */
  readonly metrics: Map<string, Item>;
  readonly logs: Item[];
  headers: IncomingHttpHeaders;
  close(): Promise<void>;
}

export async function collector(): Promise<Collector> {
  const found: Collector = {
    url: "",
    spans: [],
    metrics: new Map(),
    logs: [],
    headers: {},
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const [message, name] = REQUESTS[incoming.url!]!;
      found.headers = incoming.headers;
      for (const item of itemsOf(read(Buffer.concat(chunks), message), name)) {
        if (name === "metrics") found.metrics.set(`${item.scope}/${item["name"]}`, item);
        else found[name as "spans" | "logs"].push(item);
      }
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(found, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function itemsOf(message: any, name: string): Item[] {
  return message.resources.flatMap(({ resource: from, scopes }: any) =>
    scopes.flatMap(({ scope: by, [name]: items }: any) =>
      items.map((item: any) => ({
        ...item,
        scope: by?.name ?? "",
        resource: plain(from?.attributes),
        attributes: plain(item.attributes),
      })),
    ),
  );
}

/** `[{key, value}]` as an object. */
export function plain(attributes: any[] | undefined): Record<string, unknown> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: any): unknown {
  if (value?.array !== undefined) return value.array.values.map(valueOf);
  return value === undefined ? null : (value.string ?? value.bool ?? value.int ?? value.double);
}

/** Protocol Buffers' wire format. */
function read(octets: Buffer, message: Message): any {
  const result: Record<string, unknown> = {};
  for (const [name, , many] of Object.values(message)) if (many !== undefined) result[name] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const octet = octets[at++]!;
      value += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) return value;
    }
  };
  while (at < octets.length) {
    const tag = varint();
    const wire = tag & 7;
    let value: unknown;
    if (wire === 0) value = varint();
    else if (wire === 1) value = octets.subarray(at, (at += 8));
    else if (wire === 2) {
      const length = varint();
      value = octets.subarray(at, (at += length));
    } else if (wire === 5) value = octets.subarray(at, (at += 4));
    else throw new Error(`wire type ${wire}`);
    const field = message[Math.floor(tag / 8)];
    if (field === undefined) continue;
    const [name, type, many] = field;
    const decoded = decode(value, type);
    if (many === undefined) result[name] = decoded;
    else (result[name] as unknown[]).push(decoded);
  }
  return result;
}

function decode(value: unknown, type: Scalar | Message | (() => Message)): unknown {
  if (typeof type === "function") return read(value as Buffer, type());
  if (typeof type === "object") return read(value as Buffer, type);
  switch (type) {
    case "string":
      return (value as Buffer).toString();
    case "hex":
      return (value as Buffer).toString("hex");
    case "double":
      return (value as Buffer).readDoubleLE();
    case "fixed64":
      return Number((value as Buffer).readBigUInt64LE());
    case "bool":
      return value === 1;
    case "int":
      return value;
  }
}
