/** Strict framing (RFC 9112): what is ambiguous is refused, what is merely odd is served. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Refusal, Server } from "../transport.ts";
import { type Adapter, collect, echo, HOST } from "./adapter.ts";
import { LEGAL, REFUSED_BODIES, REFUSED_HEADS } from "./framing-cases.ts";
import { converse, until } from "./raw.ts";

export function framingSuite(adapter: Adapter): void {
  describe("framing", () => {
    let server: Server;
    let reached = 0;
    let completed = 0;
    let refusals: Refusal[] = [];

    beforeAll(async () => {
      server = await adapter.createServer({
        host: HOST,
        port: 0,
        onRequest: (incoming) => {
          reached++;
          collect(incoming.body).then(
            () => {
              completed++;
              incoming.reply.send(200, "", [], null);
            },
            () => {},
          );
        },
        onRefused: (refusal) => refusals.push(refusal),
      });
    });
    afterAll(() => server.close());

    async function refused(bytes: string, status: number, size: number): Promise<void> {
      reached = 0;
      completed = 0;
      refusals = [];
      const answer = await converse(server.port, bytes, size);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(answer).toContain("\r\nConnection: close\r\n");
      expect(answer.includes("\r\nAllow: ")).toBe(status === 405);
      const { code, requestId } = refusals[0]!;
      const message = JSON.parse(answer.slice(answer.indexOf("{"))).message as string;
      expect(answer.slice(answer.indexOf("{"))).toBe(
        `{ "statusCode": ${status}, "message": ${JSON.stringify(message)}, "code": "${code}", "requestId": "${requestId}" }`,
      );
      expect(refusals.map((refusal) => refusal.status)).toEqual([status]);
      expect(completed).toBe(0);
      await until(() => server.active === 0);
    }

    test.each(REFUSED_HEADS)("refuses %s", async (_name, bytes, status) => {
      await refused(bytes, status, 0);
      expect(reached).toBe(0);
      await refused(bytes, status, 1);
      expect(reached).toBe(0);
    });

    test.each(REFUSED_BODIES)("refuses %s", async (_name, bytes, status) => {
      await refused(bytes, status, 0);
      expect(reached).toBe(0);
      await refused(bytes, status, 1);
    });

    test("a malformed request behind a good one is refused, the good one is answered", async () => {
      reached = 0;
      const good = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
      const answer = await converse(server.port, `${good}GET /b HTTP/1.1\r\n\r\n`);
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 400"]);
      expect(reached).toBe(1);
    });

    test("nothing behind a refused request is read", async () => {
      reached = 0;
      const hidden = "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n";
      await converse(
        server.port,
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length}\r\nContent-Length: 0\r\n\r\n${hidden}`,
      );
      expect(reached).toBe(0);
    });
  });

  describe("odd but legal", () => {
    let server: Server;
    beforeAll(async () => {
      server = await adapter.createServer({ host: HOST, port: 0, onRequest: echo });
    });
    afterAll(() => server.close());

    // A second request that asks for the end shows that the first was framed as meant.
    const last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    test.each(LEGAL)("serves %s", async (_name, bytes, seen) => {
      for (const size of [0, 1, 7]) {
        const answer = await converse(server.port, bytes + last, size);
        const body = answer.replace(/HTTP\/1\.1 100 Continue\r\n\r\n/, "").split("\r\n\r\n");
        expect(answer).toMatch(/^HTTP\/1\.1 (?:100|200) /);
        expect(body.slice(1).join("\r\n\r\n").startsWith(seen)).toBe(true);
        const closes = bytes.includes("HTTP/1.0") || bytes.includes("close");
        expect(answer.endsWith("GET /last ")).toBe(!closes);
      }
    });
  });
}
