import { refuse } from '@kaccy/bitcoin/kernel'
import { RefusedError } from './problem.ts'

const RETRY_AFTER_S = '5'

/**
 * Lets one caller at a time do what reads everything there is: a key that may ask must not take the server from all others
 * by asking often. @throws RefusedError RATE_LIMITED while somebody else's runs
 */
export function aloneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let isBusy = false
  return async (work) => {
    if (isBusy)
      throw new RefusedError(
        refuse('RATE_LIMITED', 'this reads everything, and somebody else has it running').error,
        { 'retry-after': RETRY_AFTER_S },
      )
    isBusy = true
    try {
      return await work()
    } finally {
      isBusy = false
    }
  }
}
