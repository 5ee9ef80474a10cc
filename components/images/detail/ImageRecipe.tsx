import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { Card } from "../../ui/Card";
import { placeWords, stepSummary } from "../recipes/recipeWords";

/** The recipe that made an image, as it was then. */
export function ImageRecipe({ image: { recipe } }: { image: ImageDetail }) {
  if (recipe === null) return null;
  return (
    <Card title={`Recipe: ${recipe.title}`} description={placeWords[recipe.place].hint}>
      <ol className="grid list-decimal gap-1.5 pl-5 text-sm marker:text-faint">
        {recipe.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a kept recipe never change.
          <li key={index} className="wrap-anywhere">
            {stepSummary(step)}
          </li>
        ))}
      </ol>
    </Card>
  );
}
