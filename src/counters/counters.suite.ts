/** What every adapter does, as stories: a time, a check, what comes of it. */
import { afterAll, expect, test } from "vitest";
import type { Answer, QuotaClaim, Quotas, WindowClaim, Windows } from "./counters.ts";

/** Brings `counters` and its clock to a moment; adapters with a clock of their own are given a way to move it. */
export interface Subject<T> {
  readonly counters: T;
  /** Ms that the adapter takes for now after `at` was called. */
  at(ms: number): Promise<number> | number;
  close?(): Promise<void> | void;
}

/** `taken 3`, `refused 0 57000`, `unknown`; waits in whole seconds upwards as policies give them. */
export function said(answer: Answer): string {
  if (answer.state === "taken") return `taken ${answer.remaining}`;
  if (answer.state === "unknown") return "unknown";
  return `refused ${answer.claim} ${answer.retryAfterMs === null ? "never" : Math.ceil(answer.retryAfterMs / 1000)}`;
}

let keys = 0;
/** Stories must not see each other's counts. */
const story = (key: string): string => `suite-${keys}-${key}`;

type WindowStep = readonly [
  second: number,
  claims: readonly (readonly [key: string, limit: number, cost: number, seconds: number])[],
  expected: string,
];

const WINDOW_STORIES: readonly (readonly [string, readonly WindowStep[]])[] = [
  [
    "calls fit until the window is full, and again as they leave it",
    [
      [0, [["a", 3, 1, 60]], "taken 2"],
      [10, [["a", 3, 1, 60]], "taken 1"],
      [20, [["a", 3, 1, 60]], "taken 0"],
      [21, [["a", 3, 1, 60]], "refused 0 39"],
      [59, [["a", 3, 1, 60]], "refused 0 1"],
      [60, [["a", 3, 1, 60]], "taken 0"],
      [61, [["a", 3, 1, 60]], "refused 0 9"],
    ],
  ],
  [
    "the window slides: no burst at a boundary",
    [
      [59, [["a", 2, 1, 60]], "taken 1"],
      [59, [["a", 2, 1, 60]], "taken 0"],
      [61, [["a", 2, 1, 60]], "refused 0 58"],
      [119, [["a", 2, 1, 60]], "taken 1"],
    ],
  ],
  [
    "what is refused is not counted",
    [
      [0, [["a", 1, 1, 10]], "taken 0"],
      [5, [["a", 1, 1, 10]], "refused 0 5"],
      [10, [["a", 1, 1, 10]], "taken 0"],
    ],
  ],
  [
    "several claims: all or none",
    [
      [
        0,
        [
          ["a", 5, 1, 60],
          ["b", 1, 1, 60],
        ],
        "taken 0",
      ],
      [
        1,
        [
          ["a", 5, 1, 60],
          ["b", 1, 1, 60],
        ],
        "refused 1 59",
      ],
      [2, [["a", 5, 1, 60]], "taken 3"],
    ],
  ],
  [
    "several in the way: the longest wait",
    [
      [
        0,
        [
          ["a", 1, 1, 10],
          ["b", 1, 1, 300],
          ["c", 1, 1, 60],
        ],
        "taken 0",
      ],
      [
        1,
        [
          ["a", 1, 1, 10],
          ["b", 1, 1, 300],
          ["c", 1, 1, 60],
        ],
        "refused 1 299",
      ],
    ],
  ],
  [
    "costs: all of it must fit",
    [
      [0, [["a", 10, 4, 60]], "taken 6"],
      [10, [["a", 10, 4, 60]], "taken 2"],
      [20, [["a", 10, 4, 60]], "refused 0 40"],
      [20, [["a", 10, 9, 60]], "refused 0 50"],
      [20, [["a", 10, 2, 60]], "taken 0"],
      [21, [["a", 10, 11, 60]], "refused 0 59"],
    ],
  ],
  [
    "asking counts nothing and fits while there is room for one",
    [
      [0, [["a", 1, 0, 60]], "taken 1"],
      [0, [["a", 1, 1, 60]], "taken 0"],
      [1, [["a", 1, 0, 60]], "refused 0 59"],
    ],
  ],
  ["a limit of none", [[0, [["a", 0, 1, 60]], "refused 0 60"]]],
  [
    "keys do not see each other",
    [
      [0, [["a", 1, 1, 60]], "taken 0"],
      [0, [["A", 1, 1, 60]], "taken 0"],
    ],
  ],
];

