import { getVm } from "./control/vms/view";
import { services } from "./services";

/** A VM's name for the title of its page. When it can't be read, its id stands in: the page itself reads it too, and says why not. */
export async function vmTitle(id: number | null): Promise<string> {
  if (id === null) return "No such VM";
  return getVm(services().context, id).then(
    (vm) => vm.name,
    () => `VM ${id}`,
  );
}
