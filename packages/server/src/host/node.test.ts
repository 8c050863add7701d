import { type ChainSource, GENESIS, type NodeInfo } from '@kaccy/bitcoin/chain'
import { EngineError, type Network } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { inspectNode } from './node.ts'

const NOW = Date.UTC(2026, 10, 22)
const info: NodeInfo = {
  network: 'main',
  genesis: GENESIS.main,
  tip: { height: 900_000, hash: GENESIS.main },
  headers: 900_000,
  initialBlockDownload: false,
  tipTime: NOW / 1000,
}
/** Only `info` is asked; everything else would be a mistake. */
const nodeThatSays = (change: Partial<NodeInfo>): ChainSource =>
  ({ info: async () => ({ ...info, ...change }) }) as Partial<ChainSource> as ChainSource
const codeOf = async (change: Partial<NodeInfo>, network: Network = 'main') => {
  try {
    const { degraded } = await inspectNode(nodeThatSays(change), network, NOW)
    return degraded ?? 'fine'
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error)
  }
}

test('a node is judged by its genesis block, its download and the age of its tip', async () => {
  expect(await codeOf({})).toBe('fine')
  expect(await codeOf({}, 'testnet4')).toBe('CHAIN_WRONG_NETWORK')
  expect(await codeOf({ network: 'testnet4' }, 'testnet4')).toBe('CHAIN_WRONG_NETWORK')
  expect(await codeOf({ initialBlockDownload: true })).toBe('SERVER_NODE_DOWNLOADING')
  expect(await codeOf({ headers: 900_100 })).toBe('node_behind_its_headers')
  expect(await codeOf({ tipTime: NOW / 1000 - 24 * 3600 })).toBe('tip_is_old')
})
