import { createInterface } from 'node:readline'
import { EngineError, type Sat } from '@kaccy/bitcoin/kernel'
import { satText } from '../view/amount.ts'
import { readAmount, readNumber } from './arguments.ts'
import type { Context } from './context.ts'

/** A chain that does what somebody types. */
export interface TypedChain {
  readonly tip: { readonly height: number; readonly hash: string }
  pay(address: string, amount: Sat): { readonly txid: string }
  mine(blocks: number): void
  reorg(depth: number): void
}

export const WORDS = [
  'pay <address> <amount>   a customer pays, unconfirmed',
  'mine [n]                 blocks with what waits in the mempool',
  'reorg <depth>            the last blocks give way to empty ones',
  'tip                      where the chain is',
  'quit',
]

/** Reads words from standard input until `quit` or a signal. A closed input ends nothing: the process may run in the background. */
export async function obeyLines(context: Context, chain: TypedChain): Promise<void> {
  const { signal } = context.shell
  if (signal.aborted) return
  const lines = createInterface({ input: context.shell.stdin, signal })
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    lines.on('line', (line) => {
      const [word = '', ...args] = line.trim().split(/\s+/)
      if (word === 'quit') resolve()
      else if (word !== '') answer(context, () => obey(chain, word, args))
    })
  })
  lines.close()
}

function answer(context: Context, work: () => Answer): void {
  try {
    const { text, ...object } = work()
    if (context.json) context.object({ type: 'done', ...object })
    else context.line(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (context.json) context.object({ type: 'refused', reason })
    else context.line(context.paint('bad', reason))
  }
}

interface Answer {
  readonly text: string
  readonly [key: string]: string | number
}

/** @throws EngineError, or the chain's own error, with what is wrong */
function obey(
  chain: TypedChain,
  word: string,
  [first = '', second = '']: readonly string[],
): Answer {
  switch (word) {
    case 'pay': {
      const amount = readAmount(second, 'amount')
      const { txid } = chain.pay(first, amount)
      return { text: `paid ${satText(amount)} by ${txid}`, txid }
    }
    case 'mine':
      chain.mine(readNumber(first === '' ? '1' : first, 'n', 1, 1_000))
      return tipOf(chain)
    case 'reorg':
      chain.reorg(readNumber(first, 'depth', 1, chain.tip.height))
      return tipOf(chain)
    case 'tip':
      return tipOf(chain)
    default:
      throw new EngineError(
        'USAGE_INVALID',
        `no such word: ${word}; there are pay, mine, reorg, tip, quit`,
      )
  }
}

const tipOf = ({ tip }: TypedChain): Answer => ({
  text: `block ${tip.height} ${tip.hash}`,
  height: tip.height,
  hash: tip.hash,
})
