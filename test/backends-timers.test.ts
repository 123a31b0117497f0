/** each timer of a request to a backend, alone, with a code of its own. How exact they are is for fake clocks. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type Answer, type StandIn, stalls, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;
beforeEach(async () => void (upstream = await standIn("one")));
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const head: Answer = (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
};
const oneChunk: Answer = (request, response, body) => {
  head(request, response, body);
  response.write("data: 1\n\n");
};
/** Never silent for long, and never over. */
const forEver: Answer = (request, response, body) => {
  oneChunk(request, response, body);
  const timer = setInterval(() => response.write("data: 2\n\n"), 5);
  response.on("close", () => clearInterval(timer));
};

describe("R-09 timers", () => {
  it.each<[string, string, Answer, string, "error" | "broken off"]>([
    ["until the head", 'timeout-ms="{ms}"', stalls, "headers_timeout", "error"],
    ["until the first byte", 'first-byte-timeout="{s}"', head, "first_byte_timeout", "error"],
    ["between chunks", 'chunk-timeout="{s}"', oneChunk, "idle_timeout", "broken off"],
    ["of the whole", 'total-timeout="{s}"', forEver, "total_timeout", "broken off"],
    ["over all attempts", 'deadline="{s}"', stalls, "deadline_exceeded", "error"],
  ])("%s (%s)", async (_name, attribute, answer, code, how) => {
    for (const ms of [20, 60, 120]) {
      upstream.answer = answer;
      const written = attribute.replace("{ms}", String(ms)).replace("{s}", String(ms / 1000));
      gateway = await testGateway(
        api("api", upstream.url, ["GET /*"], {
          policy: policy({ backend: `<forward-request ${written} />` }),
        }),
      );
      const reply = await fetch(`${gateway.url}/api/x`);
      const text = await reply.text();
      await until(() => gateway.exchanges.length === 1);
      const { error, brokenOff } = gateway.exchanges[0]!;
      if (how === "error") {
        expect([reply.status, error?.code, error?.reason]).toEqual([500, code, "Timeout"]);
      } else {
        expect([reply.status, brokenOff?.code]).toEqual([200, code]);
        expect(text).toMatch(/^data: 1\n\n[^]*data: \{[^\n]+\}\nevent: error\n\n$/);
      }
      await until(() => gateway.log.some(({ msg }) => msg === "request"));
      expect(JSON.stringify(gateway.log.find(({ msg }) => msg === "request"))).toContain(code);
      if (ms !== 120) await gateway.close();
    }
  });
});
