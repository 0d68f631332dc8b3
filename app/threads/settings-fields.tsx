/** What the fields of a thread's panel and those of the plain forms of defaults and presets have in common. */
import type { Model } from "~/ai/model";
import { groupModels, sizeName } from "./models-store";

/** Of the field for a system prompt. */
export const systemPromptField = { maxLength: 16_000, placeholder: "As whoever runs this Sidenote set it" } as const;

/** The options of a select for a model: by vendor, each with its window, or with why it cannot be chosen. */
export function ModelOptions({ models }: { models: readonly Model[] }) {
  return groupModels(models).map((group) => (
    <optgroup key={group.name} label={group.name}>
      {group.models.map(({ ref, name, window, unavailable }) => (
        <option key={ref} value={ref} disabled={unavailable !== undefined}>
          {name}, {unavailable ? "not allowed here" : `${sizeName(window)} window`}
        </option>
      ))}
    </optgroup>
  ));
}
