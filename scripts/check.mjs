import "./setup/nodeVersion.mjs";

import("./setup/check.mjs");
