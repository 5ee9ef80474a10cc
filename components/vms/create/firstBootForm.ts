import type { z } from "zod";
import type { FieldErrors } from "../../../lib/domain/errors";
import { type FirstBootInput, firstBootInputSchema } from "../../../lib/domain/firstBoot";
import { linesOf } from "./linesOf";

/** A user to be made, as it stands in the form. */
export interface UserDraft {
  /** Tells drafts apart while they are edited. */
  key: number;
  name: string;
  sudo: boolean;
  /** Public keys or names of saved ones, one a line. */
  sshKeys: string;
  password: string;
}

/** What the first boot is asked for, as typed. */
export interface FirstBootForm {
  /** Of the image's own user. */
  password: string;
  users: UserDraft[];
  timezone: string;
  locale: string;
  /** Names with blanks, commas or line ends between. */
  packages: string;
}

export const emptyFirstBootForm: FirstBootForm = { password: "", users: [], timezone: "", locale: "", packages: "" };

/** The part of the request, without what was left empty. */
export function firstBootRequestOf(form: FirstBootForm): z.input<typeof firstBootInputSchema> {
  const users = form.users.map(({ name, sudo, sshKeys, password }) => ({
    name: name.trim(),
    ...(sudo && { sudo }),
    ...(sshKeys.trim() && { sshKeys: linesOf(sshKeys) }),
    ...(password && { password }),
  }));
  const packages = packagesOf(form.packages);
  return {
    ...(form.password && { password: form.password }),
    ...(users.length > 0 && { users }),
    ...(form.timezone.trim() && { timezone: form.timezone.trim() }),
    ...(form.locale.trim() && { locale: form.locale.trim() }),
    ...(packages.length > 0 && { packages }),
  };
}

function packagesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** The request's part if it is one, for a preview; undefined while something in it is no value. */
export function validFirstBootOf(form: FirstBootForm): FirstBootInput | undefined {
  return firstBootInputSchema.safeParse(firstBootRequestOf(form)).data;
}

/** Problems of single keys and packages, at the field in which these are lines of a text. */
export function atFirstBootFields(problems: FieldErrors, form: FirstBootForm): FieldErrors {
  const packages = packagesOf(form.packages);
  return Object.fromEntries(
    Object.entries(problems).map(([field, message]) => {
      const [, user] = /^users\.(\d+)\.sshKeys\.\d+$/.exec(field) ?? [];
      if (user !== undefined) return [`users.${user}.sshKeys`, message];
      const [, index] = /^packages\.(\d+)$/.exec(field) ?? [];
      return index === undefined ? [field, message] : ["packages", `${packages[Number(index)]}: ${message}`];
    }),
  );
}
