import type { BackupPlace } from "../domain/backup";
import { CumulusError } from "../domain/errors";

type Bucket = Extract<BackupPlace, { kind: "s3" }>;

interface Meaning {
  words: RegExp;
  says: (place: Bucket, reason: string) => string;
  /** What of the place is likely wrong; absent where the store itself is. */
  field?: keyof Bucket;
}

/**
 * What the words mean that stores say of a failure: their own, by their code or message ("Amazon S3 API Reference", Error responses), those of restic's
 * S3 client where a store has none, and Go's of the network. The first that fits counts.
 */
const storeMeanings: Meaning[] = [
  {
    words: /access key id.* does not exist|InvalidAccessKeyId/i,
    says: () => "The store doesn't know this access key.",
    field: "accessKeyId",
  },
  {
    words: /signature we calculated does not match|SignatureDoesNotMatch/i,
    says: () => "The secret access key doesn't belong to this access key.",
    field: "secretAccessKey",
  },
  {
    words: /MakeBucket/,
    says: ({ bucket }, reason) =>
      `There is no bucket ${bucket}, and the store doesn't let this key make it. Make it there, or correct its name. The store said: ${reason}`,
    field: "bucket",
  },
  {
    words: /bucket name|InvalidBucketName|bucket is not valid/i,
    says: ({ bucket }) => `The store takes no bucket of the name ${bucket}.`,
    field: "bucket",
  },
  {
    words: /access denied|AccessDenied|403 Forbidden|AllAccessDisabled/i,
    says: ({ bucket }) =>
      `The store refuses this key access to the bucket ${bucket}: it must be allowed to list it, and to read, write and delete what is in it.`,
    field: "accessKeyId",
  },
  {
    words: /request rate|SlowDown|too many requests|50[0234] [A-Z]|internal error|InternalError|ServiceUnavailable/i,
    says: (_place, reason) => `The store is busy or out of order: try again in a while. It said: ${reason}`,
  },
  {
    words: /lookup |no such host/i,
    says: ({ endpoint }) => `This host can't find ${hostOf(endpoint)}: is the name right, and does its DNS work?`,
    field: "endpoint",
  },
  {
    words: /HTTP response to HTTPS client|first record does not look like a TLS handshake/i,
    says: ({ endpoint }) => `${hostOf(endpoint)} doesn't speak https: does the endpoint begin with http?`,
    field: "endpoint",
  },
  {
    words: /x509|certificate|tls: /i,
    says: ({ endpoint }, reason) => `This host doesn't trust the certificate of ${hostOf(endpoint)}: ${reason}`,
    field: "endpoint",
  },
  {
    words:
      /dial tcp|connection (refused|reset)|closed by foreign host|i\/o timeout|unreachable|no route to host|\bEOF\b|deadline exceeded/i,
    says: ({ endpoint }) => `${hostOf(endpoint)} doesn't answer: is the endpoint right, and does the store run?`,
    field: "endpoint",
  },
  {
    words: /time format is invalid|XML syntax error|expected element type/i,
    says: ({ endpoint }) => `What answers at ${hostOf(endpoint)} is no store that speaks S3.`,
    field: "endpoint",
  },
  {
    words: /30[1278] [A-Z]|PermanentRedirect|using the specified endpoint/i,
    says: ({ bucket, endpoint }) =>
      `${hostOf(endpoint)} sends elsewhere for the bucket ${bucket}: give the endpoint of its region.`,
    field: "endpoint",
  },
];

const folderMeanings: { words: RegExp; says: (path: string) => string }[] = [
  {
    words: /permission denied|operation not permitted/i,
    says: (path) => `The agent may not read and write all that is in ${path}: change its owner or its rights.`,
  },
  { words: /read-only file system/i, says: (path) => `${path} can't be written to: it is mounted read-only.` },
  {
    words: /input\/output error|stale (NFS )?file handle|transport endpoint is not connected|no such device/i,
    says: (path) =>
      `The disk or the share that holds ${path} doesn't answer as it should: check it, and mount it anew.`,
  },
];

