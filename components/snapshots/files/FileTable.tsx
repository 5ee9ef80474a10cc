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
  /** How many the folder has, of which these are the first. */
  totalCount: number;
}

const icons = { folder: Folder, file: File, link: FileSymlink, other: File };

/** Folders first, as file managers have it. */
export function FileTable({ snapshotId, folder, files, totalCount }: FileTableProps) {
  const isFolder = (file: SnapshotFile) => opensAs(file) === "folder";
  const sorted = [...files.filter(isFolder), ...files.filter((file) => !isFolder(file))];
  return (
    <>
      {files.length < totalCount ? (
        <p className="border-line border-b p-4 text-muted text-sm">
          The first {files.length.toLocaleString("en")} of {totalCount.toLocaleString("en")} entries. Others can be
          downloaded by their path, with the API.
        </p>
      ) : null}
      <Table label={`Files in ${folder}`}>
        <TableHead>
          <Th>Name</Th>
          <Th className="text-right">Size</Th>
          <Th className="hidden sm:table-cell">Permissions</Th>
          <Th className="hidden sm:table-cell">Changed</Th>
        </TableHead>
        <TableBody>
          {sorted.map((file, index) => {
            const Icon = icons[file.type];
            return (
              // Names that are no UTF-8 may look the same.
              <Tr key={file.isOpenable ? file.name : index}>
                <Td className="max-w-80">
                  <span className="flex items-center gap-2">
                    <Icon aria-hidden className="size-4 shrink-0 text-faint" />
                    <span className="wrap-anywhere min-w-0">
                      <FileName snapshotId={snapshotId} path={childOf(folder, file.name)} file={file} />
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
    </>
  );
}

/** What a click leads to. */
function opensAs({ type, link, isOpenable }: SnapshotFile): "file" | "folder" | null {
  if (!isOpenable || type === "other") return null;
  return type === "link" ? (link?.leadsTo ?? null) : type;
}

function FileName({ snapshotId, path, file }: { snapshotId: number; path: string; file: SnapshotFile }) {
  const kind = opensAs(file);
  return (
    <>
      {kind === "folder" ? (
        <TextLink href={filesHref(snapshotId, path)}>{file.name}</TextLink>
      ) : kind === "file" ? (
        <a href={downloadHref(snapshotId, path)} download className={textLinkClass}>
          {file.name}
        </a>
      ) : (
        file.name
      )}
      {file.link ? <span className="text-muted"> → {file.link.target}</span> : null}
      {file.link?.leadsTo === null ? <span className="text-muted"> (not in here)</span> : null}
      {file.isOpenable ? null : (
        <span className="block text-muted text-xs">Its name is no UTF-8: it can't be opened here.</span>
      )}
    </>
  );
}
