/**
 * A large configuration: how soon it is ready, how soon a change shows, what it costs in memory (aims: 3 s, 250 ms,
 * 300 MB for 1,000 APIs). Changes are of three kinds: the policy of one operation, the information of one API, and a named
 * value that one policy of every tenth API uses.
 *
 * Usage: node bench/large.ts [APIS], default 1000 with 5 policies and 10 subscriptions each.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadavg } from "node:os";
import { Bench, printed, residentBytes, show, spreadOf } from "./harness.ts";

const apis = Number(process.argv[2] ?? 1000);
const bench = new Bench();
const json = (properties: object): string => JSON.stringify({ properties });
const document = (text: string, answer = ""): string =>
  `<policies><inbound><base /><set-header name="x-api" exists-action="override"><value>@("${text}" + context.Operation.Id)</value></set-header>${answer}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const answering = (text: string): string =>
  document(text, `<return-response><set-body>${text}</set-body></return-response>`);
const information = (i: number, path: string): string =>
  json({ displayName: `API ${i}`, path, protocols: ["http"], subscriptionRequired: false });
const named = (value: string): string => json({ displayName: "shared", value });
bench.file("config/namedValues/shared/namedValueInformation.json", named("shared 0"));
for (let i = 0; i < apis; i++) {
  const folder = `config/apis/api${i}`;
  bench.file(`${folder}/apiInformation.json`, information(i, `group${i % 10}/api${i}`));
  bench.file(`${folder}/policy.xml`, document(`api ${i}`));
  for (let j = 0; j < 4; j++) {
    bench.file(
      `${folder}/operations/op${j}/operationInformation.json`,
      json({ displayName: `Op ${j}`, method: "GET", urlTemplate: `/things${j}/{id}` }),
    );
    const text = j === 3 && i % 10 === 7 ? "{{shared}}" : `operation ${j} of ${i}`;
    bench.file(`${folder}/operations/op${j}/policy.xml`, answering(text));
  }
  for (let j = 0; j < 10; j++) {
    bench.file(
      `config/subscriptions/s${i}-${j}/subscriptionInformation.json`,
      json({
        displayName: "s",
        scope: `/apis/api${i}`,
        state: "active",
        primaryKey: `key-${i}-${j}`,
        secondaryKey: `second-${i}-${j}`,
      }),
    );
  }
}
const started = performance.now();
const child = bench.start(
  process.execPath,
  [
    join(import.meta.dirname, "..", "bin", "headgate.js"),
    "up",
    "--json",
    "--port",
    "0",
    "--access-log",
    "off",
    "--config",
    join(bench.folder, "config"),
    "--data",
    join(bench.folder, "data"),
  ],
  { HEADGATE_DEMO_MODEL: "off" },
);
try {
  const [, url] = await printed(child, /"gateway":"([^"]+)"/);
  const readySeconds = (performance.now() - started) / 1000;
  const megabytes = (): string => `${(residentBytes(child.pid!) / 1e6).toFixed(0)} MB`;
  console.log(
    `${apis} APIs, ${apis * 5} policies, ${apis * 10} subscriptions: ready after ${readySeconds.toFixed(2)} s, ${megabytes()}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 5000));
  console.log(`5 s later ${megabytes()}; load of the machine ${loadavg()[0]!.toFixed(1)}`);
  const config = (path: string): string => join(bench.folder, "config", path);
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  /** From the file written to the first answer that shows it; every answer until then must be the one from before. */
  const change = async (file: string, text: string, path: string, before: string, after: string) => {
    const at = performance.now();
    writeFileSync(config(file), text);
    for (;;) {
      const answer = await ask(path);
      if (answer === after) return performance.now() - at;
      if (answer !== before) throw new Error(`expected ${before} or ${after}, got ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const policies: number[] = [];
  const apiFiles: number[] = [];
  const values: number[] = [];
  const operation = "apis/api7/operations/op0/policy.xml";
  for (let i = 0; i < 10; i++) {
    const before = i === 0 ? "200 operation 0 of 7" : `200 changed ${i - 1}`;
    const text = answering(`changed ${i}`);
    policies.push(await change(operation, text, "/group7/api7/things0/1", before, `200 changed ${i}`));
    const found = "200 operation 1 of 3";
    const missing = '404 { "statusCode": 404, "message": "Resource not found" }';
    const moved = information(3, `moved/${i}`);
    apiFiles.push(
      await change("apis/api3/apiInformation.json", moved, `/moved/${i}/things1/1`, missing, found),
    );
    const value = "namedValues/shared/namedValueInformation.json";
    const [was, is] = [`200 shared ${i}`, `200 shared ${i + 1}`];
    values.push(await change(value, named(`shared ${i + 1}`), "/group7/api997/things3/1", was, is));
  }
  for (const [what, took] of [
    ["a policy", policies],
    ["an API's path", apiFiles],
    ["a named value", values],
  ] as const)
    console.log(`a change of ${what} shows after ${show(spreadOf(took), 0)} ms`);
  console.log(`after 30 changes ${megabytes()}; load of the machine ${loadavg()[0]!.toFixed(1)}`);
} finally {
  bench.close();
}
process.exit(0);
