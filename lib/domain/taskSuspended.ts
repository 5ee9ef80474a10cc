/**
 * Why a task's signal is aborted when it is to go on later: the agent stops, and runs it again at its next start. What it has done so far may
 * stay where it is. Any other reason means that nobody wants the task any more.
 */
export class TaskSuspended extends Error {
  constructor() {
    super("The agent stops; the work goes on when it is back.");
    this.name = "TaskSuspended";
  }
}
