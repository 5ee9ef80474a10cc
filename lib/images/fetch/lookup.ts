import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { CumulusError } from "../../domain/errors";
import { isPublicAddress } from "./address";

/**
 * Name resolution that gives public addresses only, so that the connection goes to an address that was checked and no second answer of the
 * name server counts. A name that has no public address fails with `bad_request`.
 */
export function publicLookup(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, "", 0);
      const addresses = found.filter(({ address }) => isPublicAddress(address));
      const [first] = addresses;
      if (first === undefined) return callback(privateHost(hostname), "", 0);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Throws `bad_request` for a host that is itself an address, and no public one: such hosts are connected to without a lookup. */
export function assertPublicIfAddress(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw privateHost(hostname);
}

function privateHost(hostname: string): CumulusError {
  const message = `The image can't be fetched: ${hostname} is on this computer or a private network. An administrator may allow it in CUMULUS_IMAGE_HOSTS, or upload the file instead.`;
  return new CumulusError("bad_request", message, { fields: { url: message } });
}
