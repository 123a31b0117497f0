/** What a live request shows is in `conformance/cases/invoke.txt`. */
import { expect, test } from "vitest";
import { Body } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { type Written, exchangeOf, mistakesOf, policyStep, servicesOf } from "../../gateway/testing.ts";
import { parseTarget } from "../../gateway/url.ts";
import { invokeRequest } from "./policy.ts";

test.each<[Written, string[]]>([
  [{}, []],
  [{ attributes: { url: "https://a.example/x" } }, []],
  [{ attributes: { url: "{{host}}/x" } }, []],
  [{ attributes: { url: "/x", "backend-id": "b" } }, []],
  [{ attributes: { url: "/x" } }, ['"/x" is not an absolute http or https URL']],
  [{ attributes: { url: "ftp://x", "backend-id": "b" } }, ['"ftp://x" is not an absolute http or https URL']],
])("mistakes of %j", (written, expected) => expect(mistakesOf(invokeRequest, written)).toEqual(expected));

/** The current request, and what was sent in its place. */
async function run(written: Written, headers: string[] = []) {
  const sent: { method: string; url: string; headers: readonly string[]; body: string }[] = [];
  const services = servicesOf({
    forward: ({ request }: Exchange) => {
      const body = request.body === null ? "" : new TextDecoder().decode(request.body.bytes());
      sent.push({ method: request.method, url: request.url.path, headers: request.headers.raw, body });
      return Promise.resolve(new ResponseMessage(202));
    },
  });
  const exchange = exchangeOf({ method: "POST", target: "/a", headers }, undefined, services);
  exchange.request.setTarget(parseTarget("http://b.example/base")!);
  exchange.request.body = Body.text("request", "now");
  const outcome = await policyStep(invokeRequest, written).run(exchange, null);
  return { sent, exchange, outcome };
}

test("the current request stays as it is, body and all", async () => {
  const { sent, exchange, outcome } = await run(
    {
      attributes: { method: () => "put", "response-variable-name": "r" },
      children: {
        header: [{ attributes: { name: "X-A", value: () => "2" } }, { attributes: { name: "x-b" } }],
        body: [{ text: () => "then" }],
      },
    },
    ["X-A", "1", "X-B", "1"],
  );
  expect(sent).toEqual([
    { method: "PUT", url: "/base/a", headers: ["Host", "gateway.example", "X-A", "2"], body: "then" },
  ]);
  expect(outcome).toBeUndefined();
  expect((exchange.variables.get("r") as ResponseMessage).statusCode).toBe(202);
  const { request } = exchange;
  expect([request.method, request.headers.raw]).toEqual([
    "POST",
    ["Host", "gateway.example", "X-A", "1", "X-B", "1"],
  ]);
  expect(new TextDecoder().decode(request.body!.bytes())).toBe("now");
});

test("without a variable the answer ends the exchange", async () => {
  const { outcome, sent } = await run({});
  expect((outcome as ResponseMessage).statusCode).toBe(202);
  expect(sent[0]).toMatchObject({ method: "POST", body: "now" });
});

test.each<[Written["attributes"], string]>([
  [{ method: () => "A B" }, '"A B" is no HTTP method.'],
  [{ "backend-id": () => "x" }, 'There is no backend "x", or its pool has no members.'],
  [{ url: () => "x" }, '"x" is not an absolute http or https URL.'],
])("%o fails", async (attributes, message) => {
  await expect(run({ attributes })).rejects.toThrow(message);
});
