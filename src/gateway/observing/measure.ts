/** A value that a policy measured: to the gateway's own metrics, and to the loggers of diagnostics with `metrics: true`. */
import type { Exchange } from "../exchange.ts";

/** @param dimensions names, one per value */
export function measure(
  exchange: Exchange,
  namespace: string,
  name: string,
  dimensions: readonly string[],
  values: readonly string[],
  value: number,
): void {
  const { measures, sinks } = exchange.services;
  measures.emit(namespace, name, dimensions, values, value);
  const loggers = exchange.api?.diagnostics?.metricLoggers;
  if (loggers == null) return;
  for (const logger of loggers) sinks.sendMeasure(logger, { namespace, name, value, dimensions, values });
}
