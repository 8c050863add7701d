import { describe, expect, test } from 'vitest'
import type { BlockHash, BlockRef, Network } from '../../kernel/index.ts'
import { absenceOf, degradationOf, GENESIS, mayFollow, TIP_AGE_LIMIT_MS } from './policy.ts'
import type { NodeInfo } from './ports.ts'

const at = (height: number, branch = 'a'): BlockRef => ({
  height,
  hash: `${branch}${height}` as BlockHash,
})

describe('mayFollow', () => {
  test.each([
    ['it simply extends ours', at(10), at(12), at(10), false, true],
    ['a branch of the same length', at(10), at(10, 'b'), at(9), false, true],
    ['a longer branch', at(10), at(11, 'b'), at(5), false, true],
    ['it only lacks our newest blocks', at(10), at(8), at(8), false, false],
    ['a shorter branch, and it does not know ours', at(10), at(9, 'b'), at(5), false, false],
    ['shorter, but it says that ours has left the best chain', at(10), at(8), at(8), true, true],
    ['nothing new', at(10), at(10), at(10), false, true],
  ])('%s', (_, ours, theirs, fork, stale, expected) => {
    expect(mayFollow(ours, theirs, fork, stale)).toBe(expected)
  })
})

describe('absenceOf', () => {
  const calm = {
    loaded: true,
    epoch: 'life 1',
    previousEpoch: 'life 1',
    size: 1000,
    previousSize: 1000,
    degraded: false,
  }
  test.each([
    ['an ordinary look', {}, 'proof'],
    ['the first look of all', { previousEpoch: undefined, previousSize: 0 }, 'proof'],
    ['the node restarted in between', { epoch: 'life 2' }, 'none'],
    ['the mempool is still being read from disk', { loaded: false }, 'none'],
    ['the node is degraded', { degraded: true }, 'none'],
    ['nearly everything is gone at once', { size: 99 }, 'none'],
    ['a tenth is left: a block, not a loss', { size: 100 }, 'proof'],
    ['few there were, few are left', { previousSize: 49, size: 0 }, 'proof'],
    ['fifty there were, none is left', { previousSize: 50, size: 0 }, 'none'],
  ] as const)('%s', (_, change, expected) => {
    expect(absenceOf({ ...calm, ...change })).toBe(expected)
  })
})

describe('degradationOf', () => {
  const now = 1_780_000_000_000
  const good: NodeInfo = {
    network: 'main',
    genesis: GENESIS.main,
    tip: at(800_000),
    headers: 800_000,
    initialBlockDownload: false,
    tipTime: now / 1000 - 60,
  }
  test.each([
    ['a healthy node', {}, undefined],
    ['the first download', { initialBlockDownload: true }, 'initial_block_download'],
    ['two headers ahead is normal', { headers: 800_002 }, undefined],
    ['three are not', { headers: 800_003 }, 'node_behind_its_headers'],
    ['a tip of 90 minutes', { tipTime: (now - TIP_AGE_LIMIT_MS) / 1000 }, undefined],
    ['and one second more', { tipTime: (now - TIP_AGE_LIMIT_MS) / 1000 - 1 }, 'tip_is_old'],
    [
      'the worst is named first',
      { initialBlockDownload: true, headers: 900_000, tipTime: 0 },
      'initial_block_download',
    ],
  ] as const)('%s', (_, change, expected) => {
    expect(degradationOf({ ...good, ...change }, now)).toBe(expected)
  })

  test('a private chain may stand still, but not lag behind its own headers', () => {
    const still = {
      ...good,
      network: 'regtest',
      genesis: GENESIS.regtest,
      initialBlockDownload: true,
      tipTime: 0,
    } as const
    expect(degradationOf(still, now)).toBeUndefined()
    expect(degradationOf({ ...still, headers: 800_003 }, now)).toBe('node_behind_its_headers')
  })
})

test('five networks, five genesis blocks', () => {
  const networks: Network[] = ['main', 'test', 'testnet4', 'signet', 'regtest']
  expect(Object.keys(GENESIS).sort()).toEqual([...networks].sort())
  expect(new Set(Object.values(GENESIS)).size).toBe(5)
  for (const hash of Object.values(GENESIS)) expect(hash).toMatch(/^[0-9a-f]{64}$/)
})
