/**
 * Sends a signal to a process that a test looked for. For kill(2), 0 and less are whole groups of processes: a missing pid is not to
 * become the group of the tests themselves.
 * @throws when there is no such process
 */
export function signal(pid: number | null | undefined, name: NodeJS.Signals): void {
  if (pid === undefined || pid === null || pid <= 0) throw new Error(`There is no process to send ${name} to.`);
  process.kill(pid, name);
}
