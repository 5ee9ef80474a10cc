import { readSettings } from "../../env";
import { downloadImage } from "../intake/downloadImage";
import { testImage } from "./images";

/** Downloads an image in a process of its own, that a test ends in the middle. Its argument: the address. The environment is an agent's. */
void downloadImage(
  { from: "url", url: process.argv[2] ?? "", checksum: null, image: testImage },
  {
    ...{ operationId: 5, settings: readSettings(), signal: new AbortController().signal },
    report: { progress() {}, log() {} },
  },
);
