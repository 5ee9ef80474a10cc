import { copyFile, readFile, statfs } from "node:fs/promises";
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { CumulusError, messageOf } from "../domain/errors";
import type { Accelerator } from "../domain/host";
import type { MachineSpec, Observation } from "../domain/machine";
import type { TimelineStep } from "../domain/timeline";
import { failpoint } from "../failpoints";
import { isErrno, writeFileAtomic } from "../system/files";
import type { Log } from "../system/log";
import type { MachineUser } from "../system/machineUsers";
import { closeRunFolder, makeRunFolder, openRunFolder } from "./folders";
import { BootWatch } from "./guest/bootWatch";
import type { MachinePaths } from "./machinePaths";
import {
  type LiveState,
  type MachineState,
  observationOf,
  withEnd,
  withNewBoot,
  withOperation,
  withoutProcess,
} from "./machineState";
