import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import { type ChainSource, createFollower, type Watch } from '@kaccy/bitcoin/chain'
import { silentLogger, silentMetrics, toHex, txid } from '@kaccy/bitcoin/kernel'
import { decodeTransaction } from '@kaccy/bitcoin/protocol/transaction'
import { createOutpointSet, createWatchSet } from '@kaccy/bitcoin/wallet'
import Database from 'better-sqlite3'
import { Block } from 'bitcoinjs-lib'
import { type Report, rateLine } from '../measure.ts'
import { paying, StandIn } from '../stand-in.ts'
import { fullBlock, scriptNumber, seeded } from '../synthetic.ts'

export const name = 'catch-up'

const WATCHED = 1_000_000
const BLOCKS = 32

/** Blocks as full as on the main network; nothing in them is ours. */
function fullChain(): StandIn {
  const node = new StandIn()
  const random = seeded(11)
  const coins = Array.from({ length: 1000 }, () => ({
    txid: txid(toHex(random.bytes(32))),
    vout: 0,
  }))
  for (let i = 0; i < BLOCKS; i++) {
    const { bytes } = fullBlock(i + 1, (n) => scriptNumber(n + WATCHED, 1), coins)
    const { transactions = [] } = Block.fromBuffer(Buffer.from(bytes))
    node.mine(
      transactions.slice(1).flatMap((transaction) => {
        const decoded = decodeTransaction(transaction.toBuffer())
        return decoded.ok ? [decoded.value] : []
      }),
    )
  }
  return node
}

function emptyChain(blocks: number): StandIn {
  const node = new StandIn()
  for (let i = 0; i < blocks; i++)
    node.mine([paying([Uint8Array.of(0, 20, ...new Uint8Array(20).fill(3))], i + 1, 1000n)])
  return node
}

function millionScripts(): Watch {
  const scripts = createWatchSet(systemEntropy, WATCHED)
  for (let i = 0; i < WATCHED; i++) scripts.add(scriptNumber(i, 0), i)
  const points = createOutpointSet(systemEntropy)
  return {
    refresh: async () => {},
    hasScript: (bytes, offset, length) => scripts.find(bytes, offset, length) >= 0,
    hasOutpoint: (bytes, offset) => points.has(bytes, offset),
    addOutpoint: (point) => void points.add(point),
  }
}

/** Blocks a second from a node that answers at once to a durable SQLite cursor. */
async function ours(source: ChainSource, watch: Watch, setTip: () => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-bench-'))
  const database = new Database(join(folder, 'bench.db'))
  const store = await openStore({ dialect: 'sqlite', database, migrate: true })
  const follower = createFollower({
    source,
    store,
    consumer: {
      beforeReorg: async () => {},
      moveChain: async () => {},
      moveMempool: async () => {},
      knowledge: async () => '',
      audience: async () => '',
    },
    watch: { ...watch, refreshIn: async () => false },
    network: 'regtest',
    clock: systemClock,
    logger: silentLogger,
    metrics: silentMetrics,
    sha256: systemSha256,
  })
  await follower.look()
  setTip()
  const start = performance.now()
  const { blocks } = await follower.look()
  const perSecond = (blocks / (performance.now() - start)) * 1000
  await store.close()
  database.close()
  await rm(folder, { recursive: true, force: true })
  return perSecond
}

/** The usual way: every block as objects, every output looked up as text, one commit a block. */
async function usual(
  source: ChainSource,
  blocks: number,
  scripts: ReadonlyMap<string, number>,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-bench-'))
  const database = new Database(join(folder, 'usual.db'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('create table cursor (height integer primary key, hash text)')
  const insert = database.prepare('insert into cursor values (?, ?)')
  const start = performance.now()
  for (let height = 2; height <= blocks + 1; height++) {
    const hash = await source.hashAt(height)
    if (hash === undefined) throw new TypeError('no block')
    const block = Block.fromBuffer(Buffer.from(await source.block({ height, hash })))
    for (const transaction of block.transactions ?? [])
      for (const output of transaction.outs)
        if (scripts.has(Buffer.from(output.script).toString('hex'))) throw new TypeError('a hit')
    insert.run(height, hash)
  }
  const perSecond = (blocks / (performance.now() - start)) * 1000
  database.close()
  await rm(folder, { recursive: true, force: true })
  return perSecond
}

export async function run(report: Report): Promise<void> {
  const watch = millionScripts()
  const scripts = new Map<string, number>()
  for (let i = 0; i < WATCHED; i++) scripts.set(toHex(scriptNumber(i, 0)), i)
  for (const [what, node, blocks] of [
    ['full blocks', fullChain(), BLOCKS],
    ['nearly empty blocks', emptyChain(2000), 2000],
  ] as const) {
    const best = { ours: 0, usual: 0 }
    for (let round = 0; round < 3; round++) {
      let visible = 1
      const source = node.source(() => visible)
      const setTip = () => {
        visible = node.height
      }
      best.ours = Math.max(best.ours, await ours(source, watch, setTip))
      best.usual = Math.max(best.usual, await usual(node.source(), blocks, scripts))
    }
    report(
      rateLine(
        `catch up ${what}, 1,000,000 scripts`,
        'blocks/s',
        best.ours,
        'bitcoinjs-lib, Map and a commit a block',
        best.usual,
      ),
    )
  }
}
