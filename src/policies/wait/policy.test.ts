import { expect, test } from "vitest";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  servicesOf,
  siteOf,
  snapshotOf,
  stepOf,
} from "../../gateway/testing.ts";
import { wait } from "./policy.ts";

/** A child that ends when it is told so, and ends by itself when it is stopped. */
class Child {
  started = false;
  stopped: string | null = null;
  settled = false;
  resolve!: (outcome?: unknown) => void;
  reject!: (error: unknown) => void;

  readonly step = stepOf((exchange) => {
    this.started = true;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      exchange.abort.onAbort((reason) => {
        if (this.settled) return;
        this.stopped = reason;
        reject(new ClientGone());
      });
    }).finally(() => (this.settled = true));
  });
}

const failure = new GatewayError({ source: "send-request", reason: "Timeout", message: "slow", status: 500 });
const other = new GatewayError({
  source: "send-request",
  reason: "BackendConnectionFailure",
  message: "no",
  status: 500,
});
const early = responseOf(418);

/** What happens to children, in order: `0 ok`, `1 fails`, `2 fails otherwise`, `0 answers`; then what came of it. */
test.each<[mode: string, events: readonly string[], outcome: unknown, stopped: readonly number[]]>([
  ["all", ["0 ok", "2 ok", "1 ok"], undefined, []],
  ["all", ["2 ok", "1 fails"], failure, [0]],
  ["all", ["1 answers"], early, [0, 2]],
  ["any", ["1 ok"], undefined, [0, 2]],
  ["any", ["1 fails", "0 ok"], undefined, [2]],
  ["any", ["2 fails", "0 fails otherwise", "1 ok"], undefined, []],
  ["any", ["2 fails", "0 fails otherwise", "1 fails otherwise"], failure, []],
  ["any", ["0 answers"], early, [1, 2]],
])("%s: %j", async (mode, events, expected, stopped) => {
  const children = [new Child(), new Child(), new Child()];
  const step = policyStep(wait, { attributes: { for: mode }, steps: children.map((child) => child.step) });
  const pending = Promise.resolve(step.run(exchangeOf(), null)).catch((error: unknown) => error);
  // All of them run before any has ended.
  expect(children.map((child) => child.started)).toEqual([true, true, true]);
  for (const event of events) {
    const [index, what] = [Number(event[0]), event.slice(2)];
    if (what === "ok") children[index]!.resolve();
    else if (what === "answers") children[index]!.resolve(early);
    else children[index]!.reject(what === "fails" ? failure : other);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await pending).toBe(expected);
  expect(children.flatMap((child, i) => (child.stopped === "other" ? [i] : []))).toEqual(stopped);
});

test.each<[mode: string, children: readonly ("ok" | "fails" | "answers" | "waits")[], outcome: unknown]>([
  ["all", [], undefined],
  ["any", [], undefined],
  ["all", ["ok", "ok"], undefined],
  ["all", ["ok", "fails", "ok"], failure],
  ["all", ["waits", "fails"], failure],
  ["all", ["waits", "answers"], early],
  ["any", ["waits", "ok"], undefined],
  ["any", ["fails", "ok"], undefined],
  ["any", ["fails", "fails"], failure],
])("at once, %s: %j", (mode, kinds, expected) => {
  const held = new Child();
  const steps = kinds.map((kind) =>
    kind === "waits"
      ? held.step
      : stepOf(() => {
          if (kind === "fails") throw failure;
          return kind === "answers" ? early : undefined;
        }),
  );
  let outcome: unknown;
  try {
    outcome = policyStep(wait, { attributes: { for: () => mode }, steps }).run(exchangeOf(), null);
  } catch (error) {
    outcome = error;
  }
  expect(outcome).toBe(expected);
  expect(held.stopped).toBe(held.started ? "other" : null);
});

