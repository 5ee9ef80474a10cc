import type { HostReport } from "../../lib/domain/host";
import { Banner } from "../ui/Banner";

/** What works less well than it could, and what to do about it. */
export function HostDegraded({ items }: { items: HostReport["degraded"] }) {
  if (items.length === 0) return null;
  return (
    <Banner
      tone="warn"
      title={items.length === 1 ? "One thing could work better" : `${items.length} things could work better`}
    >
      <ul className="mt-1 flex flex-col gap-1.5">
        {items.map((item) => (
          <li key={item.code} className="text-ink">
            {item.message}
          </li>
        ))}
      </ul>
    </Banner>
  );
}
