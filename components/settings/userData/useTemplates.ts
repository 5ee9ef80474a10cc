"use client";

import type { UserDataTemplate } from "../../../lib/domain/userDataTemplate";
import { useList } from "../../data/hooks";
import { keys } from "../../data/keys";

export const useTemplates = () => useList<UserDataTemplate>(keys.userDataTemplates);
