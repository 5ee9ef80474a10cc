import { File, FileSymlink, Folder } from "lucide-react";
import type { SnapshotFile } from "../../../lib/domain/snapshotFile";
import { formatBytes } from "../../../lib/domain/units";
import { RelativeTime } from "../../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../../ui/Table";
import { TextLink, textLinkClass } from "../../ui/TextLink";
import { childOf, downloadHref, filesHref } from "./guestPaths";

interface FileTableProps {
  snapshotId: number;
  folder: string;
  files: SnapshotFile[];
}

const icons = { folder: Folder, file: File, link: FileSymlink, other: File };

/** Folders first, as file managers have it. */
export function FileTable({ snapshotId, folder, files }: FileTableProps) {
  const sorted = [...files.filter(({ type }) => type === "folder"), ...files.filter(({ type }) => type !== "folder")];
  return (
    <Table label={`Files in ${folder}`}>
      <TableHead>
        <Th>Name</Th>
        <Th className="text-right">Size</Th>
        <Th className="hidden sm:table-cell">Permissions</Th>
        <Th className="hidden sm:table-cell">Changed</Th>
      </TableHead>
      <TableBody>
        {sorted.map((file) => {
          const Icon = icons[file.type];
          const path = childOf(folder, file.name);
          return (
            <Tr key={file.name}>
              <Td className="max-w-80">
                <span className="flex items-center gap-2">
                  <Icon aria-hidden className="size-4 shrink-0 text-faint" />
                  <span className="wrap-anywhere min-w-0">
                    {file.type === "folder" ? (
                      <TextLink href={filesHref(snapshotId, path)}>{file.name}</TextLink>
                    ) : file.type === "file" ? (
                      <a href={downloadHref(snapshotId, path)} download className={textLinkClass}>
                        {file.name}
                      </a>
                    ) : (
                      file.name
                    )}
                  </span>
                </span>
              </Td>
              <Td className="whitespace-nowrap text-right text-muted tabular-nums">
                {file.type === "file" ? formatBytes(file.sizeBytes) : "–"}
              </Td>
              <Td className="hidden text-muted sm:table-cell">
                <code className="font-mono text-xs">{file.permissions}</code>
              </Td>
              <Td className="hidden whitespace-nowrap text-muted sm:table-cell">
                <RelativeTime at={file.modifiedAt} />
              </Td>
            </Tr>
          );
        })}
      </TableBody>
    </Table>
  );
}
