import { pathsOf } from "../../env";
import { customizeImage, customizeSchema } from "../../images/recipes/customize";
import { taskKind } from "./kind";
import { withWorkDir } from "./workDir";

/** Makes an image from another one, by a recipe. */
export const imageCustomize = taskKind({
  params: customizeSchema,
  run: (params, call) =>
    withWorkDir(call, async (workDir) => {
      const { accelerator } = await call.hypervisor.host();
      return customizeImage(params, { ...call, paths: pathsOf(call.settings), workDir, accelerator });
    }),
});
