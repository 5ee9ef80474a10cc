"use client";

import { Plus } from "lucide-react";
import Link from "next/link";
import { Fragment } from "react";
import type { Image } from "../../lib/domain/image";
import { formatBytes } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";
import { ButtonLink } from "../ui/ButtonLink";
import { RelativeTime } from "../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { ImageBadges } from "./ImageBadges";
import { firmwareWords } from "./imageWords";
import { OsMonogram } from "./OsMonogram";

const namedVms = 3;

export function ImageTable({ images, vms }: { images: Image[]; vms: Vm[] }) {
  return (
    <Table label="Images">
      <TableHead>
        <Th>Image</Th>
        <Th className="hidden lg:table-cell">Architecture</Th>
        <Th className="hidden sm:table-cell">Size</Th>
        <Th className="hidden md:table-cell">Needs at least</Th>
        <Th className="hidden lg:table-cell">Login user</Th>
        <Th className="hidden sm:table-cell">Used by</Th>
        <Th className="hidden xl:table-cell">Made</Th>
        <Th>
          <span className="sr-only">Actions</span>
        </Th>
      </TableHead>
      <TableBody>
        {images.map((image) => (
          <Tr key={image.id}>
            <Td className="max-w-96">
              <ImageName image={image} />
            </Td>
            <Td className="hidden whitespace-nowrap text-muted lg:table-cell">
              {image.arch}, {image.firmwares.map((firmware) => firmwareWords[firmware]).join(" or ")}
            </Td>
            <Td className="hidden whitespace-nowrap text-muted tabular-nums sm:table-cell">
              {formatBytes(image.fileBytes)}
            </Td>
            <Td className="hidden text-muted tabular-nums md:table-cell">
              <span className="whitespace-nowrap">{formatBytes(image.minMemoryBytes)} memory</span>
              {image.kind === "disk" ? (
                <>
                  , <span className="whitespace-nowrap">{formatBytes(image.virtualBytes)} disk</span>
                </>
              ) : null}
            </Td>
            <Td className="hidden lg:table-cell">
              {image.kind === "iso" ? (
                <span className="text-muted">–</span>
              ) : (
                <code className="font-mono text-xs">{image.loginUser}</code>
              )}
            </Td>
            <Td className="hidden sm:table-cell">
              <UsersOfImage image={image} vms={vms.filter((vm) => isHeldBy(image, vm))} />
            </Td>
            <Td className="hidden whitespace-nowrap text-muted xl:table-cell">
              <RelativeTime at={image.createdAt} />
            </Td>
            <Td className="text-right">
              <ButtonLink
                size="sm"
                href={`/vms/new?image=${image.id}`}
                icon={<Plus aria-hidden />}
                aria-label={`${image.kind === "iso" ? "Install" : "Create"} a VM from ${image.title}`}
              >
                VM
              </ButtonLink>
            </Td>
          </Tr>
        ))}
      </TableBody>
    </Table>
  );
}

function ImageName({ image }: { image: Image }) {
  return (
    <span className="flex items-start gap-3">
      <OsMonogram title={image.title} className="max-sm:hidden" />
      <span className="min-w-0">
        <span className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
          <Link href={`/images/${image.id}`} className="font-medium hover:underline">
            {image.title}
          </Link>
          <code className="font-mono text-muted text-xs">{image.name}</code>
          <ImageBadges image={image} />
        </span>
        <span className="block text-muted text-xs">{image.description}</span>
      </span>
    </span>
  );
}

/** What its numbers count: disks that build on it, or drives in which it lies. */
function isHeldBy({ id, kind }: Image, vm: Vm): boolean {
  return (kind === "iso" ? vm.cdrom?.id : vm.image.id) === id;
}

/** The first few VMs by name, the rest and snapshots by number. */
function UsersOfImage({ image, vms }: { image: Image; vms: Vm[] }) {
  const { vmCount, snapshotCount } = image;
  if (vmCount + snapshotCount === 0) return <span className="text-muted">Nothing</span>;
  const named = vms.slice(0, namedVms);
  const rest = vmCount - named.length;
  const more = [
    ...(rest > 0 ? [named.length > 0 ? `${rest} more` : `${rest} ${rest === 1 ? "VM" : "VMs"}`] : []),
    ...(snapshotCount > 0 ? [snapshotCount === 1 ? "1 snapshot" : `${snapshotCount} snapshots`] : []),
  ].join(", ");
  return (
    <span>
      {named.map((vm, index) => (
        <Fragment key={vm.id}>
          {index > 0 ? ", " : null}
          <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>
        </Fragment>
      ))}
      {more ? <span className="text-muted">{named.length > 0 ? `, ${more}` : more}</span> : null}
    </span>
  );
}