/** @param make a subject; the suite moves its clock forward only */
export function windowsSuite(name: string, make: () => Promise<Subject<Windows>> | Subject<Windows>): void {
  const subjects: Subject<Windows>[] = [];
  const subject = async (): Promise<Subject<Windows>> => {
    const made = await make();
    subjects.push(made);
    keys++;
    return made;
  };
  afterAll(() => Promise.all(subjects.map((made) => made.close?.())));

  test.each(WINDOW_STORIES)(`${name} windows: %s`, async (_title, steps) => {
    const { counters, at } = await subject();
    for (const [second, claims, expected] of steps) {
      const now = await at(second * 1000);
      const answer = await counters.take(
        claims.map(([key, limit, cost, seconds]) => windowClaim(key, limit, cost, seconds)),
        now,
      );
      expect(`${second} s: ${said(answer)}`).toBe(`${second} s: ${expected}`);
    }
  });

  test(`${name} windows: what is added is counted whatever the limit says`, async () => {
    const { counters, at } = await subject();
    counters.add(windowClaim("a", 2, 5, 60), await at(0));
    expect(said(await counters.take([windowClaim("a", 2, 1, 60)], await at(1000)))).toBe("refused 0 59");
    expect(said(await counters.take([windowClaim("a", 7, 1, 60)], await at(1000)))).toBe("taken 1");
  });

  test(`${name} windows: 1,000 at once against 100`, async () => {
    const { counters, at } = await subject();
    const now = await at(0);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => counters.take([windowClaim("a", 100, 1, 60)], now)),
    );
    expect(answers.filter(({ state }) => state === "taken")).toHaveLength(100);
    expect(answers.filter(({ state }) => state === "refused")).toHaveLength(900);
  });

  test(`${name} windows: a busy key is never let through too often`, async () => {
    const { counters, at } = await subject();
    const taken: number[] = [];
    // 1,500 calls in 3 windows of 3 s, in bursts and gaps; more entries than are kept one by one.
    for (let i = 0; i < 1500; i++) {
      const ms = Math.floor(i / 3) * 18 + (i % 7 === 0 ? 5 : 0);
      const now = await at(Math.max(ms, taken.at(-1) ?? 0));
      const answer = await counters.take([windowClaim("a", 200, 1, 3)], now);
      if (answer.state === "taken") taken.push(now);
    }
    for (let i = 200; i < taken.length; i++) expect(taken[i]! - taken[i - 200]!).toBeGreaterThanOrEqual(3000);
    // Nor is it starved: slices are 1/128 of the window.
    expect(taken.length).toBeGreaterThanOrEqual(580);
  });
}

function windowClaim(key: string, limit: number, cost: number, seconds: number): WindowClaim {
  return { key: story(key), limit, cost, windowMs: seconds * 1000 };
}

// ── Quotas ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Wednesday, so that days and weeks have offsets. */
export const EPOCH = Date.UTC(2025, 0, 1, 10, 0, 0);

type QuotaStep = readonly [
  second: number,
  claims: readonly (readonly [key: string, limit: number, cost: number, period: number])[],
  expected: string,
];

