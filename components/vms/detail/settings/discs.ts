import { formatExact } from "../../../../lib/browser/time";
import { type Image, isOutOfDate } from "../../../../lib/domain/image";

/** The discs of a host. */
export function discsAmong(images: Image[]): Image[] {
  return images.filter(({ kind }) => kind === "iso");
}

/** A disc's title, which tells it from others of the same: an older one of a name stays for who needs it. */
export function discWords(disc: Image, all: Image[]): string {
  const hasDouble = all.some(({ id, title }) => id !== disc.id && title === disc.title);
  const parts = [disc.title];
  if (hasDouble) parts.push(`here since ${formatExact(disc.createdAt)}`);
  if (isOutOfDate(disc)) parts.push("out of date");
  return parts.join(", ");
}
