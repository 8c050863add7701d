import type { Transactor } from '../../kernel/index.ts'
import { formatIp, parseIp } from '../../protocol/ip/index.ts'
import type { ApiKeyRecord, KeyUse } from './ports.ts'
import type { AccessTx } from './transaction.ts'

/** The last use is for people: to the minute is enough, and a busy key costs one write in it. */
const RESOLUTION_MS = 60_000

/** Notes in memory who used which key, and writes it down when told to: no request waits for that. */
export interface Uses {
  /** @param address as the caller says it */
  note(key: ApiKeyRecord, at: number, address: string): void
  /** Writes what was noted in a transaction of its own; answers for how many keys. */
  flush(): Promise<number>
}

export function createUses(store: Transactor<AccessTx>): Uses {
  let pending = new Map<string, KeyUse>()
  return {
    note({ id, lastUsedAt }, at, address) {
      if (lastUsedAt !== undefined && at - lastUsedAt < RESOLUTION_MS) return
      const from = plainAddress(address)
      pending.set(id, { id, at, ...(from === undefined ? {} : { from }) })
    },
    async flush() {
      if (pending.size === 0) return 0
      const taken = pending
      pending = new Map()
      try {
        await store.transact((tx) => tx.access.touch([...taken.values()]))
      } catch (error) {
        // Uses noted meanwhile are newer than what could not be written.
        pending = new Map([...taken, ...pending])
        throw error
      }
      return taken.size
    },
  }
}

/** As it is kept: one spelling, and nothing that is not an address. */
const plainAddress = (text: string): string | undefined => {
  const address = parseIp(text)
  return address && formatIp(address)
}
