import type { BitcoindClient } from '@kaccy/bitcoin/adapters/bitcoind'
import { blockHash, type Txid } from '@kaccy/bitcoin/kernel'
import { expect } from 'vitest'

export type Play = (client: BitcoindClient, params: never[]) => Promise<unknown>

/** What is asked of the client, and what must come of it. `throws` is matched against the error. */
export interface Case {
  readonly play: Play
  readonly gives?: unknown
  readonly throws?: object
  readonly check?: (value: never) => void
}
export type Cases = Readonly<Record<string, Case>>

/** Transactions and blocks that stand in the recordings. */
export const A = 'd98bed8d4e9dc34db711cbf6c9306a8f0288019de06b6e3bc958f814283c752b' as Txid
export const R = 'e6371d8f8fc23167fb2aa9639abb087d10d078ef2eb7769e6910188f81d66647' as Txid
export const B = '6b4cbcc2835bdb4038389cc4c253576c843e69c2cc8216a06c307dcd7ff6904c' as Txid
export const SENT = '76c9db90f19d37c1bb3e060bcada6ec4fd961e93f9b109a0a94d6ec9e90d3de7' as Txid
export const H111 = blockHash('266916fc6c9391bde6748467a2b3be7d970e017e72483f5c86df42c19ebb039d')
export const H110 = blockHash('76d24fd4afa7052ecaf6723e8ad9b47a79c259957bd93644da1be6b6f6063fb4')

export const refusedWith = (code: number) => ({
  code: 'NODE_CALL_REFUSED',
  details: { rpc_code: code },
})
export const same = (value: unknown) => (given: never) => expect(given).toEqual(value)
