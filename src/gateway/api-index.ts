/** The router's indexes, built with the snapshot: APIs by path, operations by method and first segment. */
import type { Api, ApiGroup, ApiIndex, Operation, OperationIndex } from "./snapshot.ts";
import { decodeOnce } from "./url.ts";

export function indexApis(apis: readonly Api[]): ApiIndex {
  const groups = new Map<string, Api[]>();
  let deepest = 0;
  for (const api of apis) {
    const segments = pathSegments(api.path);
    deepest = Math.max(deepest, segments.length);
    const key = segments.join(BETWEEN);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [api]);
    else group.push(api);
  }
  const byPath = new Map<string, ApiGroup>();
  for (const [key, members] of groups)
    byPath.set(key, { segments: key === "" ? [] : key.split(BETWEEN), apis: members });
  return {
    all: apis,
    candidates(segments) {
      const found: ApiGroup[] = [];
      const root = byPath.get("");
      if (root !== undefined) found.push(root);
      let key = "";
      for (let i = 0; i < segments.length && i < deepest; i++) {
        key = i === 0 ? segments[0]! : `${key}${BETWEEN}${segments[i]!}`;
        const group = byPath.get(key);
        if (group !== undefined && group.segments.length === i + 1) found.push(group);
      }
      return found.reverse();
    },
  };
}

/** Between segments of a key: a decoded `%2F` is data, so `/` will not do; control characters never get this far. */
const BETWEEN = "\0";

/** A stored API path as comparable segments. */
export function pathSegments(path: string): string[] {
  const trimmed = path.replace(/^\/+/, "").replace(/\/+$/, "");
  return trimmed === ""
    ? []
    : trimmed.split("/").map((segment) => (decodeOnce(segment) ?? segment).toLowerCase());
}

/** Operations by method, then by literal first segment; every list is in order of precedence. */
export function indexOperations(operations: readonly Operation[]): OperationIndex {
  const sorted = operations
    .map((operation, order) => ({ operation, order }))
    .sort((a, b) => compare(a.operation.matcher.rank, b.operation.matcher.rank) || a.order - b.order)
    .map(({ operation }) => operation);
  const methods = new Map<string, { any: Operation[]; byFirst: Map<string, Operation[]> }>();
  for (const operation of sorted) {
    let bucket = methods.get(operation.method);
    if (bucket === undefined) methods.set(operation.method, (bucket = { any: [], byFirst: new Map() }));
    const first = operation.matcher.firstLiteral;
    if (first !== null) {
      let list = bucket.byFirst.get(first);
      if (list === undefined) bucket.byFirst.set(first, (list = [...bucket.any]));
      list.push(operation);
    } else {
      bucket.any.push(operation);
      for (const list of bucket.byFirst.values()) list.push(operation);
    }
  }
  return {
    candidates(method, firstSegment) {
      const bucket = methods.get(method);
      if (bucket === undefined) return NONE;
      return bucket.byFirst.get(firstSegment) ?? bucket.any;
    },
  };
}

const NONE: readonly Operation[] = [];

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
