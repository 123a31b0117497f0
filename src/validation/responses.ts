import type { OperationContract, ResponseRule } from "../gateway/snapshot.ts";

/** The description of a status: its own, that of its range (`4XX`), or the default; null when there is none. */
export function responseRuleFor({ responses }: OperationContract, status: number): ResponseRule | null {
  const exact = String(status);
  const range = `${exact[0]}XX`;
  const named = (name: string): ResponseRule | undefined =>
    responses.find((response) => response.status === name);
  return named(exact) ?? named(range) ?? named("default") ?? null;
}
