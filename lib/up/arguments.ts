import { type ParseArgsConfig, parseArgs } from "node:util";
import { CumulusError, messageOf } from "../domain/errors";

/**
 * The options of a command, each of them a switch.
 * @param usage how it is called, told when it is called otherwise
 * @throws `bad_request`
 */
export function readSwitches<Options extends Record<string, { type: "boolean"; short?: string }>>(
  options: Options,
  usage: string,
): { [Name in keyof Options]: boolean } {
  const config: ParseArgsConfig = { options };
  try {
    const { values } = parseArgs(config);
    const given = Object.keys(options).map((name) => [name, values[name] === true] as const);
    return Object.fromEntries(given) as { [Name in keyof Options]: boolean };
  } catch (error) {
    throw new CumulusError("bad_request", `${messageOf(error).split(". ")[0]}. Usage: ${usage}`);
  }
}
