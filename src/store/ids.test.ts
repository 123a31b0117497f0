import { describe, expect, test } from "vitest";
import * as ids from "./ids.ts";

const ARM = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/svc";

describe("resolveReference", () => {
  test.each([
    ["/backends/b", "backends", "/backends/b"],
    ["b", "backends", "/backends/b"],
    ["backends/b", "backends", "/backends/b"],
    [`${ARM}/backends/B`, "backends", "/backends/B"],
    [`https://management.azure.com${ARM}/backends/b`, "backends", "/backends/b"],
    [ARM.toUpperCase() + "/loggers/l", "loggers", "/loggers/l"],
    [ARM, "apis", "/"],
    ["/", "apis", "/"],
    [`${ARM}/`, "apis", "/"],
    ["/apis", "apis", "/apis"],
    ["/apis/", "apis", "/apis"],
    ["/apis/a;rev=2", "apis", "/apis/a;rev=2"],
    ["/apis/a%3Brev=2", "apis", "/apis/a;rev=2"],
    [`${ARM}/workspaces/w/apis/a`, "apis", "/workspaces/w/apis/a"],
    ["/service/svc/apis/a", "apis", "/apis/a"],
    ["/apis/service/operations/get", "operations", "/apis/service/operations/get"],
    ["  b ", "backends", "/backends/b"],
    ["", "backends", undefined],
    ["/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/x", "backends", undefined],
  ])("%s in %s is %s", (reference, collection, id) => {
    expect(ids.resolveReference(reference, collection)).toBe(id);
  });
});

test.each([
  ["/", "service", "", undefined, "/"],
  ["/apis/a", "apis", "a", "/", "/"],
  ["/apis/a;rev=2/operations/o", "apis/operations", "o", "/apis/a;rev=2", "/"],
  ["/workspaces/w", "workspaces", "w", "/", "/"],
  ["/workspaces/w/apis/a", "workspaces/apis", "a", "/workspaces/w", "/workspaces/w"],
])("%s: type, name, parent and workspace", (id, type, name, parent, workspace) => {
  expect(ids.typeOf(id)).toBe(type);
  expect(ids.nameOf(id)).toBe(name);
  expect(ids.parentId(id)).toBe(parent);
  expect(ids.workspaceOf(id)).toBe(workspace);
});

test.each([
  ["/apis/a;rev=2", "/apis/a", "2"],
  ["/apis/a;rev=2/operations/o", "/apis/a/operations/o", "2"],
  ["/apis/a", "/apis/a", undefined],
])("the revision of %s", (id, without, revision) => {
  expect(ids.withoutRevision(id)).toBe(without);
  expect(ids.revisionOf(id)).toBe(revision);
});
