import { methodNames } from '@kaccy/devnet'
import type { Question } from './readings.ts'

/** Calls that a sweep of arguments would end, lock or let wait; they are asked elsewhere or have no counterpart. */
const SPARED: Readonly<Record<string, string>> = {
  stop: 'ends the node',
  encryptwallet: 'the devnet refuses it by name',
  waitfornewblock: 'waits',
  waitforblock: 'waits',
  waitforblockheight: 'waits',
  createwallet: 'makes keys of its own',
  pruneblockchain: 'works here without a prune mode',
  help: 'is in words of its own',
}
export const isSpared = (method: string): boolean =>
  method.startsWith('devnet_') || Object.hasOwn(SPARED, method)
const ARGUMENTS: readonly unknown[] = [
  ...[null, 5, -1, 1.5, 9_999_999_999, 'x', '', true, [], {}, [5], ['x'], [{}], [{ x: 1 }]],
  ...['00', '0'.repeat(63), '0'.repeat(64), 'z'.repeat(64)],
]

/** Every call with every kind of argument in its first places, with too many, and with a name that no argument has. */
export function wrongQuestions(): readonly Question[] {
  return methodNames()
    .filter((method) => !isSpared(method))
    .flatMap((method): Question[] => [
      ['help', [method]],
      [method, []],
      [method, Array(14).fill(null)],
      [method, { nosuch: 1 }],
      ...ARGUMENTS.map((argument): Question => [method, [argument]]),
      ...ARGUMENTS.map((argument): Question => [method, ['x', argument]]),
    ])
}

const ENVELOPES: readonly unknown[] = [
  ...[5, 'x', {}, [], { id: 1 }, { method: 5 }, { method: 'getblockcount', params: 5 }],
  ...['2.0', '1.0', '1.1', 5].map((jsonrpc) => ({ jsonrpc, id: 'a', method: 'getblockcount' })),
  ...['2.0', '1.0'].map((jsonrpc) => ({ jsonrpc, id: 1, method: 'nosuch', params: {} })),
  { jsonrpc: '2.0', method: 'getblockcount' },
  { jsonrpc: '2.0', id: null, method: 'getblockhash', params: { height: 0 } },
  { jsonrpc: '2.0', id: 1, method: 'getblockhash', params: { args: [0], height: 0 } },
  [{ jsonrpc: '2.0', id: 1, method: 'getblockcount' }, { method: 'nosuch', id: 2 }, 5],
  [{ jsonrpc: '2.0', method: 'getblockcount' }],
]
/** Requests as whole HTTP bodies: versions, batches, notifications, and what is no request. */
export const BODIES: readonly string[] = [
  ...ENVELOPES.map((envelope) => JSON.stringify(envelope)),
  ...['', '{', '[', 'null', '{"method":"getblockcount"}x'],
]
