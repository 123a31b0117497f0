import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/**
 * Stands for the policies of a fragment. The compiler puts them in its place when the document is compiled, so
 * there is nothing left to run here.
 */
export const includeFragment = definePolicy({
  element: "include-fragment",
  summary: "Inserts the policies of a fragment, as if they stood here.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      "fragment-id": {
        type: "string",
        required: true,
        references: "fragment",
        doc: "Name of the policy fragment.",
      },
    },
  },
  run: () => undefined,
});
