import {
  type ChainHeader,
  type ChainSource,
  type CoinScan,
  type DescriptorRange,
  GENESIS,
  type MempoolView,
  type NodeCoin,
  type NodeInfo,
} from '../../capabilities/chain/index.ts'
import {
  type BlockHash,
  EngineError,
  type Network,
  type OutPoint,
  outPointKey,
  type SatPerKvB,
  satPerKvB,
  type Txid,
} from '../../kernel/index.ts'
import { fetchBlock, hashOfHeader, readRawHeader } from './block.ts'
import { isNotFound, refusedCall } from './calls/caller.ts'
import type { BlockchainInfo } from './calls/chain.ts'
import { readMempoolInfo, readTxids } from './calls/mempool.ts'
import { readNetTotals } from './calls/network.ts'
import { readTxOut } from './calls/transaction.ts'
import { type NodeCapabilities, probeCapabilities } from './capabilities.ts'
import { type BitcoindClient, createBitcoindClient } from './client.ts'
import { answerInvalid, type RpcCall, type RpcReply } from './envelope.ts'
import { askFees } from './fees.ts'
import { Field } from './field.ts'
import { createLife } from './life.ts'
import { networkOfChain } from './networks.ts'
import type { BitcoindOptions } from './options.ts'
import { fetchTransaction } from './previous.ts'

export interface BitcoindSource extends ChainSource {
  /** The typed calls below, for whoever needs more than the port has. */
  readonly client: BitcoindClient
  /** What this node can do: probed once, and again after the node was lost and found. */
  capabilities(): Promise<NodeCapabilities>
  close(): Promise<void>
}

/** Core leaves its first download when the tip is younger than this. */
const OLD_TIP_S = 24 * 3600
/** How far a header off the best chain is followed back to learn its height from a node that does not say it. */
const DEEPEST_BRANCH = 1_000

/** @throws NODE_OPTIONS_INVALID */
export function createBitcoindSource(options: BitcoindOptions): BitcoindSource {
  const client = createBitcoindClient(options)
  const node = new Node(client)
  return {
    client,
    capabilities: () => node.capabilities(),
    info: () => node.info(),
    hashAt: (height) => client.getBlockHash(height),
    header: (hash) => node.header(hash),
    block: (ref) => fetchBlock(client.rpc, ref),
    mempool: (previousEpoch) => node.mempool(previousEpoch),
    mempoolTransactions: (txids) => node.mempoolTransactions(txids),
    coins: (points) => node.coins(points),
    transaction: (txid, block) => fetchTransaction(client.rpc, txid, block),
    feeRates: (txids) => node.feeRates(txids),
    scanCoins: (ranges) => node.scanCoins(ranges),
    fees: async () => askFees(client.rpc, await node.capabilities()),
    close: async () => client.close(),
  }
}

/** Remembers of the node only what cannot change during one connection. */
class Node {
  readonly #client: BitcoindClient
  readonly #life: ReturnType<typeof createLife>
  #learned: { readonly life: number; readonly capabilities: Promise<NodeCapabilities> } | undefined
  #tipTime: { readonly hash: BlockHash; readonly time: number } | undefined

  constructor(client: BitcoindClient) {
    this.#client = client
    this.#life = createLife()
  }

