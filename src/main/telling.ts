/** What is said of the process as a whole, and where OpenTelemetry hears it. */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { StartOptions } from "../cli/application.ts";
import { SettingsError } from "../settings.ts";
import { OtlpExporter } from "../telemetry/exporters/otlp/otlp.ts";
import { readOtlp } from "../telemetry/exporters/otlp/settings.ts";

/** @throws SettingsError naming the variable that cannot be used */
export function openOtlp(
  environment: StartOptions["environment"],
  world: ConstructorParameters<typeof OtlpExporter>[1],
): OtlpExporter | null {
  const settings = readOtlp(environment);
  if (typeof settings === "string") throw new SettingsError(`${settings}.`, "correct it, or unset it");
  return settings === null ? null : new OtlpExporter(settings, world);
}

const delays = monitorEventLoopDelay({ resolution: 20 });

/** 99th percentile since it was last asked, in seconds. */
export function eventLoopDelay(): number {
  delays.enable();
  const seconds = delays.percentile(99) / 1e9;
  delays.reset();
  return seconds;
}

/** As package.json says, wherever this file was built to. */
export function packageVersion(): string {
  try {
    const file = new URL("../../package.json", import.meta.url);
    return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? "unknown";
  } catch {
    return "unknown";
  }
}
