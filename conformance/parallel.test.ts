/**
 * Four hundred requests at once through policies that hold something of each: a parsed body, variables, a rendered
 * template, a retry. None may see anything of another.
 */
import { expect, test } from "vitest";
import { backendsOf } from "../src/backends/testing.ts";
import { forward } from "../src/backends/forward.ts";
import { Abort } from "../src/base/abort.ts";
import { HeaderList } from "../src/base/headers.ts";
import { systemClock } from "../src/base/system-clock.ts";
import { createGateway } from "../src/gateway/listener.ts";
import { REQUEST_ID, servicesOf } from "../src/gateway/testing.ts";
import { SnapshotBuilder } from "../src/model/build.ts";
import * as policies from "../src/policies/index.ts";
import { createClient, createServer } from "../src/transport/node/index.ts";
import type { Client, Incoming } from "../src/transport/transport.ts";
import { type Case, parseCases } from "./case-file.ts";
import { readAll } from "./upstream.ts";
import { worldOf } from "./world.ts";

const [one] = parseCases(
  "parallel",
  `=== parallel
--- inbound
<set-variable name="id" value="@(context.Request.Body.As<JObject>(true)["id"].ToString())" />
<choose>
  <when condition="@(int.Parse((string)context.Variables["id"]) % 2 == 0)">
    <set-body template="liquid">{"id": {{body.id}}, "text": "{{ body.text | Upcase }}"}</set-body>
  </when>
</choose>
<set-header name="X-Id"><value>@((string)context.Variables["id"])</value></set-header>
--- backend
<retry condition="@(context.Response.StatusCode == 503)" count="5" interval="0">
  <forward-request buffer-request-body="true" />
</retry>
--- outbound
<set-header name="X-Variable"><value>@((string)context.Variables["id"])</value></set-header>
<set-header name="X-Body"><value>@(context.Response.Body.As<JObject>(true)["id"].ToString())</value></set-header>
-----
--- client saw
200`,
);

/** Says 503 as often as the id's last digit modulo 4, then echoes. */
function flaky(): (incoming: Incoming) => void {
  const seen = new Map<string, number>();
  return (incoming) =>
    readAll(incoming.body, (body) => {
      const id = new HeaderList(incoming.rawHeaders).get("x-id") ?? "";
      const before = seen.get(id) ?? 0;
      seen.set(id, before + 1);
      const status = before < Number(id) % 4 ? 503 : 200;
      incoming.reply.send(status, "", ["Content-Type", "application/json"], Buffer.from(body));
    });
}

async function call(client: Client, port: number, id: number): Promise<string> {
  const answer = await client.send({
    method: "POST",
    scheme: "http",
    host: "127.0.0.1",
    port,
    target: "/api/x",
    rawHeaders: ["Host", "gateway.example", "Content-Type", "application/json"],
    body: Buffer.from(JSON.stringify({ id, text: "t".repeat(id) })),
    abort: new Abort(),
  });
  const text = await new Promise<string>((resolve) => readAll(answer.body, resolve));
  const headers = new HeaderList(answer.rawHeaders);
  const body = JSON.parse(text) as { id: number; text: string };
  return `${answer.status} ${headers.get("x-variable")} ${headers.get("x-body")} ${body.id} ${body.text[0] ?? "-"}${body.text.length}`;
}

test("none sees anything of another", async () => {
  const outgoing = createClient();
  const client = createClient();
  const upstream = await createServer({ host: "127.0.0.1", port: 0, onRequest: flaky() });
  const backends = backendsOf(servicesOf());
  const services = servicesOf({
    clock: systemClock(
      () => 0,
      () => 0,
    ),
    client: outgoing,
    forward: (exchange, options) => forward(exchange, options, outgoing, backends),
  });
  const gateway = createGateway({
    services,
    newRequestId: () => REQUEST_ID,
    onDone: () => {},
    health: () => false,
  });
  const { resources, options } = worldOf(one as Case, (text) =>
    text.replaceAll("{upstream}", `http://127.0.0.1:${upstream.port}`),
  );
  gateway.swap(new SnapshotBuilder(Object.values(policies)).build(resources, 1, options).snapshot!);
  const server = await createServer({ host: "127.0.0.1", port: 0, onRequest: gateway.onRequest });
  try {
    const ids = Array.from({ length: 400 }, (_none, id) => id);
    const answers = await Promise.all(ids.map((id) => call(client, server.port, id)));
    const expected = ids.map(
      (id) => `200 ${id} ${id} ${id} ${id === 0 ? "-" : id % 2 === 0 ? "T" : "t"}${id}`,
    );
    expect(answers).toEqual(expected);
    expect(services.bugs).toEqual([]);
  } finally {
    await server.close();
    await upstream.close();
    await client.close();
    await outgoing.close();
  }
});
