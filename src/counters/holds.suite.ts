/** What every adapter of holds does, as stories: a time, what a call asks or has cost, what comes of it. */
import { afterAll, expect, test } from "vitest";
import type { CalendarUnit } from "./calendar-period.ts";
import type { Hold, HoldClaim, Holds, Moment, Reserved } from "./holds.ts";

export interface HoldSubject {
  readonly holds: Holds;
  /** For adapters whose holds end by themselves: called at least every 30 s of the story. */
  renew?(now: Moment): void;
  close?(): Promise<void> | void;
}

/** A Wednesday. */
export const WEDNESDAY = Date.UTC(2025, 0, 1, 10, 0, 0);

export function at(second: number): Moment {
  return { monotonicMs: 50_000_000 + second * 1000, epochMs: WEDNESDAY + second * 1000 };
}

/** `taken 0,3 held 5,0`, `refused 0 57`, `refused 0 never`, `unknown`; waits in whole seconds upwards. */
export function saidOf(answer: Reserved): string {
  if (answer.state === "unknown") return "unknown";
  if (answer.state === "taken") return `taken ${answer.before.join()} held ${answer.hold.amounts.join()}`;
  return `refused ${answer.claim} ${answer.retryAfterMs === null ? "never" : Math.ceil(answer.retryAfterMs / 1000)}`;
}

type Short = readonly [
  kind: "w" | "b" | CalendarUnit,
  key: string,
  limit: number,
  need: number,
  cost: number,
  own?: number,
];

let stories = 0;
export const newStory = (): void => void stories++;

/** `w` a window, `b` a bucket that fills in a minute, else a period. */
export function claimOf([kind, name, limit, need, cost, own = -1]: Short): HoldClaim {
  const base = { key: `story ${stories} ${name}`, limit, need, cost, own: own < 0 ? null : own };
  if (kind === "w") return { ...base, kind: "window", windowMs: 60_000 };
  if (kind === "b") return { ...base, kind: "bucket", fillMs: 60_000 };
  return { ...base, kind: "period", unit: kind, weekStart: 1 };
}

type Step =
  | readonly [second: number, call: string, claims: readonly Short[], expected: string]
  | readonly [second: number, call: string, cost: number];

