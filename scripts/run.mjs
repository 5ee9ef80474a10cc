import "./setup/nodeVersion.mjs";

import("./setup/run.mjs");
