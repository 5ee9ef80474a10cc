import type { FirstBootStage } from "../../../../lib/domain/firstBootReport";

/** What cloud-init does in each of its stages. */
export const stageWords: Record<FirstBootStage, string> = {
  local: "Reads what it is to be",
  init: "Brings up the network, makes users",
  config: "Configures the system",
  final: "Installs packages, runs scripts",
};
