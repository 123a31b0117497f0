import { describe, expect, test } from "vitest";
import type { OpenProperties, Resource } from "../contract/resource.ts";
import { nameOf } from "./ids.ts";
import { canonicalType } from "./kinds/index.ts";
import { ResourceSet } from "./resource-set.ts";

function setOf(resources: Record<string, OpenProperties>): ResourceSet {
  const list = Object.entries(resources).map(([id, properties]): Resource => ({
    id,
    name: nameOf(id),
    type: canonicalType(id),
    properties,
  }));
  return new ResourceSet(list, "1");
}

const set = setOf({
  "/apis/Echo": { apiRevision: "2", isCurrent: true },
  "/apis/Echo;rev=1": { apiRevision: "1" },
  "/apis/echo/operations/Get_Item": {},
  "/apis/echo/operations/list": {},
  "/apis/echo/operations/list/policies/policy": { value: "<policies/>", format: "rawxml" },
  "/apis/plain": {},
  "/backends/b": {},
  "/workspaces/w": {},
  "/workspaces/w/backends/b": {},
  "/workspaces/w/apis/inner": {},
  "/products/p": {},
  "/products/p/apis/echo": {},
  "/products/p/apiLinks/l1": {
    apiId: "/subscriptions/x/resourceGroups/y/providers/Microsoft.ApiManagement/service/z/apis/plain;rev=1",
  },
  "/products/p/apiLinks/l2": { apiId: "/apis/ECHO" },
  "/products/p/groupLinks/g": { groupId: "/groups/nobody" },
  "/policyFragments/f": { value: "<fragment/>" },
});

describe("resolve", () => {
  test.each<[string, string, string | undefined, string | undefined]>([
    ["B", "backends", undefined, "/backends/b"],
    ["b", "backends", "/workspaces/w/apis/inner", "/workspaces/w/backends/b"],
    ["/workspaces/W/backends/B", "backends", undefined, "/workspaces/w/backends/b"],
    ["echo", "apis", "/workspaces/w/apis/inner", undefined],
    ["/apis/echo;rev=2", "apis", undefined, "/apis/Echo"],
    ["/apis/echo;rev=1", "apis", undefined, "/apis/Echo;rev=1"],
    ["/apis/echo;rev=3", "apis", undefined, undefined],
    ["/apis/plain;rev=1", "apis", undefined, "/apis/plain"],
    ["get-item", "operations", "/apis/echo", "/apis/echo/operations/Get_Item"],
    ["/apis/echo/operations/GET-ITEM", "operations", undefined, "/apis/echo/operations/Get_Item"],
    ["list", "operations", undefined, undefined],
    ["/apis", "apis", undefined, undefined],
    ["", "apis", undefined, undefined],
  ])("%s among %s, from %s", (reference, collection, from, expected) => {
    expect(set.resolve(reference, collection, from)?.id).toBe(expected);
  });
});

test("links of both forms, without revision, each API once", () => {
  expect(set.apisOf("/products/p")).toEqual(["/apis/Echo", "/apis/plain"]);
  expect(set.groupsOf("/products/p")).toEqual([]);
});

test("revisions, the current one first", () => {
  expect(set.revisionsOf("/apis/echo").map(({ id }) => id)).toEqual(["/apis/Echo", "/apis/Echo;rev=1"]);
  expect(
    set
      .apis()
      .filter((api) => set.isCurrent(api))
      .map(({ name }) => name),
  ).toEqual(["Echo", "plain", "inner"]);
});

test("documents, with what they belong to", () => {
  const document = {
    scopeId: "/apis/echo/operations/list",
    text: "<policies/>",
    format: "rawxml",
    embedded: false,
  };
  expect(set.policyOf("/APIS/echo/operations/LIST")).toMatchObject(document);
  expect(set.policies()).toHaveLength(1);
  expect(set.policyOf("/apis/plain")).toBeUndefined();
  expect(set.fragments()).toMatchObject([{ scopeId: "/policyFragments/f", format: "xml" }]);
});

test("types, in a workspace or everywhere", () => {
  const ids = (workspace?: string) => set.ofType("backends", workspace).map(({ id }) => id);
  expect(ids()).toEqual(["/backends/b", "/workspaces/w/backends/b"]);
  expect(ids("/")).toEqual(["/backends/b"]);
  expect(ids("/workspaces/W")).toEqual(["/workspaces/w/backends/b"]);
});
