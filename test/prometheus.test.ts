/** A real Prometheus scrapes the gateway. Without one installed (`apt install prometheus`) these are skipped. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type Prometheus, hasPrometheus, promtool, startPrometheus } from "./prometheus.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;
let prometheus: Prometheus;

beforeAll(async () => {
  if (!hasPrometheus) return;
  upstream = await standIn(
    "model",
    (_request, response) =>
      void response
        .writeHead(200, { "content-type": "application/json" })
        .end(
          '{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}',
        ),
  );
  gateway = await testGateway(
    api("ai", `${upstream.url}/v1`, ["POST /chat/completions"], {
      policy: policy({
        inbound: `<llm-emit-token-metric namespace="aiusage"><dimension name="User ID" value="@(context.Request.Headers.GetValueOrDefault(&quot;x-user&quot;,&quot;N/A&quot;))" /></llm-emit-token-metric>`,
      }),
    }),
    { admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
  prometheus = await startPrometheus(gateway.adminUrl!.replace("http://", ""));
  for (const user of ["ann", "bob", "ann"]) {
    const answer = await fetch(`${gateway.url}/ai/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-user": user },
      body: JSON.stringify({ model: "gpt-4o", messages: [] }),
    });
    await answer.text();
  }
});
afterAll(async () => {
  await prometheus?.close();
  await gateway?.close();
  await upstream?.close();
});

test.skipIf(!hasPrometheus)("it sees tokens per caller, of the gateway and of the conventions", async () => {
  const eventually = (query: string, expected: readonly [object, number][]): Promise<void> =>
    vi.waitFor(
      async () => {
        const found = [...(await prometheus.query(query))].sort();
        expect(found).toEqual(expected.map(([labels, value]) => [JSON.stringify(labels), value]).sort());
      },
      { timeout: 20_000, interval: 200 },
    );
  await eventually("aiusage_total_tokens_sum", [
    [{ user_id: "ann" }, 36],
    [{ user_id: "bob" }, 18],
  ]);
  await eventually("sum by (kind) (headgate_tokens_total)", [
    [{ kind: "prompt" }, 33],
    [{ kind: "completion" }, 21],
  ]);
  await eventually("sum by (token_type) (gen_ai_client_token_usage_sum)", [
    [{ token_type: "input" }, 33],
    [{ token_type: "output" }, 21],
  ]);
  await eventually("sum(headgate_requests_total)", [[{}, 3]]);
  await eventually("histogram_quantile(0.5, sum by (le) (gen_ai_client_token_usage_bucket)) > 4", [[{}, 10]]);
});

test.skipIf(!hasPrometheus)("promtool finds nothing to complain of", async () => {
  expect(promtool(await (await fetch(`${gateway.adminUrl}/metrics`)).text())).toBe("");
});
