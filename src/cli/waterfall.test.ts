import { expect, test } from "vitest";
import { renderTrace } from "./waterfall.ts";

const at = (microseconds: number): string => `00:00:00.${String(microseconds * 10).padStart(7, "0")}`;
const policy = (path: string, line: number) => ({
  scope: "api",
  scopeId: "/apis/a",
  path,
  file: "apis/a/policy.xml",
  line,
});

const TRACE = {
  traceId: "1234",
  complete: true,
  traceEntries: {
    inbound: [
      {
        source: "api-inspector",
        elapsed: at(0),
        data: {
          configuration: {
            api: { id: "a", revision: "1" },
            operation: { id: "get", method: "GET", uriTemplate: "/x" },
            product: "gold",
            subscription: "-",
          },
          request: { method: "GET", url: "http://h/a/x" },
        },
      },
      {
        source: "choose",
        elapsed: at(0),
        data: { policy: policy("choose[1]", 3), microseconds: 200, decision: "when[1] of 2" },
      },
      {
        source: "set-header",
        elapsed: at(100),
        data: {
          policy: policy("choose[1]/when[1]/set-header[1]", 4),
          microseconds: 50,
          changes: [
            { what: "request.headers.A", before: null, after: "1" },
            { what: "request.headers.B", before: "1", after: "2" },
            { what: "request.headers.C", before: "\u001b[31mred", after: null },
          ],
        },
      },
    ],
    backend: [
      {
        source: "forward-request",
        elapsed: at(500),
        data: {
          policy: policy("forward-request[1]", 9),
          microseconds: 1_500,
          earlierAttempts: [
            {
              backend: { id: "one", url: "http://one/", why: "it was its turn", attempt: 1 },
              failure: "connect_failed",
            },
          ],
          backend: { id: "two", url: "http://two/", why: "it was next", attempt: 2 },
          response: { status: 200 },
          microsecondsToHead: 900,
        },
      },
    ],
    outbound: [
      {
        source: "gateway",
        elapsed: at(2_000),
        data: { response: { status: 200, reason: "OK" }, bytesSent: 5, configVersion: 3 },
      },
    ],
    "on-error": [],
  },
};

test("a waterfall", () => {
  expect(renderTrace(TRACE, { color: false, columns: 106 })).toBe(
    `GET http://h/a/x  200 OK  2.0 ms
trace 1234 · API a (revision 1) · operation GET /x · product gold · configuration 3

inbound
  choose                       api       apis/a/policy.xml:3                █·········     200 µs
      → when[1] of 2
    set-header                 api       apis/a/policy.xml:4                █·········      50 µs
        + request.headers.A: 1
        ~ request.headers.B: 1 → 2
        - request.headers.C (was \ufffd[31mred)

backend
  forward-request              api       apis/a/policy.xml:9                ··████████     1.5 ms
      → backend one: http://one/
        because it was its turn
      ✗ connect_failed
      → backend two: http://two/ (attempt 2)
        because it was next
      ← 200 after 900 µs

outbound
  gateway                                                                   ·········█
      ← 200 OK, 5 bytes
`,
  );
});

test("colours only when asked for, and a trace that is not complete says so", () => {
  const text = renderTrace({ ...TRACE, complete: false }, { color: true, columns: 106 });
  expect(text).toContain("\u001b[1minbound\u001b[0m");
  expect(text).toContain("still under way");
});

test("a trace with nothing in it is shown all the same", () => {
  expect(
    renderTrace({ traceId: "x", complete: true, traceEntries: {} }, { color: false, columns: 80 }),
  ).toContain("no response");
});
