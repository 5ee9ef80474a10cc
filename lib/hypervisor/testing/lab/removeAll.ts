import { removeNetworks } from "../../network/removeNetworks";

/** Removes the networks of the installation with this run folder, from within the namespace that is its host. */
void removeNetworks(process.argv[2] ?? "");
