import {
  COMMITMENT_PREFIX,
  decodeBlock,
  REGTEST_BITS,
  subsidyAt,
  witnessCommitment,
} from '../chain/block.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { testBlock } from '../chain/trial.ts'
import { selectForBlock } from '../mempool/select.ts'
import type { Regtest } from '../powers/regtest.ts'
import { sigopCost } from '../script/sigops.ts'
import { testDeployment } from './deployments.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { hashArgument, type Method, method, type RpcContext, textArgument } from './method.ts'

const MAX_WEIGHT = 4_000_000
const MAX_SIGOPS = 80_000
/** A miner that asks for news waits this long for new transactions before it gets the same block with more fees. */
const TRANSACTIONS_MS = 60_000
const RESERVED = new Uint8Array(32)

type Wish = Readonly<Record<string, unknown>>

/** Judges a block without its proof of work. Source: BIP 23. */
function propose({ regtest }: RpcContext, wish: Wish): Json {
  const { data } = wish
  if (typeof data !== 'string') {
    throw rpcError('typeError', 'Missing data String key for proposal')
  }
  const bytes = tryFromHex(data)
  const block = bytes && decodeBlock(bytes)
  if (!block) throw rpcError('deserialization', 'Block decode failed')
  const { chain } = regtest
  const { hash, prev } = block.header
  if (chain.nodes.has(hash)) {
    if (chain.failures.has(hash)) return 'duplicate-invalid'
    return chain.undo.has(hash) ? 'duplicate' : 'duplicate-inconclusive'
  }
  if (prev !== chain.tip.hash) return 'inconclusive-not-best-prevblk'
  return testBlock(chain, block)?.reason ?? null
}

function spentBy(regtest: Regtest, transaction: Transaction): readonly Coin[] {
  return transaction.inputs.flatMap(
    ({ txid, key, vout }) => regtest.mempool.coinAt(txid, key, vout) ?? [],
  )
}
function entryView(
  regtest: Regtest,
  transaction: Transaction,
  places: ReadonlyMap<string, number>,
): Json {
  const fee = regtest.mempool.pool.entries.get(transaction.txid)?.fee ?? 0n
  return {
    data: toHex(transaction.raw),
    txid: transaction.txid,
    hash: transaction.wtxid,
    depends: transaction.inputs.flatMap(({ txid }) => places.get(txid) ?? []),
    fee: Number(fee),
    sigops: sigopCost(transaction, spentBy(regtest, transaction)),
    weight: transaction.weight,
  }
}
function templateView({ regtest }: RpcContext): Json {
  const { tip } = regtest.chain
  const { transactions, fees } = selectForBlock(regtest.mempool.pool)
  regtest.noteTemplate(transactions)
  const places = new Map<string, number>()
  const shown = transactions.map((transaction, i) => {
    const view = entryView(regtest, transaction, places)
    places.set(transaction.txid, i + 1)
    return view
  })
  const { name, bit, state } = testDeployment(tip)
  const isOpen = state === 'started' || state === 'locked_in'
  const commitment = witnessCommitment(transactions, RESERVED)
  const height = tip.height + 1
  return {
    capabilities: ['proposal'],
    version: isOpen ? 0x20000000 + 2 ** bit : 0x20000000,
    rules: ['csv', '!segwit', ...(state === 'active' ? [name] : []), 'taproot'],
    vbavailable: isOpen ? { [name]: bit } : {},
    vbrequired: 0,
    previousblockhash: tip.hash,
    transactions: shown,
    coinbaseaux: {},
    coinbasevalue: Number(subsidyAt(height) + fees),
    longpollid: longPollId(regtest),
    target: `7fffff${'0'.repeat(58)}`,
    mintime: tip.medianTime + 1,
    mutable: ['time', 'transactions', 'prevblock'],
    noncerange: '00000000ffffffff',
    sigoplimit: MAX_SIGOPS,
    sizelimit: MAX_WEIGHT,
    weightlimit: MAX_WEIGHT,
    curtime: Math.max(regtest.now(), tip.medianTime + 1),
    bits: REGTEST_BITS.toString(16),
    height,
    default_witness_commitment: toHex(Uint8Array.of(...COMMITMENT_PREFIX, ...commitment)),
  }
}
const longPollId = ({ chain, mempool }: Regtest): string =>
  `${chain.tip.hash}${mempool.pool.sequence}`

/** BIP 22 long polling: until the tip is another one, or a minute has passed and the mempool changed. */
async function awaitNews(context: RpcContext, id: unknown): Promise<void> {
  const { regtest, waits } = context
  const seen = typeof id === 'string' ? id : longPollId(regtest)
  const tip = hashArgument(seen.slice(0, 64), 'longpollid')
  const sequence = seen.slice(64)
  while (true) {
    const ended = await waits.until(() => regtest.chain.tip.hash !== tip, TRANSACTIONS_MS)
    if (ended === 'ended') throw rpcError('notConnected', 'Shutting down')
    if (regtest.chain.tip.hash !== tip) return
    if (`${regtest.mempool.pool.sequence}` !== sequence) return
  }
}

function getBlockTemplate(context: RpcContext, [value]: readonly unknown[]): Json | Promise<Json> {
  const wish = (value ?? {}) as Wish
  const mode = wish['mode'] ?? 'template'
  if (typeof mode !== 'string') throw rpcError('invalidParameter', 'Invalid mode')
  if (mode === 'proposal') return propose(context, wish)
  const list = Array.isArray(wish['rules']) ? wish['rules'] : []
  const rules = new Set<unknown>(list.map(textArgument))
  if (mode !== 'template') throw rpcError('invalidParameter', 'Invalid mode')
  const give = (): Json => {
    if (rules.has('segwit')) return templateView(context)
    const fault = 'getblocktemplate must be called with the segwit rule set'
    throw rpcError('invalidParameter', `${fault} (call with {"rules": ["segwit"]})`)
  }
  const poll = wish['longpollid']
  return poll === undefined || poll === null ? give() : awaitNews(context, poll).then(give)
}

export const templateMethods: readonly Method[] = [
  method('getblocktemplate', ['template_request:object'], getBlockTemplate),
]
