import { hashBytes, toHex } from '../chain/bytes.ts'
import type { BlockNode } from '../chain/node.ts'
import { filterOf } from '../filters/blockfilter.ts'
import { callMethod } from '../rpc/dispatch.ts'
import { RpcError } from '../rpc/errors.ts'
import { type Json, writeJson } from '../rpc/json.ts'
import type { RpcContext } from '../rpc/method.ts'
import type { RestReply } from '../rpc/server.ts'
import { transactionView } from '../rpc/view.ts'
import { unspentOutputs } from './utxos.ts'
import {
  binaryReply,
  hashIn,
  type Path,
  RestFault,
  readCount,
  readPath,
  rejectFormat,
  textReply,
  wantJson,
} from './path.ts'

export interface RestSource {
  readonly context: RpcContext
  /** Set while the node warms up. */
  readonly warmingUp: () => string | undefined
}
type Handler = (context: RpcContext, path: Path, body: Uint8Array) => RestReply

const json = (value: Json): RestReply => ({
  status: 200,
  contentType: 'application/json',
  body: `${writeJson(value)}\n`,
})
/** One answer in the three formats. */
function inFormat(path: Path, bytes: () => Uint8Array, value: () => Json): RestReply {
  switch (path.format) {
    case 'bin':
      return binaryReply(bytes())
    case 'hex':
      return textReply(`${toHex(bytes())}\n`)
    case 'json':
      return json(value())
    default:
      throw rejectFormat()
  }
}

function transaction(context: RpcContext, path: Path): RestReply {
  const txid = hashIn(path.name)
  const { chain, mempool } = context.regtest
  const place = chain.index.get(txid)
  const node = place && chain.nodes.get(place.hash)
  const waiting = mempool.pool.entries.get(txid)?.transaction
  const found = waiting ?? (node && chain.blockOf(node)?.transactions[place.position])
  if (!found) throw new RestFault(404, `${path.name} not found`)
  const block = waiting ? {} : { blockhash: node?.hash }
  const { hex, ...view } = transactionView(found)
  return inFormat(
    path,
    () => found.raw,
    () => ({ ...view, ...block, hex }),
  )
}
const block =
  (verbosity: number): Handler =>
  (context, path) => {
    const hash = hashIn(path.name)
    const { chain } = context.regtest
    const node = chain.nodes.get(hash)
    if (!node) throw new RestFault(404, `${path.name} not found`)
    const found = chain.blockOf(node)
    if (!found && node.height < chain.pruneHeight) {
      throw new RestFault(404, `${path.name} not available (pruned data)`)
    }
    if (!found) throw new RestFault(404, `${path.name} not found`)
    return inFormat(
      path,
      () => found.raw,
      () => callMethod(context, 'getblock', [hash, verbosity]),
    )
  }

/** Up to `count` blocks of the best chain from this one on; none when it is not on it. */
function blocksFrom({ regtest }: RpcContext, hash: string, count: number): readonly BlockNode[] {
  const { chain } = regtest
  const node = chain.nodes.get(hash)
  if (!node || !chain.isActive(node)) return []
  return chain.active.slice(node.height, node.height + count)
}
function headers(context: RpcContext, path: Path): RestReply {
  const parts = path.name.split('/')
  if (parts.length > 2) {
    const form = '/rest/headers/<hash>.<ext>?count=<count>'
    throw new RestFault(400, `Invalid URI format. Expected ${form}`)
  }
  // The old form has the count in front.
  const [count, name = ''] = parts.length === 2 ? parts : [path.query('count') ?? '5', parts[0]]
  const wanted = readCount(count ?? '')
  const nodes = blocksFrom(context, hashIn(name), wanted)
  return inFormat(
    path,
    () => Buffer.concat(nodes.map(({ header }) => header.bytes)),
    () => nodes.map(({ hash }) => callMethod(context, 'getblockheader', [hash])),
  )
}

const NO_FILTER = 'Filter not found. Block was not connected to active chain.'
function checkFilterType(name: string | undefined): void {
  if (name !== 'basic') throw new RestFault(400, `Unknown filtertype ${name}`)
}
function filter(context: RpcContext, path: Path): RestReply {
  const [type, name, ...more] = path.name.split('/')
  if (name === undefined || more.length > 0) {
    const form = '/rest/blockfilter/<filtertype>/<blockhash>'
    throw new RestFault(400, `Invalid URI format. Expected ${form}`)
  }
  const hash = hashIn(name)
  checkFilterType(type)
  const { chain } = context.regtest
  const node = chain.nodes.get(hash)
  if (!node) throw new RestFault(404, `${name} not found`)
  const found = filterOf(chain, node)
  if (!found) throw new RestFault(404, NO_FILTER)
  const { encoded } = found
  return inFormat(
    path,
    // Type, block, and the filter with its length.
    () => Buffer.concat([Uint8Array.of(0), hashBytes(hash), sized(encoded)]),
    () => ({ filter: toHex(encoded) }),
  )
}
function sized(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const head = length < 253 ? [length] : [253, length & 255, length >> 8]
  const long = [254, length & 255, (length >> 8) & 255, (length >> 16) & 255, length >>> 24]
  return Buffer.concat([Uint8Array.from(length > 0xffff ? long : head), bytes])
}
function filterHeaders(context: RpcContext, path: Path): RestReply {
  const parts = path.name.split('/')
  const [type] = parts
  if (parts.length < 2 || parts.length > 3) {
    const form = '/rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>'
    throw new RestFault(400, `Invalid URI format. Expected ${form}`)
  }
  const count = parts.length === 3 ? (parts[1] ?? '') : (path.query('count') ?? '5')
  const wanted = readCount(count)
  const hash = hashIn(parts[parts.length - 1] ?? '')
  checkFilterType(type)
  const { chain } = context.regtest
  const found = blocksFrom(context, hash, wanted).map((node) => {
    const own = filterOf(chain, node)
    if (!own) throw new RestFault(404, NO_FILTER)
    return own.header
  })
  return inFormat(
    path,
    () => Buffer.concat(found),
    () => found.map((header) => toHex(header.slice().reverse())),
  )
}

