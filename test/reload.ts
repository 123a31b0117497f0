/**
 * Configuration changes under load: shared by the test (does anything break?) and `bench/reloads.ts` (how soon is a
 * change visible, two hundred times).
 */
import { type DemoModel, startDemoModel } from "../src/demo/index.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

export interface ReloadOutcomes {
  readonly failedRequests: number;
  readonly brokenStreams: number;
  readonly requests: number;
  /** Ms from a file's write to the first answer that shows it. */
  readonly visibleMs: readonly number[];
  /** Broken changes that were refused, with the old one serving. */
  readonly refused: number;
}

const version = (i: number): string =>
  policy({
    outbound: `<set-header name="x-version" exists-action="override"><value>@("${i}")</value></set-header>`,
  });

const BROKEN = policy({ inbound: `<set-heeder name="x" />` });

/** @param streams open from before the first change until after the last */
export async function changeUnderLoad(
  changes: number,
  broken: number,
  streams: number,
  now: () => number,
): Promise<ReloadOutcomes> {
  const model = await startDemoModel({ defaults: { chunkMs: 5 } });
  const gateway = await testGateway(
    { ...api("chat", `${model.url}/v1`, ["POST /chat/completions", "GET /models"], { policy: version(0) }) },
    { watch: true },
  );
  try {
    return await run(gateway, model, changes, broken, streams, now);
  } finally {
    await gateway.close();
    await model.close();
  }
}

async function run(
  gateway: TestGateway,
  model: DemoModel,
  changes: number,
  broken: number,
  streams: number,
  now: () => number,
): Promise<ReloadOutcomes> {
  const stop = { now: false };
  const open = Array.from({ length: streams }, () => keepStreaming(gateway, stop));
  let failedRequests = 0;
  let requests = 0;
  const ask = async (): Promise<string | null> => {
    requests++;
    try {
      const answer = await fetch(`${gateway.url}/chat/models`);
      await answer.text();
      if (answer.status === 200) return answer.headers.get("x-version");
    } catch {
      // Counted below.
    }
    failedRequests++;
    return null;
  };
  const visibleMs: number[] = [];
  let refused = 0;
  const brokenAt = new Set(
    Array.from({ length: broken }, (_, i) => Math.floor(((i + 1) * changes) / (broken + 1))),
  );
  for (let i = 1; i <= changes; i++) {
    if (brokenAt.has(i)) {
      const before = gateway.reloads.length;
      gateway.write("apis/chat/policy.xml", BROKEN);
      while (!gateway.reloads.slice(before).some(({ applied }) => !applied)) await ask();
      if ((await ask()) === String(i - 1)) refused++;
    }
    const started = now();
    gateway.write("apis/chat/policy.xml", version(i));
    while ((await ask()) !== String(i)) {
      // Asking is the load.
    }
    visibleMs.push(now() - started);
  }
  stop.now = true;
  const broke = (await Promise.all(open)).reduce((sum, count) => sum + count, 0);
  void model;
  return { failedRequests, brokenStreams: broke, requests, visibleMs, refused };
}

/** One stream after another until told to stop; counts those that do not end as they should. */
async function keepStreaming(gateway: TestGateway, stop: { readonly now: boolean }): Promise<number> {
  let broken = 0;
  while (!stop.now) {
    try {
      const answer = await fetch(`${gateway.url}/chat/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-demo-tokens": "100" },
        body: JSON.stringify({ model: "demo", stream: true, messages: [{ role: "user", content: "go on" }] }),
      });
      const text = await answer.text();
      if (answer.status !== 200 || !text.trimEnd().endsWith("data: [DONE]")) broken++;
    } catch {
      broken++;
    }
  }
  return broken;
}
