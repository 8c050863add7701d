/**
 * The end of this turn of the event loop, one promise for all who ask within it: whoever waits goes on side by side with every
 * request that came in the same turn. Only then can they share a read and a commit, because a store in this process answers
 * before the next socket is looked at.
 */
export function createTurns(): () => Promise<void> {
  let end: Promise<void> | undefined
  return () => {
    end ??= new Promise((resolve) => {
      setImmediate(() => {
        end = undefined
        resolve()
      })
    })
    return end
  }
}

/** One for all of the process. */
export const endOfTurn = createTurns()
