/** Carries out acts on one thing, a VM say, one after the other; acts on different ones don't wait for each other. */
export class ActQueue<Id = number> {
  private readonly last = new Map<Id, Promise<unknown>>();

  run<T>(id: Id, act: () => Promise<T>): Promise<T> {
    const before = this.last.get(id) ?? Promise.resolve();
    const result = before.then(act, act);
    this.last.set(id, result);
    const forget = () => {
      if (this.last.get(id) === result) this.last.delete(id);
    };
    result.then(forget, forget);
    return result;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.last.size > 0) await Promise.allSettled(this.last.values());
  }
}
