/** The door of the demo model. */
export { startDemoModel, type DemoCounters, type DemoModel, type DemoModelOptions } from "./demo-model.ts";
export type { Control as DemoControl } from "./control.ts";
export type { DemoRequest } from "./model.ts";
export type { Outcome, SeenRequest } from "./seen.ts";
export type { Answer as DemoAnswer, Step as DemoStep } from "./steps.ts";
