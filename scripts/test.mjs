import "./setup/nodeVersion.mjs";

import("./setup/test.mjs");
