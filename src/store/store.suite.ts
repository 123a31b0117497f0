/** What every store must do. An adapter's test calls `storeSuite` with a way to make an empty one. */
import { describe, expect, test } from "vitest";
import { type ChangeSet, put, remove, type Store } from "./store.ts";

export function storeSuite(name: string, open: () => Promise<Store>): void {
  const using = (run: (store: Store) => Promise<void>) => async () => {
    const store = await open();
    try {
      await run(store);
    } finally {
      await store.close();
    }
  };
  const api = (id: string, properties = {}) => ({ id, properties });
  const failure = (reason: string, id?: string) =>
    expect.objectContaining({ name: "StoreError", reason, ...(id && { id }) });

  describe(name, () => {
    test(
      "keeps what it is given, unknown properties included",
      using(async (store) => {
        const made = await put(store, {
          id: "/apis/Echo",
          properties: { path: "e", new: { a: [1, null] } },
          tags: { x: "y" },
        });
        expect(made).toMatchObject({ id: "/apis/Echo", name: "Echo", type: "apis", tags: { x: "y" } });
        expect(made.properties).toEqual({ path: "e", new: { a: [1, null] } });
        expect(await store.get("/apis/Echo")).toEqual(made);
        expect(await store.get("/apis/none")).toBeUndefined();
      }),
    );

    test(
      "a change to what was handed over changes nothing inside",
      using(async (store) => {
        const properties = { path: "e" };
        await put(store, { id: "/apis/a", properties });
        properties.path = "changed";
        expect((await store.get("/apis/a"))!.properties).toEqual({ path: "e" });
      }),
    );

    test(
      "ids ignore case and keep the one they were made with",
      using(async (store) => {
        await put(store, api("/apis/Echo", { v: 1 }));
        await put(store, api("/APIS/ECHO", { v: 2 }));
        expect(await store.get("/apis/echo")).toMatchObject({
          id: "/apis/Echo",
          type: "apis",
          properties: { v: 2 },
        });
        expect(await store.list("/", "Apis")).toHaveLength(1);
      }),
    );

    test(
      "lists direct children in the order they came",
      using(async (store) => {
        for (const id of [
          "/apis/b",
          "/apis/a",
          "/apis/b/operations/2",
          "/apis/b/operations/1",
          "/apis/bb/operations/3",
        ])
          await put(store, api(id));
        const names = async (parent: string, collection: string) =>
          (await store.list(parent, collection)).map((child) => child.name);
        expect(await names("/", "apis")).toEqual(["b", "a"]);
        expect(await names("/apis/B", "operations")).toEqual(["2", "1"]);
        expect(await names("/apis/a", "operations")).toEqual([]);
      }),
    );

    test(
      "every put changes the ETag, and conditions hold",
      using(async (store) => {
        const first = await put(store, api("/apis/a"), { ifNoneMatch: "*" });
        await expect(put(store, api("/apis/a"), { ifNoneMatch: "*" })).rejects.toEqual(
          failure("condition-failed", "/apis/a"),
        );
        const second = await put(store, api("/apis/a"), { ifMatch: first.etag });
        expect(second.etag).not.toBe(first.etag);
        await expect(put(store, api("/apis/a"), { ifMatch: first.etag })).rejects.toEqual(
          failure("condition-failed"),
        );
        await expect(put(store, api("/apis/none"), { ifMatch: "*" })).rejects.toEqual(
          failure("condition-failed"),
        );
        await expect(remove(store, "/apis/a", { ifMatch: "other" })).rejects.toEqual(
          failure("condition-failed"),
        );
        expect(await remove(store, "/apis/a", { ifMatch: "*" })).toBe(true);
        expect(await remove(store, "/apis/a")).toBe(false);
      }),
    );

    test(
      "a delete takes what is below along, and nothing beside",
      using(async (store) => {
        for (const id of [
          "/apis/a",
          "/apis/a/operations/o",
          "/apis/a/policies/policy",
          "/apis/ab",
          "/apis/a;rev=2",
        ])
          await put(store, api(id));
        await remove(store, "/APIS/A");
        const left = [...(await store.snapshot()).all()].map(({ id }) => id);
        expect(left).toEqual(["/apis/ab", "/apis/a;rev=2"]);
      }),
    );

    test(
      "a batch happens whole or not at all",
      using(async (store) => {
        await put(store, api("/apis/a", { v: 1 }));
        const before = await store.snapshot();
        const batch = store.apply([
          { kind: "put", resource: api("/apis/a", { v: 2 }) },
          { kind: "put", resource: api("/apis/b") },
          { kind: "delete", id: "/apis/none", condition: { ifMatch: "*" } },
        ]);
        await expect(batch).rejects.toEqual(failure("condition-failed"));
        expect((await store.get("/apis/a"))!.properties).toEqual({ v: 1 });
        expect((await store.snapshot()).version).toBe(before.version);
      }),
    );

    test(
      "within a batch later changes see earlier ones",
      using(async (store) => {
        const { changes, resources } = await store.apply([
          { kind: "put", resource: api("/apis/a") },
          { kind: "put", resource: api("/apis/a", { v: 2 }), condition: { ifMatch: "*" } },
          { kind: "put", resource: api("/apis/b") },
          { kind: "delete", id: "/apis/b" },
        ]);
        expect(resources.map((resource) => resource?.properties)).toEqual([{}, { v: 2 }, {}, undefined]);
        expect(changes).toMatchObject({ created: ["/apis/a"], replaced: [], deleted: [] });
      }),
    );

    test(
      "of two writers with the same ETag one wins",
      using(async (store) => {
        const { etag } = await put(store, api("/apis/a"));
        const race = [1, 2, 3].map((v) => put(store, api("/apis/a", { v }), { ifMatch: etag }));
        const outcomes = await Promise.allSettled(race);
        expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
      }),
    );

    test(
      "watchers see every change once, in order, until they stop",
      using(async (store) => {
        const seen: ChangeSet[] = [];
        const stop = store.watch((changes) => seen.push(changes));
        await put(store, api("/apis/a"));
        await put(store, api("/apis/a"));
        await remove(store, "/apis/a");
        await remove(store, "/apis/a");
        stop();
        await put(store, api("/apis/b"));
        expect(seen.map(({ created, replaced, deleted }) => ({ created, replaced, deleted }))).toEqual([
          { created: ["/apis/a"], replaced: [], deleted: [] },
          { created: [], replaced: ["/apis/a"], deleted: [] },
          { created: [], replaced: [], deleted: ["/apis/a"] },
        ]);
        expect(new Set(seen.map(({ version }) => version)).size).toBe(3);
      }),
    );

    test(
      "a snapshot stays as it was",
      using(async (store) => {
        await put(store, api("/apis/a", { v: 1 }));
        const before = await store.snapshot();
        await put(store, api("/apis/a", { v: 2 }));
        await put(store, api("/apis/b"));
        expect(before.get("/apis/a")!.properties).toEqual({ v: 1 });
        expect(before.size).toBe(1);
        expect((await store.snapshot()).version).not.toBe(before.version);
      }),
    );

    test.each(["", "apis/a", "/apis", "/apis//x", "/apis/a/operations", "/apis/a/"])(
      "refuses the id `%s`",
      (id) =>
        using(async (store) => {
          await expect(put(store, api(id))).rejects.toEqual(failure("invalid-id"));
          await expect(remove(store, id)).rejects.toEqual(failure("invalid-id"));
        })(),
    );
  });
}
