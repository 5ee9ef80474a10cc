/** A sound file, and a host file that a bad one may try to have read. */
export interface Material {
  qcow2: Buffer;
  canary: string;
}

export interface BadFile {
  name: string;
  make(material: Material): Buffer;
  /** Of the sentence that refuses it. */
  told: RegExp;
  kind?: "iso";
}
