import { pathsOf } from "../../env";
import { customizeImage, customizeSchema } from "../../images/recipes/customize";
import { taskKind } from "./kind";
import { makingOnce, withWorkDir } from "./workDir";

/** Makes an image from another one, by a recipe. */
export const imageCustomize = taskKind({
  turns: "heavy",
  params: customizeSchema,
  run: (params, call) =>
    makingOnce(call, () =>
      withWorkDir(call, async (within) => {
        const { accelerator } = await call.hypervisor.host();
        return customizeImage(params, { ...within, paths: pathsOf(call.settings), accelerator });
      }),
    ),
});
