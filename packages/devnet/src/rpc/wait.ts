import type { Json } from './json.ts'
import { hashArgument, int32Argument, type Method, method, type RpcContext } from './method.ts'

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
