"use client";

import { isPastEndOfLife } from "../../../lib/domain/image";
import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { isUnderWay } from "../../activity/operationWords";
import { useHost } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Card } from "../../ui/Card";
import { TextLink } from "../../ui/TextLink";
import { isEmulated } from "../imageWords";
import { TaskRow } from "../tasks/TaskRow";
import { useImageTasks } from "../useImageData";
import { NewerBase, NewerBuild } from "./NewerNotices";

/** What to know of an image before it is used, and its refresh while that goes on. */
export function ImageNotices({ image }: { image: ImageDetail }) {
  const { data: host } = useHost();
  const subjects = [
    image.name,
    `${image.name}, ${image.arch}`,
    image.source.type === "catalogue" ? image.source.catalogueId : image.name,
  ];
  const open = useImageTasks().filter(
    (task) => isUnderWay(task) && task.subject !== null && subjects.includes(task.subject),
  );
  return (
    <div className="grid gap-3 not-empty:mb-4">
      {image.newerId === null ? null : (
        <Banner tone="warn" title="A newer one is here">
          New VMs that ask for “{image.name}” get <TextLink href={`/images/${image.newerId}`}>the newest</TextLink>.
          This one stays for what uses it.
        </Banner>
      )}
      {image.newerId === null && image.newerBuild !== null ? <NewerBuild image={image} /> : null}
      {image.newerId === null && image.newerBase ? <NewerBase image={image} base={image.newerBase} /> : null}
      {isPastEndOfLife(image, Date.now()) ? (
        <Banner tone="warn" title="Its maker no longer mends it">
          Support ended on {image.endOfLife}: security fixes don't come any more. Take a newer release for new VMs.
        </Banner>
      ) : null}
      {isEmulated(image.arch, host) ? (
        <Banner tone="info" title={`${image.arch} is emulated on this host`}>
          Its VMs work, and are many times slower than ones of the host's own architecture.
        </Banner>
      ) : null}
      {open.length > 0 ? (
        <Card flush title="Under way">
          <ul>
            {open.map((operation) => (
              <TaskRow key={operation.id} operation={operation} />
            ))}
          </ul>
        </Card>
      ) : null}
    </div>
  );
}
