import { expect, it } from "vitest";
import { newAnswer, wrote } from "./answer.ts";

it("keeps text by choice, in order, up to its room; counts all of it", () => {
  const answer = newAnswer(1000);
  for (let i = 0; i < 300; i++) wrote(answer, i % 2, `${i % 10}`);
  expect(answer.text.read(0)).toBe("02468".repeat(30));
  expect(answer.text.read(1)).toBe("13579".repeat(30));
  expect(answer.text.read(null)).toBe("02468".repeat(30) + "13579".repeat(30));
  expect(answer.text.read(7)).toBe("");
  expect(answer.text.truncated).toBe(false);
  wrote(answer, 0, "x".repeat(800));
  wrote(answer, 0, "y");
  expect(answer.text.read(0)).toBe("02468".repeat(30) + "x".repeat(700));
  expect(answer.text.truncated).toBe(true);
  expect(answer.textLength).toBe(1101);
});

it.each([undefined, null, "", 5, {}, ["x"]])("%j is no text", (piece) => {
  const answer = newAnswer(10);
  wrote(answer, 0, piece);
  expect(answer).toMatchObject({ textLength: 0 });
});

it("without room, only the length is known", () => {
  const answer = newAnswer(0);
  wrote(answer, 0, "abc");
  expect([answer.textLength, answer.text.read(null), answer.text.truncated]).toEqual([3, "", true]);
});
