import type { AnyEndpoint } from "./endpoint";
import * as access from "./endpoints/access";
import * as activity from "./endpoints/activity";
import * as backups from "./endpoints/backups";
import * as catalogue from "./endpoints/catalogue";
import * as firewalls from "./endpoints/firewalls";
import * as images from "./endpoints/images";
import * as lab from "./endpoints/lab";
import * as networks from "./endpoints/networks";
import * as recipes from "./endpoints/recipes";
import * as snapshotFiles from "./endpoints/snapshotFiles";
import * as snapshots from "./endpoints/snapshots";
import * as userDataTemplates from "./endpoints/userDataTemplates";
import * as vmActs from "./endpoints/vmActs";
import * as vmNetworking from "./endpoints/vmNetworking";
import * as vms from "./endpoints/vms";

/** Every endpoint of the API: what the OpenAPI document, and the tests that walk the API, are made from. */
export const allEndpoints: readonly AnyEndpoint[] = [
  vms,
  vmActs,
  snapshots,
  snapshotFiles,
  backups,
  networks,
  vmNetworking,
  firewalls,
  images,
  recipes,
  userDataTemplates,
  lab,
  catalogue,
  access,
  activity,
].flatMap((group) => Object.values<AnyEndpoint>(group));
