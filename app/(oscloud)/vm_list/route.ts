import { labListEndpoint } from "../../../lib/api/endpoints/lab";
import { serveLab } from "../../../lib/api/lab/serve";

export const { GET } = serveLab(labListEndpoint);