const STORIES: readonly (readonly [string, readonly Step[]])[] = [
  [
    "one after the other: let in while less than the limit is used, refused until enough has left the window",
    [
      [2, "a", [["w", "k", 100, 0, 1024]], "taken 0 held 100"],
      [2, "a", 59],
      [18, "b", [["w", "k", 100, 0, 1024]], "taken 59 held 41"],
      [18, "b", 55],
      [33, "c", [["w", "k", 100, 0, 1024]], "refused 0 29"],
      [48, "c", [["w", "k", 100, 0, 1024]], "refused 0 14"],
      [63, "c", [["w", "k", 100, 0, 1024]], "taken 55 held 45"],
    ],
  ],
  [
    "one after the other with an estimate: it must fit",
    [
      [0, "a", [["w", "k", 100, 30, 1054]], "taken 0 held 100"],
      [1, "a", 75],
      [2, "b", [["w", "k", 100, 25, 1049]], "taken 75 held 25"],
      [3, "b", 0],
      [4, "c", [["w", "k", 100, 26, 1050]], "refused 0 57"],
      [4, "d", [["w", "k", 100, 101, 1125]], "refused 0 never"],
    ],
  ],
  [
    "at the same time: what is expected must fit, and what is held counts whatever its age",
    [
      [0, "a", [["w", "k", 100, 0, 40]], "taken 0 held 40"],
      [0, "b", [["w", "k", 100, 0, 40]], "taken 40 held 40"],
      [0, "c", [["w", "k", 100, 0, 40]], "refused 0 1"],
      [0, "c", [["w", "k", 100, 0, 20]], "taken 80 held 20"],
      [300, "d", [["w", "k", 100, 0, 1]], "refused 0 1"],
      [300, "a", 10],
      [300, "d", [["w", "k", 100, 0, 30]], "taken 70 held 30"],
      [300, "b", 0],
      [300, "c", 0],
      [300, "d", 0],
      [359, "e", [["w", "k", 100, 100, 100]], "refused 0 1"],
      [360, "e", [["w", "k", 100, 100, 100]], "taken 0 held 100"],
    ],
  ],
  [
    "a key that was crowded wants calls whole for a minute, unless they are larger than the limit",
    [
      [0, "a", [["w", "k", 100, 0, 50]], "taken 0 held 50"],
      [0, "b", [["w", "k", 100, 0, 60]], "refused 0 1"],
      [1, "a", 50],
      [59, "b", [["w", "k", 100, 0, 60]], "refused 0 2"],
      [59, "c", [["w", "k", 100, 0, 101]], "taken 50 held 50"],
      [59, "c", 20],
      [60, "b", [["w", "k", 100, 0, 60]], "taken 70 held 30"],
    ],
  ],
  [
    "a strict claim: need and cost are the same",
    [
      [0, "a", [["w", "k", 100, 60, 60]], "taken 0 held 60"],
      [0, "a", 60],
      [1, "b", [["w", "k", 100, 60, 60]], "refused 0 59"],
      [1, "b", [["w", "k", 100, 40, 40]], "taken 60 held 40"],
      [2, "b", 4],
      [3, "c", [["w", "k", 100, 36, 36]], "taken 64 held 36"],
    ],
  ],
  [
    "nothing is held of a claim without a cost",
    [
      [0, "a", [["w", "k", 10, 0, 0]], "taken 0 held 0"],
      [0, "b", [["w", "k", 10, 0, 0]], "taken 0 held 0"],
      [0, "c", [["w", "k", 10, 4, 0]], "taken 0 held 0"],
      [1, "a", 20],
      [1, "d", [["w", "k", 10, 0, 0]], "refused 0 60"],
    ],
  ],
  [
    "several claims: all or none, and the first in the way is told",
    [
      [
        0,
        "a",
        [
          ["hour", "q", 50, 50, 50],
          ["w", "k", 100, 50, 50],
        ],
        "taken 0,0 held 50,50",
      ],
      [
        0,
        "b",
        [
          ["day", "r", 50, 10, 10],
          ["w", "k", 100, 60, 60],
        ],
        "refused 1 1",
      ],
      [0, "c", [["day", "r", 50, 50, 50]], "taken 0 held 50"],
      [
        0,
        "d",
        [
          ["hour", "q", 50, 10, 10],
          ["w", "k", 100, 60, 60],
        ],
        "refused 0 1",
      ],
      [1, "a", 50],
      [
        1,
        "d",
        [
          ["hour", "q", 50, 0, 10],
          ["w", "k", 100, 60, 60],
        ],
        "refused 0 3599",
      ],
    ],
  ],
  [
    "a second claim of the same call on its key: checked, not counted again, not in its own way",
    [
      [0, "a", [["w", "k", 100, 60, 60]], "taken 0 held 60"],
      [0, "a again", [["w", "k", 70, 60, 60, 60]], "taken 0 held 0"],
      [0, "a once more", [["w", "k", 50, 60, 60, 60]], "refused 0 never"],
      [1, "a", 60],
      [1, "a again", 60],
      [2, "b", [["w", "k", 100, 40, 40]], "taken 60 held 40"],
    ],
  ],
  [
    "a limit of nothing",
    [
      [0, "a", [["w", "k", 0, 0, 10]], "refused 0 60"],
      [0, "a", [["b", "b", 0, 0, 10]], "refused 0 60"],
      [0, "a", [["hour", "q", 0, 5, 10]], "refused 0 never"],
    ],
  ],
  [
    "more than was held: the truth counts",
    [
      [0, "a", [["w", "k", 100, 10, 10]], "taken 0 held 10"],
      [0, "a", 150],
      [1, "b", [["w", "k", 100, 0, 10]], "refused 0 59"],
      [60, "b", [["w", "k", 100, 0, 10]], "taken 0 held 10"],
    ],
  ],
  [
    "an overdrawn bucket fills at its pace",
    [
      [0, "a", [["b", "k", 10, 0, 1024]], "taken 0 held 10"],
      [0, "a", 40],
      [0, "b", [["b", "k", 10, 0, 1024]], "refused 0 180"],
      [120, "b", [["b", "k", 10, 0, 1024]], "refused 0 60"],
      [186, "b", [["b", "k", 10, 0, 1024]], "taken 9 held 1"],
      [186, "b", 0],
      [600, "c", [["b", "k", 10, 10, 10]], "taken 0 held 10"],
      [600, "d", [["b", "k", 10, 11, 11]], "refused 0 never"],
    ],
  ],
  [
    "a bucket is spent in one go and refills evenly",
    [
      [0, "a", [["b", "k", 60, 60, 60]], "taken 0 held 60"],
      [0, "a", 60],
      [10, "b", [["b", "k", 60, 20, 20]], "refused 0 10"],
      [20, "b", [["b", "k", 60, 20, 20]], "taken 40 held 20"],
      [30, "b", 20],
      [30, "c", [["b", "k", 60, 10, 10]], "taken 50 held 10"],
    ],
  ],
  [
    "periods follow the calendar; what is settled later counts in the period in which the call was let in",
    [
      [0, "a", [["hour", "q", 100, 60, 60]], "taken 0 held 60"],
      [3599, "b", [["hour", "q", 100, 60, 60]], "refused 0 1"],
      [3600, "b", [["hour", "q", 100, 60, 60]], "taken 0 held 60"],
      [3601, "a", 60],
      [3602, "c", [["hour", "q", 100, 40, 40]], "taken 60 held 40"],
      [3603, "b", 60],
      [3603, "c", 30],
      [3700, "d", [["hour", "q", 100, 10, 10]], "taken 90 held 10"],
    ],
  ],
  [
    "days, weeks from Monday, months and years",
    [
      [
        0,
        "a",
        [
          ["day", "d", 5, 5, 5],
          ["week", "w", 5, 5, 5],
          ["month", "m", 5, 5, 5],
          ["year", "y", 5, 5, 5],
        ],
        "taken 0,0,0,0 held 5,5,5,5",
      ],
      [0, "a", 5],
      [0, "b", [["day", "d", 5, 0, 5]], `refused 0 ${14 * 3600}`],
      // Thursday to Sunday are four days more.
      [0, "b", [["week", "w", 5, 0, 5]], `refused 0 ${(4 * 24 + 14) * 3600}`],
      [0, "b", [["month", "m", 5, 0, 5]], `refused 0 ${(30 * 24 + 14) * 3600}`],
      [0, "b", [["year", "y", 5, 0, 5]], `refused 0 ${(364 * 24 + 14) * 3600}`],
      [14 * 3600, "b", [["day", "d", 5, 5, 5]], "taken 0 held 5"],
    ],
  ],
  [
    "a clock that steps back over a boundary by a second stays in the newer period, by a day begins anew",
    [
      [3600, "a", [["hour", "q", 10, 4, 4]], "taken 0 held 4"],
      [3600, "a", 4],
      [3599, "b", [["hour", "q", 10, 4, 4]], "taken 4 held 4"],
      [3599, "b", 4],
      [3600, "c", [["hour", "q", 10, 4, 4]], "refused 0 3600"],
      [-86_400, "d", [["hour", "q", 10, 10, 10]], "taken 0 held 10"],
      [-86_400, "d", 10],
      [-86_399, "e", [["hour", "q", 10, 10, 10]], "refused 0 3599"],
    ],
  ],
];

