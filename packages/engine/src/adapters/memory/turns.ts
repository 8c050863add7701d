/** One writer alone, or any number of readers together; first come, first served. */
export interface Turns {
  write<T>(work: () => Promise<T>): Promise<T>
  read<T>(work: () => Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  /** Resolves when the last writer in line is done. */
  let writer: Promise<void> = Promise.resolve()
  /** Readers that the next writer has to wait for. */
  let readers: Promise<void>[] = []
  const settled = (promise: Promise<unknown>): Promise<void> =>
    promise.then(
      () => {},
      () => {},
    )
  return {
    write(work) {
      const before = [writer, ...readers]
      readers = []
      const run = Promise.all(before).then(work)
      writer = settled(run)
      return run
    },
    read(work) {
      const run = writer.then(work)
      const done = settled(run)
      readers.push(done)
      void done.then(() => {
        readers = readers.filter((reader) => reader !== done)
      })
      return run
    },
  }
}
