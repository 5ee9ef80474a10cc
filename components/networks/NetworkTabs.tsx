import { TabNav } from "../ui/TabNav";

const items = [
  { href: "/networks", label: "Networks" },
  { href: "/networks/firewalls", label: "Firewalls" },
];

export function NetworkTabs() {
  return (
    <div className="mb-4">
      <TabNav label="Networks and firewalls" items={items} />
    </div>
  );
}