test.each(["all", "any"])("%s: the caller's hang-up stops every one", async (mode) => {
  const children = [new Child(), new Child()];
  const exchange = exchangeOf();
  const pending = policyStep(wait, {
    attributes: { for: mode },
    steps: children.map((child) => child.step),
  }).run(exchange, null);
  exchange.abort.abort("client");
  await expect(pending).rejects.toBeInstanceOf(ClientGone);
  expect(children.map((child) => child.stopped)).toEqual(["client", "client"]);
});

test("a hang-up afterwards finds nothing to stop", async () => {
  const exchange = exchangeOf();
  const child = new Child();
  const pending = policyStep(wait, { steps: [child.step] }).run(exchange, null);
  child.resolve();
  await pending;
  exchange.abort.abort("client");
  expect(child.stopped).toBeNull();
});

test("what children write is the exchange's, and the last writer wins", async () => {
  const exchange = exchangeOf();
  const writing = (value: number): ReturnType<typeof stepOf> =>
    stepOf(async (branch: Exchange) => {
      await Promise.resolve();
      branch.variables.set("v", value);
      branch.response = responseOf(200 + value);
      expect(branch.elapsedMs()).toBe(0);
      expect(branch.context).toBe(exchange);
    });
  await policyStep(wait, { steps: [writing(1), writing(2)] }).run(exchange, null);
  expect([exchange.variables.get("v"), exchange.response?.statusCode]).toEqual([2, 202]);
});

test("a child that forwards is stopped like any other", async () => {
  const seen: Exchange[] = [];
  const exchange = exchangeOf(
    {},
    snapshotOf(),
    servicesOf({ forward: (one) => Promise.resolve(responseOf(seen.push(one))) }),
  );
  const options = {
    timeoutMs: 1,
    continueTimeoutMs: null,
    httpVersion: "1",
    followRedirects: false,
    bufferRequestBody: false,
    bufferResponse: true,
  } as const;
  const forwarding = stepOf(async (branch: Exchange) => void (await branch.forward(options)));
  await policyStep(wait, { steps: [forwarding] }).run(exchange, null);
  expect(seen[0]!.abort).not.toBe(exchange.abort);
  expect(seen[0]!.abort.reason).toBe("other");
});

test("a stopped child runs no further statement", async () => {
  const ran: string[] = [];
  const slow = new Child();
  // Deaf to the abort: it ends in its own time.
  let finish = (): void => {};
  const line = [
    stepOf(() => new Promise<void>((resolve) => (finish = resolve))),
    stepOf(() => void ran.push("after")),
  ];
  const deaf = stepOf((branch) => runSteps(line, branch, null));
  const pending = policyStep(wait, { attributes: { for: "any" }, steps: [deaf, slow.step] }).run(
    exchangeOf(),
    null,
  );
  slow.resolve();
  await pending;
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toEqual([]);
});

test("two that need the same body share it", async () => {
  const exchange = exchangeOf({ method: "POST", body: "hello" });
  const reading = { ...stepOf(({ request }) => void Buffer.from(request.body!.bytes())), needs: 1 };
  await policyStep(wait, { steps: [reading, reading] }).run(exchange, null);
  expect(Buffer.from(exchange.request.body!.bytes()).toString()).toBe("hello");
});

test.each<[Written, readonly string[]]>([
  [{ steps: [step("send-request"), step("choose"), step("cache-lookup-value")] }, []],
  [
    { steps: [step("set-variable")] },
    ["<set-variable> cannot stand in <wait>: only send-request, cache-lookup-value, choose can"],
  ],
])("mistakes %#", (written, expected) => {
  expect(mistakesOf(wait, written)).toEqual(expected);
});

function step(element: string): NonNullable<Written["steps"]>[number] {
  return { ...stepOf(() => undefined), site: siteOf(element) };
}

test("an impossible mode fails", () => {
  expect(() => policyStep(wait, { attributes: { for: () => "some" } }).run(exchangeOf(), null)).toThrow(
    "all or any",
  );
});
