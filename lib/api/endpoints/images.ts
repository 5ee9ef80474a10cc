import { z } from "zod";
import { listCatalogue } from "../../control/images/catalogue";
import { askForNewerBuild } from "../../control/images/newerBuild";
import { refreshImage } from "../../control/images/refresh";
import { removeImage } from "../../control/images/remove";
import { requestImage } from "../../control/images/request";
import { uploadImage } from "../../control/images/upload";
import { getImage, listImages } from "../../control/images/view";
import { catalogueItemSchema } from "../../domain/catalogueItem";
import { imageSchema } from "../../domain/image";
import { imageDetailSchema } from "../../domain/imageDetail";
import { createImageSchema, uploadImageSchema } from "../../domain/imageRequest";
import { operationSchema } from "../../domain/operation";
import { endpoint } from "../endpoint";
import { fileResponse } from "../fileResponse";
import { idempotencyKeyOf } from "../idempotencyKey";
import { requestFile } from "../requestFile";
import { asList, idParams, listOf } from "../shapes";

const tag = "Images";

export const listImagesEndpoint = endpoint({
  method: "GET",
  path: "/api/images",
  tag,
  summary: "List images",
  description: "By name, of each name the newest first.",
  response: listOf(imageSchema),
  handle: async ({ context }) => asList(await listImages(context)),
});

export const getImageEndpoint = endpoint({
  method: "GET",
  path: "/api/images/{id}",
  tag,
  summary: "Get an image",
  description: "With what holds on to it: VMs and snapshots by name.",
  params: idParams,
  response: imageDetailSchema,
  handle: ({ context, params }) => getImage(context, params.id),
});

export const createImageEndpoint = endpoint({
  method: "POST",
  path: "/api/images",
  tag,
  summary: "Add an image",
  description:
    "From the catalogue, any address, a build on the host, a recipe, a VM or a snapshot: exactly one of these. The operation says how far it is, and its result the image's id. " +
    "The same download or build asked for twice at once is one operation. A file of one's own goes to `PUT /api/images/upload`.",
  body: createImageSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, body, request }) => requestImage(context, actor, body, idempotencyKeyOf(request)),
});

export const uploadImageEndpoint = endpoint({
  method: "PUT",
  path: "/api/images/upload",
  tag,
  summary: "Upload an image",
  description:
    "The body is the file: qcow2, raw or ISO, also compressed by gzip, xz or zstd, at most 64 GiB. Answers when the host has all of it; the operation says when it is an image.",
  query: uploadImageSchema,
  takesFile: true,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, query, request }) => uploadImage(context, actor, query, requestFile(request)),
});

export const refreshImageEndpoint = endpoint({
  method: "POST",
  path: "/api/images/{id}/refresh",
  tag,
  summary: "Get an image anew",
  description:
    "The newest build of its catalogue entry, a new download, a new build, or its recipe run again on the newest base. The old image stays for what uses it.",
  params: idParams,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params }) => refreshImage(context, actor, params.id),
});

export const newerBuildEndpoint = endpoint({
  method: "POST",
  path: "/api/images/{id}/newer-build",
  tag,
  summary: "Ask for a newer build",
  description:
    "Asks the maker of an image of the catalogue, for 10 s at most, what it publishes now. `newerBuild` says whether that is another build, `published` when it was asked, and why it was not told.",
  params: idParams,
  response: imageDetailSchema,
  handle: ({ context, params }) => askForNewerBuild(context, params.id),
});

export const deleteImageEndpoint = endpoint({
  method: "DELETE",
  path: "/api/images/{id}",
  tag,
  summary: "Delete an image",
  description: "409 while VMs or snapshots use it, saying which.",
  params: idParams,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params }) => removeImage(context, actor, params.id),
});

export const imageFileEndpoint = endpoint({
  method: "GET",
  path: "/api/images/{id}/file",
  tag,
  summary: "Fetch an image's file",
  description: "A qcow2 image, or an ISO. Takes `Range` of one piece, so that a download can go on.",
  params: idParams,
  response: "application/octet-stream",
  handle: async ({ context, params, request }) => {
    const { name, sha256, kind } = await getImage(context, params.id);
    const file = await context.agent.openImage(sha256, request.headers.get("range"));
    return fileResponse(file, `${name}.${kind === "iso" ? "iso" : "qcow2"}`);
  },
});

export const listCatalogueEndpoint = endpoint({
  method: "GET",
  path: "/api/catalogue",
  tag,
  summary: "List the catalogue",
  description:
    "Cloud images that can be added, and which of them are here: official ones, and those of your own files in `catalogue.d` of the data folder. `problems` says which of those files can't be used, and why.",
  response: listOf(catalogueItemSchema).extend({ problems: z.array(z.string()) }),
  handle: async ({ context }) => {
    const { items, problems } = await listCatalogue(context);
    return { ...asList(items), problems };
  },
});
