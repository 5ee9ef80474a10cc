import { labCreateEndpoint } from "../../../lib/api/endpoints/lab";
import { serveLab } from "../../../lib/api/lab/serve";

export const { POST } = serveLab(labCreateEndpoint);
