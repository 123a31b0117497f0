/** a change drops nothing, a broken one changes nothing. How soon it shows is for `bench/reloads.ts`. */
import { expect, it } from "vitest";
import { changeUnderLoad } from "./reload.ts";

it("R-01 changes under 20 open streams break no stream and fail no request", async () => {
  const outcomes = await changeUnderLoad(25, 3, 20, () => performance.now());
  expect(outcomes).toMatchObject({ failedRequests: 0, brokenStreams: 0, refused: 3 });
  expect(outcomes.visibleMs).toHaveLength(25);
});
