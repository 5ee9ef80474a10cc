import "./setup/nodeVersion.mjs";

import("./setup/build.mjs");
