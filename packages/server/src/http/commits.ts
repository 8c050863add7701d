/** Says when this process has committed something. */
export interface Commits {
  /** Calls `listener` after every commit; the answer ends that. */
  onCommit(listener: () => void): () => void
}

/** What a store raises (`wakingStore`) and the streams listen to. */
export function createCommits(): Commits & { raise(): void } {
  const listeners = new Set<() => void>()
  return {
    onCommit(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    raise() {
      for (const listener of listeners) listener()
    },
  }
}
