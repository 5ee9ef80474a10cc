"use client";

import { Plus } from "lucide-react";
import { Fragment } from "react";
import type { Image } from "../../lib/domain/image";
import { formatBytes } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";
import { ButtonLink } from "../ui/ButtonLink";
import { RelativeTime } from "../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";

const namedVms = 3;

export function ImageTable({ images, vms }: { images: Image[]; vms: Vm[] }) {
  return (
    <Table label="Images">
      <TableHead>
        <Th>Image</Th>
        <Th className="hidden lg:table-cell">Architecture</Th>
        <Th className="hidden sm:table-cell">Size</Th>
        <Th className="hidden md:table-cell">Needs at least</Th>
        <Th className="hidden md:table-cell">Login user</Th>
        <Th>VMs</Th>
        <Th className="hidden xl:table-cell">Made</Th>
        <Th>
          <span className="sr-only">Actions</span>
        </Th>
      </TableHead>
      <TableBody>
        {images.map((image) => (
          <Tr key={image.id}>
            <Td className="max-w-96">
              <span className="flex flex-wrap items-baseline gap-x-2">
                <span className="font-medium">{image.title}</span>
                <code className="font-mono text-muted text-xs">{image.name}</code>
              </span>
              <span className="block text-muted text-xs">{image.description}</span>
            </Td>
            <Td className="hidden whitespace-nowrap text-muted lg:table-cell">
              {image.arch}, {image.firmware === "uefi" ? "UEFI" : "BIOS"}
            </Td>
            <Td className="hidden whitespace-nowrap text-muted tabular-nums sm:table-cell">
              {formatBytes(image.fileBytes)}
            </Td>
            <Td className="hidden whitespace-nowrap text-muted tabular-nums md:table-cell">
              {formatBytes(image.minMemoryBytes)} memory, {formatBytes(image.virtualBytes)} disk
            </Td>
            <Td className="hidden md:table-cell">
              <code className="font-mono text-xs">{image.loginUser}</code>
            </Td>
            <Td>
              <VmsOfImage count={image.vmCount} vms={vms.filter((vm) => vm.image.id === image.id)} />
            </Td>
            <Td className="hidden whitespace-nowrap text-muted xl:table-cell">
              <RelativeTime at={image.createdAt} />
            </Td>
            <Td className="text-right">
              <ButtonLink
                size="sm"
                href={`/vms/new?image=${encodeURIComponent(image.name)}`}
                icon={<Plus aria-hidden />}
                aria-label={`Create a VM from ${image.title}`}
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

/** The first few by name, the rest by number. */
function VmsOfImage({ count, vms }: { count: number; vms: Vm[] }) {
  if (count === 0) return <span className="text-muted">None</span>;
  const named = vms.slice(0, namedVms);
  const rest = count - named.length;
  return (
    <span>
      {named.map((vm, index) => (
        <Fragment key={vm.id}>
          {index > 0 ? ", " : null}
          <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>
        </Fragment>
      ))}
      {rest > 0 ? <span className="text-muted"> {named.length > 0 ? `and ${rest} more` : rest}</span> : null}
    </span>
  );
}
