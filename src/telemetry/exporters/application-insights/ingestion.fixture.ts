/** An ingestion service for tests: reads what it gets by the published shapes of envelopes and refuses everything else. */
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface Envelope {
  readonly name: string;
  readonly time: string;
  readonly iKey: string;
  readonly sampleRate: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: { readonly baseType: string; readonly baseData: any };
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Ingestion {
  readonly url: string;
  readonly taken: Envelope[];
  /** What was wrong with envelopes. */
  readonly mistakes: string[];
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly count: number;
  }[];
  /** In the place of taking all; undefined = that. */
  answer: ((envelopes: readonly Envelope[]) => Answer | undefined) | null;
  /** Everything of one type. */
  data(baseType: string): any[];
  close(): Promise<void>;
}

const TEXT: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  RequestData: { id: 512, name: 1024, duration: 20, responseCode: 1024, url: 2048 },
  RemoteDependencyData: {
    id: 512,
    name: 1024,
    type: 1024,
    target: 1024,
    data: 8192,
    duration: 20,
    resultCode: 1024,
  },
  MessageData: { message: 32_768 },
  ExceptionData: {},
  MetricData: {},
};
const DURATION = /^(?:\d{1,3}\.)?\d\d:\d\d:\d\d\.\d{3,7}$/;

export async function startIngestion(): Promise<Ingestion> {
  const self: Ingestion = {
    url: "",
    taken: [],
    mistakes: [],
    requests: [],
    answer: null,
    data: (baseType) =>
      self.taken.filter(({ data }) => data.baseType === baseType).map(({ data }) => data.baseData),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const text = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      const envelopes = text
        .toString()
        .split("\n")
        .map((line) => JSON.parse(line) as Envelope);
      self.requests.push({ path: incoming.url!, headers: incoming.headers, count: envelopes.length });
      self.mistakes.push(...envelopes.flatMap(mistakesOf));
      const answer = self.answer?.(envelopes);
      if (answer === undefined) self.taken.push(...envelopes);
      const count = envelopes.length;
      response.writeHead(answer?.status ?? 200, { "content-type": "application/json", ...answer?.headers });
      response.end(
        JSON.stringify(answer?.body ?? { itemsReceived: count, itemsAccepted: count, errors: [] }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(self, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function mistakesOf({ name, time, iKey, sampleRate, tags, data }: Envelope): string[] {
  const { baseType, baseData } = data;
  const found: string[] = [];
  const check = (holds: boolean, what: string): void => void (holds || found.push(`${baseType}: ${what}`));
  check(`${name.replace("Microsoft.ApplicationInsights.", "")}Data` === baseType, `name ${name}`);
  check(new Date(time).toISOString() === time, `time ${time}`);
  check(/^[0-9a-f-]{36}$/.test(iKey), `iKey ${iKey}`);
  check(sampleRate > 0 && sampleRate <= 100, `sampleRate ${sampleRate}`);
  for (const [tag, value] of Object.entries(tags)) check(typeof value === "string", `tag ${tag}`);
  check(baseData.ver === 2, "ver");
  check(baseType in TEXT, "an unknown type");
  for (const [field, longest] of Object.entries(TEXT[baseType] ?? {}))
    check(typeof baseData[field] === "string" && baseData[field].length <= longest, field);
  if ("duration" in baseData) check(DURATION.test(baseData.duration), `duration ${baseData.duration}`);
  if ("success" in baseData) check(typeof baseData.success === "boolean", "success");
  for (const [key, value] of Object.entries(baseData.properties ?? {}))
    check(key.length <= 150 && typeof value === "string" && value.length <= 8192, `property ${key}`);
  for (const [key, value] of Object.entries(baseData.measurements ?? {}))
    check(typeof value === "number", `measurement ${key}`);
  if (baseType === "MetricData") {
    check(baseData.metrics.length === 1, "one metric");
    for (const metric of baseData.metrics)
      check(typeof metric.name === "string" && Number.isFinite(metric.value) && metric.count > 0, "metric");
  }
  if (baseType === "ExceptionData")
    for (const one of baseData.exceptions)
      check(typeof one.typeName === "string" && typeof one.message === "string", "exception");
  return found;
}