const only =
  (method: string): Handler =>
  (context, path) => {
    wantJson(path)
    return json(callMethod(context, method))
  }
function deployments(context: RpcContext, path: Path): RestReply {
  wantJson(path)
  if (path.name === '') return json(callMethod(context, 'getdeploymentinfo'))
  const hash = hashIn(path.name)
  if (!context.regtest.chain.nodes.has(hash)) throw new RestFault(400, 'Block not found')
  return json(callMethod(context, 'getdeploymentinfo', [hash]))
}
function flag(path: Path, name: string, fallback: 'true' | 'false'): boolean {
  const value = path.query(name) ?? fallback
  if (value === 'true' || value === 'false') return value === 'true'
  const fault = `The "${name}" query parameter must be either "true" or "false".`
  throw new RestFault(400, fault)
}
function mempool(context: RpcContext, path: Path): RestReply {
  if (path.name !== 'contents' && path.name !== 'info') {
    const form = '/rest/mempool/<info|contents>.json'
    throw new RestFault(400, `Invalid URI format. Expected ${form}`)
  }
  wantJson(path)
  if (path.name === 'info') return json(callMethod(context, 'getmempoolinfo'))
  const verbose = flag(path, 'verbose', 'true')
  const sequence = flag(path, 'mempool_sequence', 'false')
  if (verbose && sequence) {
    const hint = '(hint: set "verbose=false")'
    throw new RestFault(400, `Verbose results cannot contain mempool sequence values. ${hint}`)
  }
  return json(callMethod(context, 'getrawmempool', [verbose, sequence]))
}
function hashByHeight({ regtest }: RpcContext, path: Path): RestReply {
  const height = /^[+-]?\d+$/.test(path.name) ? Number(path.name) : -1
  if (height < 0 || height > 0x7fffffff) {
    throw new RestFault(
      400,
      `Invalid height: ${path.name.replace(/[^\w .,;:/?@()+=<>[\]{}-]/g, '')}`,
    )
  }
  const node = regtest.chain.active[height]
  if (!node) throw new RestFault(404, 'Block height out of range')
  if (path.format === 'hex') return textReply(`${node.hash}\n`)
  return inFormat(
    path,
    () => hashBytes(node.hash),
    () => ({ blockhash: node.hash }),
  )
}

/** In Core's order: the first prefix that fits is taken. */
const HANDLERS: readonly (readonly [prefix: string, handler: Handler])[] = [
  ['/rest/tx/', transaction],
  ['/rest/block/notxdetails/', block(1)],
  ['/rest/block/', block(3)],
  ['/rest/blockfilter/', filter],
  ['/rest/blockfilterheaders/', filterHeaders],
  ['/rest/chaininfo', only('getblockchaininfo')],
  ['/rest/mempool/', mempool],
  ['/rest/headers/', headers],
  ['/rest/getutxos', ({ regtest }, path, body) => unspentOutputs(regtest, path, body)],
  ['/rest/deploymentinfo/', deployments],
  ['/rest/deploymentinfo', deployments],
  ['/rest/blockhashbyheight/', hashByHeight],
]

/** The answer to a path of Core's REST interface; undefined where there is none. Never throws. */
export function answerRest(
  source: RestSource,
  url: string,
  body: Uint8Array,
): RestReply | undefined {
  const [prefix, handler] = HANDLERS.find(([start]) => url.startsWith(start)) ?? []
  if (prefix === undefined || !handler) return undefined
  try {
    const warming = source.warmingUp()
    if (warming !== undefined) {
      throw new RestFault(503, `Service temporarily unavailable: ${warming}`)
    }
    return handler(source.context, readPath(url.slice(prefix.length)), body)
  } catch (fault) {
    if (fault instanceof RestFault) {
      return { status: fault.status, contentType: 'text/plain', body: `${fault.message}\r\n` }
    }
    // A call that this stands on refused.
    if (!(fault instanceof RpcError)) throw fault
    return { status: 500, contentType: 'text/plain', body: `${fault.message}\r\n` }
  }
}
