import { VmOverview } from "../../../../components/vms/detail/overview/VmOverview";

export default function Overview() {
  return <VmOverview />;
}
