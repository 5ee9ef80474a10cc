import type { Host } from "../../../lib/domain/host";
import type { Image } from "../../../lib/domain/image";
import type { Size } from "../../../lib/domain/size";
import type { SshKey } from "../../../lib/domain/sshKey";
import { whyImageDoesNotRun, whyShapeDoesNotFit } from "../size/fits";
import { customOf } from "../size/sizeChoice";
import type { CreateForm } from "./createForm";
import { emptyFirstBootForm } from "./firstBootForm";
import { byOrigin, findImage, refOf } from "./imageChoice";
import { suggestName } from "./suggestName";

export interface CreateChoices {
  images: readonly Image[];
  sizes: readonly Size[];
  sshKeys: readonly SshKey[];
  host: Host;
  takenNames: readonly string[];
  /** An image's name or id that the address asks for. */
  wantedImage: string | null;
}

/** The form as it opens: a name that is free, an image that runs here, the smallest size that fits, and the key if there is just one. */
export function initialForm(choices: CreateChoices, random: () => number = Math.random): CreateForm {
  const { images, sizes, sshKeys, host, takenNames, wantedImage } = choices;
  const able = images.filter((image) => whyImageDoesNotRun(image, host) === undefined);
  const hostArch = host.report?.arch;
  const newest = byOrigin(able.filter(({ newerId }) => newerId === null));
  const image =
    able.find(({ id }) => String(id) === wantedImage) ??
    findImage(able, wantedImage, hostArch) ??
    newest.find(({ kind, arch }) => kind === "disk" && arch === hostArch) ??
    newest[0];
  const size = sizes.find((each) => whyShapeDoesNotFit(each, image, host) === undefined) ?? sizes[0];
  const [onlyKey, ...otherKeys] = sshKeys;
  return {
    name: suggestName(new Set(takenNames), random),
    image: image ? refOf(image, images, hostArch) : null,
    size: size?.name ?? null,
    custom: size ? customOf(size) : { vcpus: "1", memory: "512M", disk: "5G" },
    savedKeys: onlyKey && otherKeys.length === 0 ? [onlyKey.name] : [],
    ownKeys: "",
    firmware: null,
    network: null,
    ipv4: "",
    firewalls: [],
    ...emptyFirstBootForm,
    userData: "",
    files: [],
  };
}
