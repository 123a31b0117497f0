/** For tests: the memory of backends, on the clock of a test. */
import type { Services } from "../gateway/services.ts";
import { Backends } from "./backends.ts";

export function backendsOf(services: Pick<Services, "clock" | "random" | "log">): Backends {
  return new Backends({
    monotonic: () => services.clock.monotonic(),
    now: () => services.clock.now(),
    random: services.random,
    secret: "secret",
    log: (record) => services.log(record),
  });
}