/** What restic's last words mean to who asked, as an error. One about the place names the field that is likely wrong. */
export function failureOf(place: BackupPlace, said: string): CumulusError {
  const cause = { cause: said };
  if (/wrong password|no key found/i.test(said)) {
    return new CumulusError("bad_request", "The password doesn't open this repository.", {
      fields: { password: "It doesn't open this repository." },
    });
  }
  if (/repository is already locked/i.test(said)) {
    return new CumulusError(
      "conflict",
      "Another run works in this repository right now: wait until it is done.",
      cause,
    );
  }
  const reason = reasonOf(said);
  if (isNotThere(reason)) return new CumulusError("not_found", `The repository doesn't have it: ${reason}`, cause);
  if (/no space left on device|disk quota exceeded/i.test(reason)) {
    return new CumulusError("insufficient_capacity", `The repository's disk is full: ${reason}`, cause);
  }
  return failedPlace(place, reason, said) ?? unusable(reason, cause);
}

/** That nothing came of what was asked within the time that it has. */
export function noAnswer(place: BackupPlace, limitMs: number): CumulusError {
  const message = `${namedPlace(place)} didn't answer within ${Math.ceil(limitMs / 1000)} seconds.`;
  const field = place.kind === "s3" ? "endpoint" : "path";
  return new CumulusError("unavailable", message, { fields: { [`place.${field}`]: message } });
}

/** That what answered before has stopped to, in the middle of something long. */
export function stoppedAnswering(place: BackupPlace, stallMs: number): CumulusError {
  const minutes = Math.max(1, Math.round(stallMs / 60_000));
  return new CumulusError(
    "unavailable",
    `${namedPlace(place)} stopped answering: nothing more went to it or came from it for ${minutes} min.`,
  );
}

/** That the place gave back nothing of the repository that was just made in it. */
export function keepsNothing(place: BackupPlace): CumulusError {
  const message = `${namedPlace(place)} doesn't keep what is written to it.`;
  return new CumulusError("bad_request", message, {
    fields: { [place.kind === "s3" ? "place.endpoint" : "place.path"]: message },
  });
}

function failedPlace(place: BackupPlace, reason: string, said: string): CumulusError | undefined {
  if (place.kind === "folder") {
    const message = folderMeanings.find(({ words }) => words.test(reason))?.says(place.path);
    if (message === undefined) return undefined;
    return new CumulusError("unavailable", message, { fields: { "place.path": message }, cause: said });
  }
  const meaning = storeMeanings.find(({ words }) => words.test(reason));
  if (!meaning) return undefined;
  const message = meaning.says(place, reason.split(": ").at(-1) ?? reason);
  return new CumulusError("unavailable", message, {
    ...(meaning.field && { fields: { [`place.${meaning.field}`]: message } }),
    cause: said,
  });
}

function unusable(reason: string, cause: { cause: unknown }): CumulusError {
  return new CumulusError("unavailable", `The repository could not be used: ${reason || "it gave no reason"}`, cause);
}

/** Whether a store or a folder says that something isn't in it. That restic asks "Is there a repository at …?" says nothing: it does after any failure. */
function isNotThere(reason: string): boolean {
  if (/MakeBucket/.test(reason)) return false;
  return /key does not exist|bucket does not exist|bucket not found|NoSuchKey|NoSuchBucket|no such file or directory|not a directory|no matching ID found/i.test(
    reason,
  );
}

/** Why restic gave up, without the addresses it had asked: of those the user knows, and they could hold anything. */
function reasonOf(said: string): string {
  const fatal = /^Fatal: (.*)$/m.exec(said)?.[1] ?? said.split("\n").at(-1) ?? "";
  return fatal
    .replace(/^create repository at \S+ failed: /, "")
    .replace(/"?https?:\/\/[^\s"]+"?:? ?/g, "")
    .slice(0, 500);
}

function namedPlace(place: BackupPlace): string {
  return place.kind === "folder" ? place.path : `The store at ${hostOf(place.endpoint)}`;
}

function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
