import {
  ByteReader,
  ByteWriter,
  hashBytes,
  toHex,
  toReversedHex,
  tryFromHex,
} from '../chain/bytes.ts'
import type { Coin } from '../chain/node.ts'
import type { Regtest } from '../powers/regtest.ts'
import { type Json, writeJson } from '../rpc/json.ts'
import type { RestReply } from '../rpc/server.ts'
import { scriptView } from '../rpc/view.ts'
import { binaryReply, type Path, RestFault, rejectFormat, textReply } from './path.ts'

const MAX_OUTPOINTS = 15
/** Height of a coin that no block holds yet. Source: Core, MEMPOOL_HEIGHT. */
const MEMPOOL_HEIGHT = 0x7fffffff

interface Question {
  readonly checkMempool: boolean
  readonly outpoints: readonly (readonly [txid: string, vout: number])[]
}

function askedInPath(name: string): Question | undefined {
  if (name.length <= 1) return undefined
  const parts = name.slice(1).split('/')
  const checkMempool = parts[0] === 'checkmempool'
  const outpoints = parts.slice(checkMempool ? 1 : 0).map((part) => {
    const [, txid = '', vout = ''] = /^([0-9a-fA-F]{64})-(\d{1,10})$/.exec(part) ?? []
    if (txid === '' || Number(vout) > 0xffffffff) throw new RestFault(400, 'Parse error')
    return [txid.toLowerCase(), Number(vout)] as const
  })
  if (outpoints.length === 0) throw new RestFault(400, 'Error: empty request')
  return { checkMempool, outpoints }
}
/**
 * The binary question of BIP 64, one flag and the outpoints, as Core reads it: it puts the length of the body in front, takes that
 * for the flag, and the flag for the count of outpoints.
 */
function askedInBody(body: Uint8Array): Question {
  try {
    const reader = new ByteReader(new ByteWriter().script(body).done())
    const checkMempool = reader.u8() !== 0
    const outpoints: [string, number][] = []
    for (let left = reader.size(); left > 0; left--) {
      outpoints.push([toReversedHex(reader.take(32)), reader.u32()])
    }
    return { checkMempool, outpoints }
  } catch {
    throw new RestFault(400, 'Parse error')
  }
}
function readQuestion(path: Path, body: Uint8Array): Question {
  const asked = askedInPath(path.name)
  if (!asked && body.length === 0) throw new RestFault(400, 'Error: empty request')
  if (path.format === undefined) throw rejectFormat()
  if (path.format === 'json') {
    if (!asked) throw new RestFault(400, 'Error: empty request')
    return asked
  }
  if (body.length === 0) return asked ?? { checkMempool: false, outpoints: [] }
  const raw = path.format === 'hex' ? tryFromHex(Buffer.from(body).toString('latin1').trim()) : body
  if (asked && raw?.length !== 0) {
    const fault = 'Combination of URI scheme inputs and raw post data is not allowed'
    throw new RestFault(400, fault)
  }
  return askedInBody(raw ?? new Uint8Array())
}

function coinOf(
  { chain, mempool }: Regtest,
  [txid, vout]: readonly [string, number],
  withMempool: boolean,
): Coin | undefined {
  const key = `${txid}:${vout}`
  if (!withMempool) return chain.coins.get(key)
  if (mempool.pool.spenders.has(key)) return undefined
  if (!mempool.pool.entries.has(txid)) return chain.coins.get(key)
  const coin = mempool.coinAt(txid, key, vout)
  return coin && { ...coin, height: MEMPOOL_HEIGHT }
}

/** `/rest/getutxos`. Source: BIP 64, Core's REST interface. */
export function unspentOutputs(regtest: Regtest, path: Path, body: Uint8Array): RestReply {
  const { checkMempool, outpoints } = readQuestion(path, body)
  if (outpoints.length > MAX_OUTPOINTS) {
    const numbers = `(max: ${MAX_OUTPOINTS}, tried: ${outpoints.length})`
    throw new RestFault(400, `Error: max outpoints exceeded ${numbers}`)
  }
  const found = outpoints.map((outpoint) => coinOf(regtest, outpoint, checkMempool))
  const coins = found.filter((coin) => coin !== undefined)
  const { tip } = regtest.chain
  if (path.format === 'json') {
    const answer: Json = {
      chainHeight: tip.height,
      chaintipHash: tip.hash,
      bitmap: found.map((coin) => (coin ? '1' : '0')).join(''),
      utxos: coins.map(({ height, value, script }) => ({
        height,
        value,
        scriptPubKey: scriptView(script),
      })),
    }
    return { status: 200, contentType: 'application/json', body: `${writeJson(answer)}\n` }
  }
  const bits = new Uint8Array(Math.ceil(found.length / 8))
  found.forEach((coin, i) => {
    if (coin) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
  })
  const writer = new ByteWriter().u32(tip.height).put(hashBytes(tip.hash)).script(bits)
  writer.size(coins.length)
  // Each coin begins with the version of its transaction, which Core no longer knows.
  for (const { height, value, script } of coins) writer.u32(0).u32(height).u64(value).script(script)
  const bytes = writer.done()
  return path.format === 'hex' ? textReply(`${toHex(bytes)}\n`) : binaryReply(bytes)
}
