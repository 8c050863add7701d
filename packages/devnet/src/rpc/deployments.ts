import type { BlockNode } from '../chain/node.ts'
import { ancestorAt } from '../chain/node.ts'
import { nodeArgument } from './blockchain.ts'
import { type Json, JsonNumber } from './json.ts'
import { type Method, method } from './method.ts'

/** The one deployment of regtest that still counts signals. Source: Core's chain parameters, BIP 9. */
const TEST_BIT = 28
const PERIOD = 144
const THRESHOLD = 108
/** The largest number of seconds there is. */
const NO_TIMEOUT = new JsonNumber('9223372036854775807')

type State = 'defined' | 'started' | 'locked_in' | 'active'
const signals = ({ header }: BlockNode): boolean =>
  header.version >>> 29 === 1 && ((header.version >>> TEST_BIT) & 1) === 1
/** The block that ends the last whole period at or before this one; undefined before the first. */
function periodEnd(node: BlockNode | undefined): BlockNode | undefined {
  if (!node) return undefined
  const height = node.height - ((node.height + 1) % PERIOD)
  return height < 0 ? undefined : ancestorAt(node, height)
}
function countSignals(end: BlockNode): number {
  let count = 0
  let at: BlockNode | undefined = end
  for (let i = 0; at && i < PERIOD; i++, at = at.prev) if (signals(at)) count += 1
  return count
}
/** The state for the block after `node`, and the height of the first block that had it. Source: BIP 9. */
function stateAfter(node: BlockNode | undefined): {
  readonly state: State
  readonly since: number
} {
  const ends: BlockNode[] = []
  for (let at = periodEnd(node); at; at = periodEnd(at.prev)) ends.push(at)
  let state: State = 'defined'
  let since = 0
  for (const end of ends.reverse()) {
    const next: State =
      state === 'defined'
        ? 'started'
        : state === 'started'
          ? countSignals(end) >= THRESHOLD
            ? 'locked_in'
            : 'started'
          : 'active'
    if (next !== state) since = end.height + 1
    state = next
  }
  return { state, since }
}
function signalling(node: BlockNode): { readonly marks: string; readonly count: number } {
  const elapsed = (node.height + 1) % PERIOD || PERIOD
  let marks = ''
  let at: BlockNode | undefined = node
  for (let i = 0; at && i < elapsed; i++, at = at.prev) marks = (signals(at) ? '#' : '-') + marks
  return { marks, count: marks.replaceAll('-', '').length }
}
function testDummy(node: BlockNode): Json {
  const { state: now, since } = stateAfter(node.prev)
  const after = stateAfter(node)
  const counts = now === 'started' || now === 'locked_in'
  const { marks, count } = signalling(node)
  const started = now === 'started'
  const elapsed = marks.length
  const isActive = after.state === 'active'
  return {
    type: 'bip9',
    height: isActive ? after.since : undefined,
    active: isActive,
    bip9: {
      bit: counts ? TEST_BIT : undefined,
      start_time: 0,
      timeout: NO_TIMEOUT,
      min_activation_height: 0,
      status: now,
      since,
      status_next: after.state,
      statistics: counts
        ? {
            period: PERIOD,
            elapsed,
            count,
            threshold: started ? THRESHOLD : undefined,
            possible: started ? PERIOD - THRESHOLD >= elapsed - count : undefined,
          }
        : undefined,
      signalling: counts ? marks : undefined,
    },
  }
}
/** Name and state for `getblocktemplate`. */
export const testDeployment = (node: BlockNode) => ({
  name: 'testdummy',
  bit: TEST_BIT,
  state: stateAfter(node).state,
})

const buried = (height: number, node: BlockNode): Json => ({
  type: 'buried',
  active: node.height + 1 >= height,
  height,
})
function deployments(node: BlockNode): Json {
  const always = { start_time: -1, timeout: NO_TIMEOUT, min_activation_height: 0 }
  const status = { status: 'active', since: 0, status_next: 'active' }
  return {
    bip34: buried(1, node),
    bip66: buried(1, node),
    bip65: buried(1, node),
    csv: buried(1, node),
    segwit: buried(0, node),
    testdummy: testDummy(node),
    taproot: { type: 'bip9', height: 0, active: true, bip9: { ...always, ...status } },
  }
}

export const deploymentMethods: readonly Method[] = [
  method('getdeploymentinfo', ['blockhash:string?'], (context, [hash]) => {
    const { tip } = context.regtest.chain
    const node = hash === undefined ? tip : nodeArgument(context, hash, 'blockhash')
    return { hash: node.hash, height: node.height, deployments: deployments(node) }
  }),
]
