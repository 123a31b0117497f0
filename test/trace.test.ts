/** Traces from outside: the right to one, what the answer says, what the command prints. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { commandLine } from "../src/cli/index.ts";
import { application } from "../src/start.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

const upstream = createServer((request, response) => {
  response
    .setHeader("X-Upstream", "yes")
    .end(JSON.stringify({ path: request.url, debug: request.headers["apim-debug-authorization"] ?? null }));
});
const dataDir = mkdtempSync(join(tmpdir(), "headgate-trace-"));
let gateway: TestGateway;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const serviceUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const inbound = `
    <set-variable name="who" value="@(context.Request.Headers.GetValueOrDefault(&quot;X-Who&quot;, &quot;nobody&quot;))" />
    <choose>
      <when condition="@(context.Variables.GetValueOrDefault(&quot;who&quot;) == &quot;nobody&quot;)"><set-header name="X-Who"><value>unknown</value></set-header></when>
      <otherwise><set-header name="X-Tag"><value>{{secret-tag}}</value></set-header></otherwise>
    </choose>
    <trace source="mine"><message>@("hello " + context.Tracing)</message></trace>`;
  gateway = await testGateway(
    {
      ...api("echo", serviceUrl, ["GET /hello"], { policy: policy({ inbound }) }),
      ...api("other", serviceUrl, ["GET /hello"]),
      "policy.xml":
        "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
      "namedValues/secret-tag/namedValueInformation.json": {
        properties: { displayName: "secret-tag", secret: true, value: "tag-that-is-secret" },
      },
    },
    { dataDir },
  );
});
afterAll(async () => {
  await gateway.close();
  upstream.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("a debug token", () => {
  const call = (path: string, token: string) =>
    fetch(`${gateway.url}${path}`, { headers: { "Apim-Debug-Authorization": token } });

  it("gives the id of a trace, and never reaches the backend", async () => {
    const answer = await call("/echo/hello", gateway.debugToken("echo"));
    expect(answer.headers.get("apim-trace-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await answer.json()).toEqual({ path: "/hello", debug: null });
    expect(gateway.trace("00000000-0000-4000-8000-000000000000")).toBeNull();
  });

  it.each<[string, string, () => string, string[]]>([
    ["without one", "/echo/hello", () => "", []],
    ["forged", "/echo/hello", () => `${gateway.debugToken("echo")}x`, []],
    [
      "for another API",
      "/other/hello",
      () => gateway.debugToken("echo"),
      ["apim-debug-authorization-wrongapi"],
    ],
    ["expired", "/echo/hello", () => gateway.debugToken("echo", 0), ["apim-debug-authorization-expired"]],
    ["for any", "/other/hello", () => gateway.debugToken(null), ["apim-trace-id"]],
    ["no such API", "/nowhere", () => gateway.debugToken(null), ["apim-trace-id"]],
  ])("%s", async (_name, path, token, said) => {
    const answer = await call(path, token());
    expect([...answer.headers.keys()].filter((name) => name.startsWith("apim-"))).toEqual(said);
    await answer.arrayBuffer();
  });
});

test("the file that lets commands in is for the gateway's account only", () => {
  expect(statSync(join(dataDir, "local-access.json")).mode & 0o777).toBe(0o600);
});

describe("headgate trace", () => {
  async function trace(...args: string[]): Promise<{ code: number; out: string; error: string }> {
    const texts = { out: "", error: "" };
    const into = (key: "out" | "error"): Writable =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => void ((texts[key] += chunk.toString()), done()),
      });
    const code = await commandLine(
      {
        ...application,
        environment: { HEADGATE_DATA: dataDir },
        stdout: Object.assign(into("out"), { columns: 120 }),
        stderr: into("error"),
      },
      ["trace", ...args],
    );
    return { code, ...texts };
  }

  it("prints a waterfall of a path at the running gateway", async () => {
    const { code, out, error } = await trace("/echo/hello", "-H", "X-Who: me");
    expect({ code, error }).toEqual({ code: 0, error: "" });
    const lines = out.split("\n").map((line) => line.trim());
    expect(lines[0]).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/echo\/hello {2}200 OK {2}\S+ m?s$/u);
    for (const line of [
      "+ variable who: me",
      "→ otherwise",
      "+ request.headers.X-Tag: ***",
      "hello True",
      "because the API's service URL",
    ])
      expect(lines).toContain(line);
    expect(out).toMatch(/set-header +api +apis\/echo\/policy\.xml:5/);
    expect(out).not.toContain("tag-that-is-secret");
  });

  it("prints JSON in the shape of listTrace", async () => {
    const { out } = await trace(`${gateway.url}/echo/hello`, "--json");
    const { traceEntries, complete } = JSON.parse(out);
    expect(complete).toBe(true);
    expect(traceEntries.inbound.map((entry: any) => entry.source)).toEqual([
      "api-inspector",
      "set-variable",
      "choose",
      "set-header",
      "trace",
      "mine",
    ]);
    expect(traceEntries.inbound[0].data.configuration).toMatchObject({
      api: { id: "echo", from: "/echo" },
      operation: { method: "GET", uriTemplate: "/hello" },
    });
    expect(traceEntries.backend[0].data).toMatchObject({
      backend: { why: "the API's service URL", attempt: 1 },
      response: { status: 200 },
    });
  });

  it("shows an error", async () => {
    const { code, out } = await trace("/nowhere");
    expect(code).toBe(0);
    expect(out).toContain("✗ OperationNotFound: Unable to match incoming request to an operation.");
  });

  it.each([
    [["nonsense"], 64, /neither an http URL nor a path/],
    [["/x", "-H", "novalue"], 64, /-H takes a name/],
    [["/x", "-d", "@/does/not/exist"], 64, /ENOENT/],
    [["/x", "--data-dir", "/does/not/exist"], 69, /no gateway runs on the data folder/],
    [["http://127.0.0.1:9/x"], 69, /./],
  ])("%j ends with %i", async (args, code, message) => {
    const result = await trace(...args);
    expect(result.code).toBe(code);
    expect(result.error).toMatch(message);
  });
});
