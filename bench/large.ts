/**
 * A large configuration: how soon it is ready, how soon a change shows, what it costs in memory.
 *
 * Usage: node bench/large.ts [APIS], default 1000 with 5 policies and 10 subscriptions each.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bench, printed, residentBytes } from "./harness.ts";

const apis = Number(process.argv[2] ?? 1000);
const bench = new Bench();
const json = (properties: object): string => JSON.stringify({ properties });
const document = (text: string, answer = ""): string =>
  `<policies><inbound><base /><set-header name="x-api" exists-action="override"><value>@("${text}" + context.Operation.Id)</value></set-header>${answer}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const answering = (text: string): string =>
  document(text, `<return-response><set-body>${text}</set-body></return-response>`);
for (let i = 0; i < apis; i++) {
  const folder = `config/apis/api${i}`;
  bench.file(
    `${folder}/apiInformation.json`,
    json({
      displayName: `API ${i}`,
      path: `group${i % 10}/api${i}`,
      protocols: ["http"],
      subscriptionRequired: false,
    }),
  );
  bench.file(`${folder}/policy.xml`, document(`api ${i}`));
  for (let j = 0; j < 4; j++) {
    bench.file(
      `${folder}/operations/op${j}/operationInformation.json`,
      json({ displayName: `Op ${j}`, method: "GET", urlTemplate: `/things${j}/{id}` }),
    );
    bench.file(`${folder}/operations/op${j}/policy.xml`, answering(`operation ${j} of ${i}`));
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
  console.log(
    `${apis} APIs, ${apis * 5} policies, ${apis * 10} subscriptions: ready after ${((performance.now() - started) / 1000).toFixed(2)} s, ${(residentBytes(child.pid!) / 1e6).toFixed(0)} MB`,
  );
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const took: number[] = [];
  for (let i = 0; i < 10; i++) {
    const text = `changed ${i}`;
    const at = performance.now();
    writeFileSync(join(bench.folder, "config/apis/api7/operations/op0/policy.xml"), answering(text));
    while ((await (await fetch(`${url}/group7/api7/things0/1`)).text()) !== text)
      await new Promise((resolve) => setTimeout(resolve, 2));
    took.push(performance.now() - at);
  }
  took.sort((a, b) => a - b);
  console.log(
    `a change shows after ${took[5]!.toFixed(0)} ms (${took[0]!.toFixed(0)} … ${took.at(-1)!.toFixed(0)})`,
  );
} finally {
  bench.close();
}
process.exit(0);