const QUOTA_STORIES: readonly (readonly [string, readonly QuotaStep[]])[] = [
  [
    "periods are aligned to the anchor, not to the first call",
    [
      [250, [["a", 2, 1, 300]], "taken 1"],
      [260, [["a", 2, 1, 300]], "taken 0"],
      [270, [["a", 2, 1, 300]], "refused 0 30"],
      [300, [["a", 2, 1, 300]], "taken 1"],
      [301, [["a", 2, 1, 300]], "taken 0"],
      [302, [["a", 2, 1, 300]], "refused 0 298"],
      [1200, [["a", 2, 1, 300]], "taken 1"],
    ],
  ],
  [
    "a period of 0 never ends",
    [
      [0, [["a", 1, 1, 0]], "taken 0"],
      [1_000_000_000, [["a", 1, 1, 0]], "refused 0 never"],
    ],
  ],
  [
    "several claims: all or none",
    [
      [
        0,
        [
          ["calls", 5, 1, 300],
          ["bytes", 10, 0, 300],
        ],
        "taken 4",
      ],
      [0, [["bytes", 10, 10, 300]], "taken 0"],
      [
        1,
        [
          ["calls", 5, 1, 300],
          ["bytes", 10, 0, 300],
        ],
        "refused 1 299",
      ],
      [1, [["calls", 5, 1, 300]], "taken 3"],
    ],
  ],
  [
    "several in the way: the longest wait, and never is the longest",
    [
      [
        0,
        [
          ["a", 1, 1, 300],
          ["b", 1, 1, 3600],
          ["c", 1, 1, 600],
        ],
        "taken 0",
      ],
      [
        1,
        [
          ["a", 1, 1, 300],
          ["b", 1, 1, 3600],
          ["c", 1, 1, 600],
        ],
        "refused 1 3599",
      ],
      [
        1,
        [
          ["d", 0, 1, 0],
          ["b", 1, 1, 3600],
        ],
        "refused 0 never",
      ],
    ],
  ],
];

export function quotasSuite(name: string, make: () => Promise<Subject<Quotas>> | Subject<Quotas>): void {
  const subjects: Subject<Quotas>[] = [];
  const subject = async (): Promise<Subject<Quotas>> => {
    const made = await make();
    subjects.push(made);
    keys++;
    return made;
  };
  afterAll(() => Promise.all(subjects.map((made) => made.close?.())));

  test.each(QUOTA_STORIES)(`${name} quotas: %s`, async (_title, steps) => {
    const { counters, at } = await subject();
    for (const [second, claims, expected] of steps) {
      const now = await at(EPOCH + second * 1000);
      const answer = await counters.take(
        claims.map(([key, limit, cost, period]) => quotaClaim(key, limit, cost, period)),
        now,
      );
      expect(`${second} s: ${said(answer)}`).toBe(`${second} s: ${expected}`);
    }
  });

  test(`${name} quotas: what is added is counted whatever the limit says`, async () => {
    const { counters, at } = await subject();
    counters.add(quotaClaim("a", 2, 5, 300), await at(EPOCH));
    const now = await at(EPOCH + 1000);
    expect(said(await counters.take([quotaClaim("a", 2, 0, 300)], now))).toBe("refused 0 299");
    expect(said(await counters.take([quotaClaim("a", 7, 1, 300)], now))).toBe("taken 1");
  });

  test(`${name} quotas: 1,000 at once against 100`, async () => {
    const { counters, at } = await subject();
    const now = await at(EPOCH);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => counters.take([quotaClaim("a", 100, 1, 0)], now)),
    );
    expect(answers.filter(({ state }) => state === "taken")).toHaveLength(100);
  });

  test(`${name} quotas: a clock that steps back`, async () => {
    const { counters, at } = await subject();
    const claim = quotaClaim("a", 2, 1, 300);
    expect(said(await counters.take([claim], await at(EPOCH + 300_000)))).toBe("taken 1");
    // By a second, over the boundary: the newer period goes on.
    expect(said(await counters.take([claim], await at(EPOCH + 299_000)))).toBe("taken 0");
    expect((await counters.take([claim], await at(EPOCH + 300_000))).state).toBe("refused");
    // By a day: nobody is locked out.
    expect(said(await counters.take([claim], await at(EPOCH - 86_400_000)))).toBe("taken 1");
  });
}

function quotaClaim(key: string, limit: number, cost: number, seconds: number): QuotaClaim {
  return { key: story(key), limit, cost, anchorMs: EPOCH, periodMs: seconds * 1000 };
}
