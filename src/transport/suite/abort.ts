/**
 * Who hangs up stops the work, all the way down, in every phase. A gateway of ten lines stands between a raw
 * caller and an upstream; both of its sides are the adapter's.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import { type Client, type ClientRequest, type Incoming, type Server, TransportError } from "../transport.ts";
import { type Adapter, CountingSink, HandSource, HOST } from "./adapter.ts";
import { RawClient, turn, until } from "./raw.ts";

const ROUNDS = 40;

export function abortSuite(adapter: Adapter): void {
  let upstream: Server;
  let gateway: Server;
  let client: Client;
  let forward = true;
  let atUpstream: Incoming[] = [];
  let atGateway: Incoming[] = [];
  let failures: unknown[] = [];
  let onUpstream: (incoming: Incoming) => void = () => {};

  beforeAll(async () => {
    client = adapter.createClient();
    upstream = await adapter.createServer({
      host: HOST,
      port: 0,
      onRequest: (incoming) => {
        atUpstream.push(incoming);
        onUpstream(incoming);
      },
    });
    gateway = await adapter.createServer({
      host: HOST,
      port: 0,
      onRequest: (incoming) => {
        atGateway.push(incoming);
        if (forward) proxy(incoming);
      },
    });
  });
  afterAll(async () => {
    await client.close();
    await gateway.close();
    await upstream.close();
  });

  function toUpstream(incoming: {
    method: string;
    target: string;
    body: ClientRequest["body"];
    abort: Abort;
  }): ClientRequest {
    const { method, target, body, abort } = incoming;
    return {
      method,
      scheme: "http",
      host: HOST,
      port: upstream.port,
      target,
      rawHeaders: ["Host", "u"],
      body,
      abort,
    };
  }

  function proxy(incoming: Incoming): void {
    client.send(toUpstream(incoming)).then(
      (response) => {
        const { body } = response;
        const sink = incoming.reply.head(response.status, "", response.rawHeaders, () => body?.resume());
        if (body === null) sink.end();
        else body.start(sink);
      },
      (error) => failures.push(error),
    );
  }

  const takeBody = (incoming: Incoming) => incoming.body?.start(new CountingSink());
  const startAnswer = (incoming: Incoming) => {
    incoming.reply.head(200, "", [], () => {}).write(Buffer.from("tick"));
  };

  const phases: {
    name: string;
    request: string;
    forward: boolean;
    onUpstream?: (incoming: Incoming) => void;
    ready: string | null;
  }[] = [
    {
      name: "queued, the body unread",
      request: "Content-Length: 9\r\n\r\nhello",
      forward: false,
      ready: null,
    },
    {
      name: "queued, the body complete",
      request: "Content-Length: 5\r\n\r\nhello",
      forward: false,
      ready: null,
    },
    {
      name: "uploading",
      request: "Content-Length: 9\r\n\r\nhello",
      forward: true,
      onUpstream: takeBody,
      ready: null,
    },
    {
      name: "uploading chunks",
      request: "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
      forward: true,
      onUpstream: takeBody,
      ready: null,
    },
    {
      name: "waiting",
      request: "Content-Length: 5\r\n\r\nhello",
      forward: true,
      onUpstream: takeBody,
      ready: null,
    },
    { name: "streaming", request: "\r\n", forward: true, onUpstream: startAnswer, ready: "tick" },
  ];
  const ways: [string, (raw: RawClient) => void][] = [
    ["FIN", (raw) => raw.socket.end()],
    ["close", (raw) => raw.socket.destroy()],
    ["RST", (raw) => raw.socket.resetAndDestroy()],
  ];

  describe("a caller that hangs up", () => {
    for (const phase of phases) {
      test.each(ways)(`while ${phase.name}, with %s, ends it everywhere`, async (_name, hangUp) => {
        forward = phase.forward;
        onUpstream = phase.onUpstream ?? (() => {});
        for (let round = 0; round < ROUNDS; round++) {
          atGateway = [];
          atUpstream = [];
          failures = [];
          const raw = new RawClient(gateway.port);
          raw.send(`POST / HTTP/1.1\r\nHost: h\r\n${phase.request}`);
          await until(() => atGateway.length === 1 && (!forward || atUpstream.length === 1));
          if (phase.ready !== null) await raw.until(phase.ready);
          const finished: boolean[] = [];
          atGateway[0]!.reply.onFinish((complete) => finished.push(complete));
          hangUp(raw);
          await until(() => atGateway[0]!.abort.aborted && gateway.active === 0 && upstream.active === 0);
          expect(atGateway[0]!.abort.reason).toBe("client");
          expect(finished).toEqual([false]);
          if (forward) {
            expect(atUpstream[0]!.abort.reason).toBe("client");
            const streaming = phase.ready !== null;
            expect(failures.map((error) => (error as TransportError).code)).toEqual(
              streaming ? [] : ["aborted"],
            );
          }
          // What is written to a caller that has gone is nobody's error.
          atGateway[0]!.reply.send(200, "", [], Buffer.from("late"));
          raw.destroy();
        }
      });
    }
  });

  describe("an abort from above", () => {
    test("before the request is sent sends nothing", async () => {
      atUpstream = [];
      const abort = new Abort();
      abort.abort("deadline");
      const sent = client.send(toUpstream({ method: "GET", target: "/", body: null, abort }));
      await expect(sent).rejects.toMatchObject({ code: "aborted", nothingSent: true });
      expect(atUpstream).toEqual([]);
    });

    test("while it connects", async () => {
      const abort = new Abort();
      const sent = client.send(toUpstream({ method: "GET", target: "/", body: null, abort }));
      abort.abort("deadline");
      await expect(sent).rejects.toMatchObject({ code: "aborted" });
    });

    test("while the body is sent cancels its source", async () => {
      onUpstream = takeBody;
      const abort = new Abort();
      const body = new HandSource();
      const sent = client.send(toUpstream({ method: "POST", target: "/", body, abort }));
      (await body.started).write(Buffer.from("x"));
      abort.abort("other");
      await expect(sent).rejects.toMatchObject({ code: "aborted" });
      expect(body.cancelled).toBe(true);
      await until(() => upstream.active === 0);
    });

    test("while the response streams fails its body", async () => {
      onUpstream = startAnswer;
      const abort = new Abort();
      const response = await client.send(toUpstream({ method: "GET", target: "/", body: null, abort }));
      const sink = new CountingSink();
      response.body!.start(sink);
      await until(() => sink.taken === 4);
      abort.abort("deadline");
      expect(sink.error?.code).toBe("aborted");
      await until(() => upstream.active === 0);
    });

    test("a response that is cancelled closes its connection", async () => {
      onUpstream = startAnswer;
      const response = await client.send(
        toUpstream({ method: "GET", target: "/", body: null, abort: new Abort() }),
      );
      response.body!.cancel();
      await until(() => upstream.active === 0);
    });

    test("after the response is whole changes nothing", async () => {
      onUpstream = ({ reply }) => reply.send(200, "", [], Buffer.from("hello"));
      const abort = new Abort();
      const response = await client.send(toUpstream({ method: "GET", target: "/", body: null, abort }));
      await turn();
      abort.abort("deadline");
      const sink = new CountingSink();
      response.body!.start(sink);
      expect([sink.taken, sink.ended]).toEqual([5, true]);
    });
  });
}
