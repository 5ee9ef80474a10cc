import "./setup/nodeVersion.mjs";

import("./setup/up.mjs");