/** @param make an adapter that goes by the moment of each call */
export function holdsSuite(name: string, make: () => Promise<HoldSubject> | HoldSubject): void {
  const subjects: HoldSubject[] = [];
  const subject = async (): Promise<Pick<Holds, "reserve" | "count"> & { goTo(second: number): Moment }> => {
    const made = await make();
    subjects.push(made);
    newStory();
    let renewed = 0;
    return {
      reserve: (claims, now) => made.holds.reserve(claims, now),
      count: (claims, cost, now) => made.holds.count(claims, cost, now),
      goTo: (second) => {
        renewed = Math.min(renewed, second);
        for (; renewed + 30 <= second; renewed += 30) made.renew?.(at(renewed + 30));
        return at(second);
      },
    };
  };
  afterAll(() => Promise.all(subjects.map((made) => made.close?.())));

  test.each(STORIES)(`${name} holds: %s`, async (_title, steps) => {
    const holds = await subject();
    const calls = new Map<string, Hold>();
    for (const step of steps) {
      const [second, call] = step;
      const now = holds.goTo(second);
      if (step.length === 3) {
        calls.get(call)!.settle(step[2], now);
        continue;
      }
      const answer = await holds.reserve(step[2].map(claimOf), now);
      expect(`${second} s: ${saidOf(answer)}`).toBe(`${second} s: ${step[3]}`);
      if (answer.state === "taken") calls.set(call, answer.hold);
    }
  });

  test(`${name} holds: settled twice counts once`, async () => {
    const holds = await subject();
    const first = await holds.reserve([claimOf(["w", "k", 100, 0, 10])], at(0));
    if (first.state !== "taken") throw new Error(saidOf(first));
    first.hold.settle(10, at(0));
    first.hold.settle(10, at(0));
    expect(saidOf(await holds.reserve([claimOf(["w", "k", 100, 90, 90])], at(1)))).toBe("taken 10 held 90");
  });

  test(`${name} holds: what nobody held is counted whatever the limits say`, async () => {
    const holds = await subject();
    const claims = [
      claimOf(["hour", "q", 100, 0, 0]),
      claimOf(["w", "k", 100, 0, 0]),
      claimOf(["b", "b", 100, 0, 0]),
    ];
    holds.count(claims, 120, at(0));
    for (const claim of claims) expect((await holds.reserve([claim], at(1))).state).toBe("refused");
  });

  test(`${name} holds: 50 at once with known costs never exceed, 50 times`, async () => {
    const holds = await subject();
    for (let round = 0; round < 50; round++) {
      const limit = 500;
      const claims = (i: number): HoldClaim[] => [
        claimOf(["day", `q ${round}`, 400, 10 + (i % 17), 10 + (i % 17)]),
        claimOf(["w", `k ${round}`, limit, 10 + (i % 17), 10 + (i % 17)]),
      ];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => holds.reserve(claims(i), at(round))),
      );
      let held = 0;
      for (const answer of answers) if (answer.state === "taken") held += answer.hold.amounts[1]!;
      expect(held).toBeLessThanOrEqual(400);
      // Nothing that would have fitted was refused.
      expect(held).toBeGreaterThan(400 - 27);
    }
  });

  test(`${name} holds: never more than a reference that keeps everything`, async () => {
    const holds = await subject();
    for (const kind of ["w", "b", "hour"] as const) {
      const random = randomFrom(7);
      const reference = new Reference(kind, 1000);
      const underWay: { hold: Hold; cost: number; amount: number; second: number }[] = [];
      let second = 0;
      for (let step = 0; step < 400; step++) {
        second += Math.floor(random() * 4);
        const now = holds.goTo(second);
        if (underWay.length > 0 && random() < 0.45) {
          const [ended] = underWay.splice(Math.floor(random() * underWay.length), 1);
          ended!.hold.settle(ended!.cost, now);
          reference.settle(ended!.amount, ended!.cost, second, ended!.second);
          continue;
        }
        const need = random() < 0.5 ? Math.floor(random() * 300) : 0;
        const cost = need + (random() < 0.4 ? 0 : Math.floor(random() * 500));
        const expected = reference.reserve(need, cost, second);
        const answer = await holds.reserve([claimOf([kind, `property ${kind}`, 1000, need, cost])], now);
        expect(`${kind} ${step}: ${answer.state === "taken" ? answer.hold.amounts[0] : answer.state}`).toBe(
          `${kind} ${step}: ${expected ?? "refused"}`,
        );
        if (answer.state !== "taken") continue;
        underWay.push({ hold: answer.hold, cost: Math.floor(cost * random()), amount: expected!, second });
        reference.expectWithin();
      }
    }
  });
}

