/** Waits without blocking the process; a timer of the adapter, outside every simulation. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