  capabilities(): Promise<NodeCapabilities> {
    const life = this.#client.rpc.connectionLife()
    if (this.#learned?.life === life) return this.#learned.capabilities
    const capabilities = probeCapabilities(this.#client.rpc)
    const learned = { life, capabilities }
    this.#learned = learned
    // What failed is not remembered: the next caller asks again.
    capabilities.catch(() => {
      if (this.#learned === learned) this.#learned = undefined
    })
    return capabilities
  }

  async info(): Promise<NodeInfo> {
    const [chain, genesis] = await Promise.all([
      this.#client.getBlockchainInfo(),
      this.#client.getBlockHash(0),
    ])
    const network = networkOf(chain.chain, genesis)
    const tipTime = chain.time ?? (await this.#timeOf(chain.bestBlockHash))
    return {
      network,
      genesis: GENESIS[network],
      tip: { height: chain.blocks, hash: chain.bestBlockHash },
      headers: Math.max(chain.headers, chain.blocks),
      initialBlockDownload:
        chain.initialBlockDownload ?? this.#looksBehind(chain, network, tipTime),
      ...(chain.pruneHeight === undefined ? {} : { pruneHeight: chain.pruneHeight }),
      ...(tipTime === undefined ? {} : { tipTime }),
    }
  }

  /** Core's own rule for nodes that do not say it. A regtest chain stands still whenever nobody mines. */
  #looksBehind(chain: BlockchainInfo, network: Network, tipTime: number | undefined): boolean {
    if (chain.headers > chain.blocks) return true
    if (network === 'regtest' || tipTime === undefined) return false
    return this.#client.rpc.settings.clock.now() / 1000 - tipTime > OLD_TIP_S
  }

  async #timeOf(hash: BlockHash): Promise<number | undefined> {
    if (this.#tipTime?.hash === hash) return this.#tipTime.time
    const raw = await this.#client.getRawBlockHeader(hash)
    if (!raw) return undefined
    const { time } = provenHeader(raw, hash)
    this.#tipTime = { hash, time }
    return time
  }

  async header(
    hash: BlockHash,
  ): Promise<(ChainHeader & { readonly onBestChain: boolean }) | undefined> {
    const { rpc } = this.#client
    const reply = await rpc.ask('getblockheader', [hash, true])
    if (!reply.ok && isNotFound(reply.error)) return undefined
    // btcd knows a header off its best chain but not its height, and fails.
    if (!reply.ok && reply.error.code === -32603) return this.#headerOffChain(hash)
    if (!reply.ok) throw refusedCall('getblockheader', reply.error)
    const field = new Field('getblockheader', reply.result)
    if (field.get('hash').blockHash() !== hash) field.get('hash').no('is another block')
    const raw = field.maybe('previousblockhash')
    const height = field.get('height').count()
    if (!raw && height !== 0) field.get('previousblockhash').hash()
    return {
      hash,
      height,
      prev: raw ? raw.blockHash() : NO_BLOCK,
      time: field.get('time').count(),
      onBestChain: field.get('confirmations').integer() >= 0,
    }
  }

  /** Height by walking back to the best chain. */
  async #headerOffChain(hash: BlockHash): Promise<ChainHeader & { readonly onBestChain: boolean }> {
    let at = hash
    let first: { readonly prev: BlockHash; readonly time: number } | undefined
    for (let steps = 0; steps < DEEPEST_BRANCH; steps++) {
      const raw = await this.#client.getRawBlockHeader(at)
      if (!raw) break
      const header = provenHeader(raw, at)
      first ??= header
      const reply = await this.#client.rpc.ask('getblockheader', [header.prev, true])
      if (reply.ok) {
        const height = new Field('getblockheader', reply.result).get('height').count() + steps + 1
        return { hash, height, prev: first.prev, time: first.time, onBestChain: false }
      }
      at = header.prev
    }
    throw answerInvalid('getblockheader', 'height', 'cannot be found out')
  }

  /** All parts come from one batch, so from one life of the node; `loaded` is asked before the list. */
  async mempool(previousEpoch?: string): Promise<MempoolView> {
    const { methods } = await this.capabilities()
    const { clock } = this.#client.rpc.settings
    const asked = clock.now()
    const age = methods.uptime ? 'uptime' : methods.getnettotals ? 'getnettotals' : undefined
    const replies = await this.#askFields([
      ...(age === undefined ? [] : [{ method: age, params: [] }]),
      { method: 'getmempoolinfo', params: [] },
      { method: 'getrawmempool', params: [false] },
    ])
    const [list, info, sign] = replies.reverse().map(resultOf)
    if (!list || !info) throw answerInvalid('batch', 'answers', 'are missing')
    return {
      txids: readTxids(list),
      // A node that does not say so keeps no mempool on disk: what it has is all there is.
      loaded: readMempoolInfo(info).loaded ?? true,
      epoch: this.#life.epoch(
        {
          ...(age === 'uptime' && sign ? { uptime: sign.count() } : {}),
          ...(age === 'getnettotals' && sign
            ? { bytesReceived: readNetTotals(sign).bytesReceived }
            : {}),
          asked,
          answered: clock.now(),
          connectionLife: this.#client.rpc.connectionLife(),
        },
        previousEpoch,
      ),
    }
  }

  async mempoolTransactions(txids: readonly Txid[]): Promise<readonly (Uint8Array | undefined)[]> {
    const calls = txids.map((txid) => ({ method: 'getrawtransaction', params: [txid, 0] }))
    const replies = await this.#askFields(calls)
    return replies.map((reply) => (isAbsent(reply) ? undefined : resultOf(reply).bytes()))
  }

  /** From getmempoolentry; nothing is known where the node has no such call (btcd). */
  async feeRates(txids: readonly Txid[]): Promise<readonly (SatPerKvB | undefined)[]> {
    const { methods } = await this.capabilities()
    if (!methods.getmempoolentry) return txids.map(() => undefined)
    const entries = await Promise.all(txids.map((txid) => this.#client.getMempoolEntry(txid)))
    return entries.map((entry) =>
      entry && entry.vsize > 0 ? satPerKvB((entry.fee * 1000n) / BigInt(entry.vsize)) : undefined,
    )
  }

  async scanCoins(ranges: readonly DescriptorRange[]): Promise<CoinScan | undefined> {
    const { methods } = await this.capabilities()
    if (!methods.scantxoutset) return undefined
    const found = await this.#client.scanTxOutSet(
      ranges.map(({ descriptor, last }) =>
        last === undefined ? descriptor : { desc: descriptor, range: last },
      ),
    )
    return {
      tip: { height: found.height, hash: found.bestBlock },
      coins: found.coins.map(({ txid, vout, amount }) => ({ point: { txid, vout }, amount })),
    }
  }

  async coins(points: readonly OutPoint[]): Promise<readonly (NodeCoin | undefined)[]> {
    const { methods, showsCoinsSpentInMempool } = await this.capabilities()
    const calls = points.map(({ txid, vout }) => ({
      method: 'gettxout',
      params: [txid, vout, true],
    }))
    const replies = await this.#askFields(calls)
    const coins = replies.map((reply) => {
      const output = isAbsent(reply) ? undefined : readTxOut(resultOf(reply))
      if (!output) return undefined
      const { amount, script, confirmations, coinbase } = output
      return { amount, script, confirmations, coinbase }
    })
    if (!showsCoinsSpentInMempool || !methods.gettxspendingprevout) return coins
    const spent = await this.#spentInMempool(points.filter((_, index) => coins[index]))
    return coins.map((coin, index) => {
      const point = points[index]
      return coin && point && spent.has(outPointKey(point)) ? undefined : coin
    })
  }

  async #spentInMempool(points: readonly OutPoint[]): Promise<ReadonlySet<string>> {
    const size = this.#client.rpc.settings.batchSize
    const spent = new Set<string>()
    for (let at = 0; at < points.length; at += size) {
      for (const spend of await this.#client.getTxSpendingPrevOut(points.slice(at, at + size))) {
        if (spend.spender) spent.add(outPointKey(spend))
      }
    }
    return spent
  }

  async #askFields(calls: readonly RpcCall[]): Promise<AskedReply[]> {
    const replies = await this.#client.rpc.askAll(calls)
    return replies.map((reply, index) => ({ method: calls[index]?.method ?? 'batch', reply }))
  }
}

interface AskedReply {
  readonly method: string
  readonly reply: RpcReply
}

const NO_BLOCK = '0'.repeat(64) as BlockHash

const isAbsent = ({ reply }: AskedReply): boolean => !reply.ok && isNotFound(reply.error)

function resultOf({ method, reply }: AskedReply): Field {
  if (!reply.ok) throw refusedCall(method, reply.error)
  return new Field(method, reply.result)
}

function provenHeader(raw: Uint8Array, hash: BlockHash) {
  if (raw.length !== 80 || hashOfHeader(raw) !== hash) {
    throw answerInvalid('getblockheader', 'result', 'is not the header that was asked')
  }
  return readRawHeader(raw)
}

/** The name is the node's word, the first block is the proof. @throws NODE_NETWORK_WRONG */
function networkOf(chain: string, genesis: BlockHash | undefined): Network {
  const network = networkOfChain(chain)
  if (network !== undefined && GENESIS[network] === genesis) return network
  const name = chain.slice(0, 40).replace(/[^\w-]/g, '?')
  throw new EngineError('NODE_NETWORK_WRONG', `the node says ${name}, its first block does not`, {
    details: { chain: name, genesis: genesis ?? 'none' },
  })
}