/** Everything that was ever settled, in a list; slow and plain. */
class Reference {
  readonly #kind: "w" | "b" | "hour";
  readonly #limit: number;
  readonly #log: { second: number; cost: number }[] = [];
  #held: number[] = [];
  #crowdedUntil = -1;
  #taken = 0;
  #takenAt = 0;
  #lone = 0;

  constructor(kind: "w" | "b" | "hour", limit: number) {
    this.#kind = kind;
    this.#limit = limit;
  }

  #used(second: number): number {
    if (this.#kind === "b") {
      this.#taken = Math.max(0, this.#taken - ((second - this.#takenAt) * this.#limit) / 60);
      this.#takenAt = second;
      return this.#taken;
    }
    const from = this.#kind === "w" ? second - 60 : Math.floor(second / 3600) * 3600 - 1;
    return this.#log.filter((entry) => entry.second > from).reduce((sum, { cost }) => sum + cost, 0);
  }

  reserve(need: number, cost: number, second: number): number | null {
    const used = this.#used(second);
    const held = this.#held.reduce((sum, amount) => sum + amount, 0);
    const others = this.#held.length > 0;
    const whole = Math.max(need, cost);
    const strict = others || (second < this.#crowdedUntil && whole <= this.#limit);
    if (others && cost > 0) this.#crowdedUntil = second + 60;
    const needed = strict ? whole : need;
    const room = this.#limit - used - held;
    if (needed > 0 ? needed > room : room <= 0) return null;
    const amount = cost === 0 ? 0 : Math.max(need, Math.min(cost, Math.floor(room)));
    if (amount > 0) this.#held.push(amount);
    this.#lone = used + held + amount;
    return amount;
  }

  settle(amount: number, cost: number, second: number, admitted: number): void {
    const at = this.#held.indexOf(amount);
    if (at >= 0) this.#held.splice(at, 1);
    this.#used(second);
    this.#taken += cost;
    // A period counts what was let in during it.
    this.#log.push({ second: this.#kind === "w" ? second : admitted, cost });
  }

  expectWithin(): void {
    expect(this.#lone).toBeLessThanOrEqual(this.#limit);
  }
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
