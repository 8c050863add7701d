import type { Regtest } from '../powers/regtest.ts'
import type { Json } from './json.ts'
import { hashArgument, int32Argument, type Method, method, type RpcContext } from './method.ts'

export type WaitEnd = 'reached' | 'timeout' | 'ended'

/** Calls that wait for the chain to move. They end by the chain, by their time, or by the end of the node. */
export class Waits {
  readonly #regtest: Regtest
  readonly #open = new Set<() => void>()

  constructor(regtest: Regtest) {
    this.#regtest = regtest
  }
  /** Resolves when `isReached` says so after a change of the tip, after `ms` (0: never), or when the node ends. */
  until(isReached: () => boolean, ms: number): Promise<WaitEnd> {
    if (isReached()) return Promise.resolve('reached')
    return new Promise((resolve) => {
      const finish = (how: WaitEnd): void => {
        clearTimeout(timer)
        ignore()
        this.#open.delete(end)
        resolve(how)
      }
      const end = (): void => finish('ended')
      const timer = ms > 0 ? setTimeout(() => finish('timeout'), ms) : undefined
      const ignore = this.#regtest.happenings.listen(({ kind }) => {
        if ((kind === 'tipChanged' || kind === 'restored') && isReached()) finish('reached')
      })
      this.#open.add(end)
    })
  }
  /** The node ends: every call answers with the tip as it is. */
  endAll(): void {
    for (const end of [...this.#open]) end()
  }
  get size(): number {
    return this.#open.size
  }
}

function tipView({ regtest }: RpcContext): Json {
  const { hash, height } = regtest.chain.tip
  return { hash, height }
}
/** Like Core: a time below 0 is over at once, 0 waits without end. */
function timeArgument(value: unknown): number {
  const ms = int32Argument(value, 0)
  return ms < 0 ? Number.MIN_VALUE : ms
}
async function waitUntil(context: RpcContext, isReached: () => boolean, ms: number): Promise<Json> {
  await context.waits.until(isReached, ms)
  return tipView(context)
}

export const waitMethods: readonly Method[] = [
  method('waitfornewblock', ['timeout:number?'], (context, [timeout]) => {
    const { chain } = context.regtest
    const { tip } = chain
    return waitUntil(context, () => context.regtest.chain.tip !== tip, timeArgument(timeout))
  }),
  method('waitforblock', ['blockhash:string', 'timeout:number?'], (context, [hash, timeout]) => {
    const wanted = hashArgument(hash, 'blockhash')
    const isReached = () => context.regtest.chain.tip.hash === wanted
    return waitUntil(context, isReached, timeArgument(timeout))
  }),
  method('waitforblockheight', ['height:number', 'timeout:number?'], (context, args) => {
    const height = int32Argument(args[0])
    const isReached = () => context.regtest.chain.tip.height >= height
    return waitUntil(context, isReached, timeArgument(args[1]))
  }),
]
