/**
 * Which member of a pool takes the next request: the best priority group, and inside it smooth weighted round robin
 * (`ai-backends-auth.md` §10.2): each turn every member gains its weight, the highest goes and pays the sum.
 * Distribution is exact however many requests run at once, because a pick is synchronous.
 */
import type { BackendEntity, PoolMember } from "../gateway/snapshot.ts";

interface Group {
  readonly members: readonly PoolMember[];
  readonly credit: number[];
  readonly total: number;
}

const groups = new WeakMap<BackendEntity, Group>();

/** @returns the picked Single backend, or null when the pool is empty */
export function pickMember(pool: BackendEntity): BackendEntity | null {
  let group = groups.get(pool);
  if (group === undefined) groups.set(pool, (group = bestGroup(pool)));
  const { members, credit, total } = group;
  let best = -1;
  for (let i = 0; i < members.length; i++) {
    credit[i]! += members[i]!.weight;
    if (best < 0 || credit[i]! > credit[best]!) best = i;
  }
  if (best < 0) return null;
  credit[best]! -= total;
  return members[best]!.backend;
}

/** Members of the lowest priority number; a weight of 0 is chosen only when there is nothing else. */
function bestGroup(pool: BackendEntity): Group {
  const priority = Math.min(...pool.pool.map((member) => member.priority));
  const same = pool.pool.filter((member) => member.priority === priority);
  const weighted = same.filter((member) => member.weight > 0);
  const members = weighted.length > 0 ? weighted : same.map((member) => ({ ...member, weight: 1 }));
  return { members, credit: members.map(() => 0), total: members.reduce((sum, member) => sum + member.weight, 0) };
}
