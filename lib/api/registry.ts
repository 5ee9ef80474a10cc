import type { AnyEndpoint } from "./endpoint";
import * as access from "./endpoints/access";
import * as activity from "./endpoints/activity";
import * as catalogue from "./endpoints/catalogue";
import * as vmActs from "./endpoints/vmActs";
import * as vms from "./endpoints/vms";

/** Every endpoint of the API: what the OpenAPI document, and the tests that walk the API, are made from. */
export const allEndpoints: readonly AnyEndpoint[] = [vms, vmActs, catalogue, access, activity].flatMap((group) =>
  Object.values<AnyEndpoint>(group),
);
