import { z } from "zod";
import type { Queryable } from "../../db/client";
import { CumulusError, messageOf } from "../../domain/errors";
import { sshKeyNameSchema } from "../../domain/sshKey";
import { type CreateVm, createVmSchema } from "../../domain/vm";
import type { VmDescription } from "../../domain/vmDescription";
import { holdNetworkIfAny } from "../networks/networks";
import type { OperationRow } from "../operations";
import { resolveVm } from "./create";
import { insertVm, withNameTaken } from "./insert";

/** What a task's params say of the VM that is made at its end: the network that was asked for by name; null where none was. */
export const remakeParamsSchema = z.object({ network: z.string().nullable().default(null) });

interface Remade extends z.infer<typeof remakeParamsSchema> {
  name: string;
  imageId: number;
  description: VmDescription;
}

/**
 * Creates a VM as it was described, of an image of its disk, in a transaction of its own within the caller's.
 * @returns its id, or the reason why there is none
 */
export async function remakeVm(
  tx: Queryable,
  { actor }: Pick<OperationRow, "actor">,
  { name, imageId, description, network }: Remade,
): Promise<{ vmId: number } | { whyNot: string }> {
  try {
    const input = inputOf(description, name, imageId);
    const { vm } = await withNameTaken(name, () =>
      tx.transaction(async (inner) => {
        const wanted = await resolveVm(inner, { ...input, network: network ?? (await ownNetwork(inner, description)) });
        const { bootFrom } = description;
        const sshKeys = wanted.sshKeys.map((key) => ({ ...key, name: nameOfKey(description, key) }));
        return insertVm(inner, { kind: "user", name: actor }, { ...wanted, bootFrom, sshKeys });
      }),
    );
    return { vmId: vm.id };
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
    return { whyNot: messageOf(error) };
  }
}

/** The one that is called as the VM's was, on whatever installation that was; undefined where there is none. */
async function ownNetwork(tx: Queryable, { network }: VmDescription): Promise<string | undefined> {
  return network === null ? undefined : (await holdNetworkIfAny(tx, network))?.name;
}

/** As it was called, if people can read that. */
function nameOfKey({ sshKeys }: VmDescription, { name, publicKey }: { name: string; publicKey: string }): string {
  const said = sshKeys.find((key) => key.publicKey.trim() === publicKey)?.name;
  return sshKeyNameSchema.safeParse(said).data ?? name;
}

function inputOf(description: VmDescription, name: string, imageId: number): CreateVm {
  const { vcpus, memoryBytes: memory, diskBytes: disk, sshKeys } = description;
  const input = { name, image: imageId, vcpus, memory, disk, sshKeys: sshKeys.map(({ publicKey }) => publicKey) };
  const parsed = createVmSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CumulusError(
    "bad_request",
    `What is said of the VM can't be (${issue?.path.join(".")}): ${issue?.message}`,
  );
}
