import type { ImageDetail } from "../../../lib/domain/imageDetail";
import type { RecipeStep } from "../../../lib/domain/recipe";
import { Card } from "../../ui/Card";
import { CodeBlock } from "../../ui/CodeBlock";
import { placeWords, stepSummary, stepText } from "../recipes/recipeWords";

/** The recipe that made an image, as it was then. */
export function ImageRecipe({ image: { recipe } }: { image: ImageDetail }) {
  if (recipe === null) return null;
  return (
    <Card title={`Recipe: ${recipe.title}`} description={placeWords[recipe.place].hint}>
      <ol className="grid list-decimal gap-1.5 pl-5 text-sm marker:text-faint">
        {recipe.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a kept recipe never change.
          <li key={index} className="wrap-anywhere">
            <Step step={step} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** One step; what it writes, runs or types is shown when asked for. */
function Step({ step }: { step: RecipeStep }) {
  const text = stepText(step);
  if (text === null) return stepSummary(step);
  return (
    <details>
      <summary className="hover:text-ink">{stepSummary(step)}</summary>
      <CodeBlock code={text} what={stepSummary(step)} className="mt-1.5" />
    </details>
  );
}
