import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { info, withFolder, writeFiles } from "./folder.fixture.ts";
import { put, remove } from "../store.ts";
import type { LoadedFolder } from "./load.ts";
import { FileStore } from "./store.ts";

const backend = (url: string) => JSON.stringify(info({ url }));
const FILE = "backends/b/backendInformation.json";

/** Answers once a load satisfies `wanted`; every load until then is seen. */
function until(store: FileStore, wanted: (loaded: LoadedFolder) => boolean): Promise<LoadedFolder> {
  return new Promise((found) => {
    const stop = store.onLoad((loaded) => {
      if (!wanted(loaded)) return;
      stop();
      found(loaded);
    });
  });
}

function urlOf({ resources }: LoadedFolder, id = "/backends/b"): unknown {
  return resources.get(id)?.properties["url"];
}

async function withStore(
  use: (store: FileStore, folder: string) => Promise<void>,
  files = {},
): Promise<void> {
  await withFolder({ [FILE]: backend("https://1"), ...files }, async (folder) => {
    const store = await FileStore.open(folder);
    try {
      await use(store, folder);
    } finally {
      await store.close();
    }
  });
}

describe("a change to the folder is seen", () => {
  test.each<[string, (folder: string) => Promise<void>, (loaded: LoadedFolder) => boolean]>([
    [
      "written in place",
      (folder) => writeFile(join(folder, FILE), backend("https://2")),
      (loaded) => urlOf(loaded) === "https://2",
    ],
    [
      "replaced by renaming, as editors do",
      async (folder) => {
        await writeFile(join(folder, FILE + "~"), backend("https://3"));
        await rename(join(folder, FILE + "~"), join(folder, FILE));
      },
      (loaded) => urlOf(loaded) === "https://3",
    ],
    [
      "a new folder, several levels deep",
      (folder) =>
        writeFiles(folder, {
          "workspaces/w/backends/new/backendInformation.json": info({ url: "https://4" }),
        }),
      (loaded) => urlOf(loaded, "/workspaces/w/backends/new") === "https://4",
    ],
    [
      "removed",
      (folder) => rm(join(folder, "backends/b"), { recursive: true }),
      (loaded) => !loaded.resources.has("/backends/b"),
    ],
    [
      "a folder renamed",
      (folder) => rename(join(folder, "backends/b"), join(folder, "backends/c")),
      (loaded) => loaded.resources.has("/backends/c") && !loaded.resources.has("/backends/b"),
    ],
    [
      "a folder replaced by another, then changed",
      async (folder) => {
        await writeFiles(folder, { "next/b/backendInformation.json": info({ url: "https://5" }) });
        await rename(join(folder, "backends"), join(folder, ".old"));
        await rename(join(folder, "next"), join(folder, "backends"));
        await writeFile(join(folder, FILE), backend("https://6"));
      },
      (loaded) => urlOf(loaded) === "https://6",
    ],
    [
      "written a piece at a time",
      async (folder) => {
        const text = backend("https://7");
        for (let end = 0; end <= text.length; end += 9)
          await writeFile(join(folder, FILE), text.slice(0, end));
        await writeFile(join(folder, FILE), text);
      },
      (loaded) => urlOf(loaded) === "https://7" && loaded.problems.length === 0,
    ],
  ])("%s", async (_, change, wanted) => {
    await withStore(async (store, folder) => {
      const seen = until(store, wanted);
      await change(folder);
      await seen;
    });
  });

  test("behind a symbolic link that is swapped, as Kubernetes and git-sync do", async () => {
    await withFolder(
      { [`v1/${FILE}`]: backend("https://1"), [`v2/${FILE}`]: backend("https://2") },
      async (folder) => {
        const current = join(folder, "current");
        await symlink("v1", current);
        const store = await FileStore.open(current);
        try {
          const seen = until(store, (loaded) => urlOf(loaded) === "https://2");
          await symlink("v2", join(folder, "next"));
          await rename(join(folder, "next"), current);
          await seen;
        } finally {
          await store.close();
        }
      },
    );
  });

  test("200 changes in a row: the last one arrives, none is read half", async () => {
    await withStore(async (store, folder) => {
      const problems: unknown[] = [];
      store.onLoad((loaded) => void problems.push(...loaded.problems));
      const seen = until(store, (loaded) => urlOf(loaded) === "https://200");
      for (let i = 1; i <= 200; i++) {
        await writeFile(join(folder, ".next"), backend(`https://${i}`));
        await rename(join(folder, ".next"), join(folder, FILE));
      }
      await seen;
      expect(problems).toEqual([]);
    });
  });
});

test("an error keeps the last good state; putting it right goes on from there", async () => {
  await withStore(async (store, folder) => {
    const changes: unknown[] = [];
    store.watch(({ replaced }) => changes.push(replaced));
    const broken = until(store, ({ problems }) => problems.some(({ code }) => code === "HG5101"));
    await writeFile(join(folder, FILE), '{"properties": {');
    await broken;
    expect((await store.get("/backends/b"))?.properties).toEqual({ url: "https://1" });
    const good = until(store, (loaded) => urlOf(loaded) === "https://2");
    await writeFile(join(folder, FILE), backend("https://2"));
    await good;
    expect((await store.get("/backends/b"))?.properties).toEqual({ url: "https://2" });
    expect(changes).toEqual([["/backends/b"]]);
  });
});

test("touching a file, or adding one that means nothing, changes no version", async () => {
  await withStore(async (store, folder) => {
    const { version } = await store.snapshot();
    const seen = until(store, ({ problems }) => problems.length === 0);
    await writeFile(join(folder, FILE), backend("https://1"));
    expect((await seen).resources.version).toBe(version);
  });
});

test("the folder is the truth: nothing can be put", async () => {
  await withStore(async (store) => {
    expect(store.readOnly).toBe(true);
    await expect(put(store, { id: "/backends/b", properties: {} })).rejects.toMatchObject({
      reason: "read-only",
    });
    await expect(remove(store, "/backends/b")).rejects.toMatchObject({ reason: "read-only" });
    expect((await store.list("/", "backends")).map(({ name }) => name)).toEqual(["b"]);
  });
});

test("a folder that appears later", async () => {
  await withFolder({}, async (folder) => {
    const store = await FileStore.open(join(folder, "later"));
    try {
      expect(store.loaded.problems.map(({ code }) => code)).toEqual(["HG5007"]);
      const seen = until(store, (loaded) => urlOf(loaded) === "https://1");
      await mkdir(join(folder, "later"));
      await writeFiles(join(folder, "later"), { [FILE]: backend("https://1") });
      await seen;
    } finally {
      await store.close();
    }
  });
});
