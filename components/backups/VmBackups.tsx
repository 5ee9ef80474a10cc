"use client";

import { useBackupPolicy, useBackupRepositories } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { useShownVm } from "../vms/detail/vmContext";
import { BackupList } from "./BackupList";
import { PolicyCard } from "./PolicyCard";

/** When this VM is backed up by itself, and what is there. */
export function VmBackups() {
  const vm = useShownVm();
  const state = useBackupPolicy(vm.id);
  const repositories = useBackupRepositories();
  return (
    <div className="flex flex-col gap-4">
      <ReadingState reading={state} what="the backup policy">
        {({ policy, nextAt }) => (
          <ReadingState reading={repositories} what="backup repositories">
            {(all) => (
              <>
                <PolicyCard
                  key={JSON.stringify(policy)}
                  vm={vm}
                  policy={policy}
                  nextAt={nextAt}
                  repositories={all}
                  onChange={state.reload}
                />
                <BackupList vm={vm} repositories={all} />
              </>
            )}
          </ReadingState>
        )}
      </ReadingState>
    </div>
  );
}
