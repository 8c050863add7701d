import type { TypedChain } from '../cli/console.ts'
import { type Deed, TYPED, type World } from './world.ts'

/** The demo's chain for somebody who types: every word is a deed that is written down, so the next run has it too. */
export function typedChain({ devnet, done, perform }: World): TypedChain {
  const act = (deed: Deed) => perform(`${TYPED}${done.length + 1}`, deed)
  return {
    get tip() {
      return devnet.tip
    },
    pay(address, amount) {
      const before = new Set(devnet.view.mempool())
      act({ do: 'give', address, amount: Number(amount) })
      const txid = devnet.view.mempool().find((id) => !before.has(id)) ?? ''
      return { txid }
    },
    mine: (blocks) => act({ do: 'mine', blocks }),
    reorg: (depth) => act({ do: 'undo', depth }),
  }
}
