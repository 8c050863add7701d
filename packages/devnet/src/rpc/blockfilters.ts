import { toHex, toReversedHex, tryFromHex } from '../chain/bytes.ts'
import { blockTouches, filterMatches, filterOf } from '../filters/blockfilter.ts'
import { blockArgument, nodeArgument } from './blockchain.ts'
import { scanObject } from './coinset.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { hashArgument, int32Argument, type Method, method, type RpcContext } from './method.ts'

function checkType(name: unknown): void {
  if (name !== undefined && name !== 'basic') {
    throw rpcError('invalidAddressOrKey', 'Unknown filtertype')
  }
}
function getBlockFilter(context: RpcContext, [hash, type]: readonly unknown[]): Json {
  const { chain } = context.regtest
  hashArgument(hash, 'blockhash')
  checkType(type)
  const node = nodeArgument(context, hash, 'blockhash')
  const filter = filterOf(chain, node)
  if (!filter) {
    const fault = 'Filter not found. Block was not connected to active chain.'
    throw rpcError('invalidAddressOrKey', fault)
  }
  return { filter: toHex(filter.encoded), header: toReversedHex(filter.header) }
}

function heightArgument({ regtest }: RpcContext, value: unknown, fallback: number, name: string) {
  if (value === undefined) return fallback
  const height = int32Argument(value)
  if (!regtest.chain.active[height]) throw rpcError('misc', `Invalid ${name}`)
  return height
}
function scanFrom(context: RpcContext, args: readonly unknown[]): Json {
  const [, objects, start, stop, type, options] = args
  checkType(type)
  const { chain } = context.regtest
  const from = heightArgument(context, start, 0, 'start_height')
  const to = heightArgument(context, stop, chain.tip.height, 'stop_height')
  if (to < from) throw rpcError('misc', 'Invalid stop_height')
  if (!Array.isArray(objects)) {
    const kind = objects === undefined ? 'null' : typeof objects
    throw rpcError('typeError', `JSON value of type ${kind} is not of expected type array`)
  }
  const wanted = new Set(objects.flatMap((object) => scanObject(object).scripts))
  const scripts = [...wanted].map((hex) => tryFromHex(hex) ?? new Uint8Array())
  const exact =
    (options as { readonly filter_false_positives?: unknown } | undefined)
      ?.filter_false_positives === true
  const found = chain.active.slice(from, to + 1).filter((node) => {
    const filter = filterOf(chain, node)
    if (!filter || !filterMatches(node, filter, scripts)) return false
    const undo = chain.undo.get(node.hash) ?? []
    return !exact || blockTouches(blockArgument(context, node), undo, wanted)
  })
  return {
    from_height: from,
    to_height: to,
    relevant_blocks: found.map(({ hash }) => hash),
    completed: true,
  }
}
function scanBlocks(context: RpcContext, args: readonly unknown[]): Json {
  switch (args[0]) {
    case 'start':
      return scanFrom(context, args)
    // A scan here never outlives its own call: there is none to report or to stop.
    case 'status':
      return null
    case 'abort':
      return false
    default:
      throw rpcError('invalidParameter', `Invalid action '${args[0]}'`)
  }
}

export const blockFilterMethods: readonly Method[] = [
  method('getblockfilter', ['blockhash:string', 'filtertype:string?'], getBlockFilter),
  method(
    'scanblocks',
    [
      'action:string',
      'scanobjects:array?',
      'start_height:number?',
      'stop_height:number?',
      'filtertype:string?',
      'options:object?',
    ],
    scanBlocks,
  ),
]
