import type { LookReason } from '@kaccy/bitcoin/protocol/last-look'
import { encodeTransaction } from '@kaccy/bitcoin/protocol/transaction'
import { sat } from '@kaccy/bitcoin/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  descriptorOf,
  honest,
  KINDS,
  type Kind,
  type Plan,
  payee,
  signed,
  unsignedTxidOf,
} from './honest.ts'
import { shape, sample, reasons, decoded, input, witness, flip, type Change } from './changes.ts'
import { scriptAt } from '@kaccy/bitcoin/protocol/descriptor'

const RUNS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 10_000 : 1_000

/** What could be done to signed bytes on their way to the broadcaster. */
const PLANTED: readonly (readonly [name: string, change: Change])[] = [
  ['version', (tx) => ({ ...tx, version: 1 })],
  ['lock time', (tx) => ({ ...tx, lockTime: 149 })],
  ['sequence', input(1, () => ({ sequence: 0xfffffffe }))],
  ['other coin', input(0, ({ vout }) => ({ vout: vout + 1 }))],
  ['input dropped', (tx) => ({ ...tx, inputs: tx.inputs.slice(1) })],
  ['input doubled', (tx) => ({ ...tx, inputs: [...tx.inputs, ...tx.inputs.slice(1)] })],
  [
    'input added',
    (tx) => ({
      ...tx,
      inputs: [...tx.inputs, ...tx.inputs.slice(1).map((each) => ({ ...each, vout: 3 }))],
    }),
  ],
  ['inputs swapped', (tx) => ({ ...tx, inputs: [...tx.inputs].reverse() })],
  [
    'witnesses swapped',
    (tx) => ({
      ...tx,
      inputs: tx.inputs.map((each, i) => ({
        ...each,
        witness: tx.inputs[1 - i]?.witness ?? [],
        script: tx.inputs[1 - i]?.script ?? each.script,
      })),
    }),
  ],
  ['output dropped', (tx) => ({ ...tx, outputs: tx.outputs.slice(1) })],
  ['output doubled', (tx) => ({ ...tx, outputs: [...tx.outputs, ...tx.outputs.slice(0, 1)] })],
  [
    'output added',
    (tx) => ({ ...tx, outputs: [...tx.outputs, { script: payee(100), amount: sat(1000n) }] }),
  ],
  ['outputs swapped', (tx) => ({ ...tx, outputs: [...tx.outputs].reverse() })],
  [
    'amount',
    (tx) => ({
      ...tx,
      outputs: tx.outputs.map((each, i) =>
        i === 0 ? { ...each, amount: sat(each.amount + 1n) } : each,
      ),
    }),
  ],
  [
    'script',
    (tx) => ({
      ...tx,
      outputs: tx.outputs.map((each, i) =>
        i === 0 ? { ...each, script: flip(each.script, 4) } : each,
      ),
    }),
  ],
  [
    'change swapped',
    (tx) => ({
      ...tx,
      outputs: tx.outputs.map((each, i) => (i === 2 ? { ...each, script: payee(44) } : each)),
    }),
  ],
  [
    'input script',
    input(0, ({ script }) => ({
      script: script.length > 0 ? flip(script, script.length - 1) : Uint8Array.of(0x51),
    })),
  ],
  ['input script longer', input(0, ({ script }) => ({ script: Uint8Array.of(...script, 0x51) }))],
  ['witness item added', witness((items) => [...items, Uint8Array.of(1)])],
  ['annex', witness((items) => [...items, Uint8Array.of(0x50, 1)])],
  ['witness item before', witness((items) => [Uint8Array.of(1), ...items])],
]
const SEGWIT: readonly (readonly [name: string, change: Change])[] = [
  ['witness gone', witness(() => [])],
  ['last witness item gone', witness((items) => items.slice(0, -1))],
  [
    'first witness item emptied',
    witness((items) =>
      items[0]?.length === 0
        ? [Uint8Array.of(0), ...items.slice(1)]
        : [new Uint8Array(), ...items.slice(1)],
    ),
  ],
  [
    'last witness item',
    witness((items) => items.map((item, i) => (i === items.length - 1 ? flip(item, 20) : item))),
  ],
  [
    'signature cut',
    witness((items) =>
      items.map((item) => (item.length > 60 && item.length < 80 ? item.slice(0, -1) : item)),
    ),
  ],
]

describe.each(KINDS)('planted mutations of final bytes: %s', (kind) => {
  const isSegwit = kind !== 'pkh'
  test.each(isSegwit ? [...PLANTED, ...SEGWIT] : PLANTED)('%s', (_, change) => {
    const from = sample(kind)
    const bytes = encodeTransaction(change(decoded(from.bytes)))
    expect(Buffer.compare(bytes, from.bytes)).not.toBe(0)
    expect(reasons(bytes, from)).not.toEqual([])
    // The id of the mutated bytes as the planned one: the checks behind it have to see it as well.
    const unsignedTxid = unsignedTxidOf(bytes)
    const deceived = { ...from, expectation: { ...from.expectation, unsignedTxid } }
    expect(reasons(bytes, deceived)).not.toEqual([])
    expect(reasons(bytes, deceived)).not.toContain('unsigned_txid')
  })

  test('bytes behind the end, a cut, and other forms of the same transaction', () => {
    const from = sample(kind)
    const { bytes } = from
    expect(reasons(Uint8Array.of(...bytes, 0), from)).toEqual(['malformed'])
    for (let at = 0; at < bytes.length; at++) {
      expect(reasons(bytes.slice(0, at), from)).toEqual(['malformed'])
    }
    const long = (at: number) => [
      ...bytes.slice(0, at),
      0xfd,
      bytes[at] ?? 0,
      0,
      ...bytes.slice(at + 1),
    ]
    expect(reasons(Uint8Array.from(long(isSegwit ? 6 : 4)), from)).toEqual(['malformed'])
    if (isSegwit) return
    const announced = [...bytes.slice(0, 4), 0, 1, ...bytes.slice(4, -4), 0, 0, ...bytes.slice(-4)]
    expect(reasons(Uint8Array.from(announced), from)).toEqual(['malformed'])
  })
})

describe('a fault by its name', () => {
  const found = (kind: Kind, change: Change) =>
    reasons(encodeTransaction(change(decoded(sample(kind).bytes))), sample(kind))
  test('an annex', () => {
    expect(
      found(
        'tr',
        witness((items) => [...items, Uint8Array.of(0x50, 1)]),
      ),
    ).toEqual(['annex'])
  })
  test('one key that signs twice, and signatures in another order', () => {
    for (const kind of ['wsh(sortedmulti)', 'sh(wsh(sortedmulti))'] as const) {
      const [first, second] = [1, 2].map(
        (at) => (items: readonly Uint8Array[]) => items[at] ?? Uint8Array.of(),
      )
      if (!first || !second) return expect.unreachable()
      const last = (items: readonly Uint8Array[]) => items.slice(3)
      const none = Uint8Array.of()
      const twice = witness((items) => [none, first(items), first(items), ...last(items)])
      const turned = witness((items) => [none, second(items), first(items), ...last(items)])
      const one = witness((items) => [none, first(items), ...last(items)])
      expect(found(kind, twice)).toEqual(['signature'])
      expect(found(kind, turned)).toEqual(['signature'])
      expect(found(kind, one)).toEqual(['script_shape'])
    }
  })
})

/** The wallet's keys signed it, the id is as planned: only what the engine knows by itself is left. */
const SIGNED: readonly (readonly [name: string, LookReason, (plan: Plan, kind: Kind) => void])[] = [
  [
    'version',
    'version',
    (plan) => {
      plan.version = 1
    },
  ],
  [
    'lock time',
    'locktime',
    (plan) => {
      plan.lockTime = 201
    },
  ],
  [
    'sequence',
    'sequence',
    (plan) => {
      for (const each of plan.inputs) each.sequence = 0xffffffff
    },
  ],
  [
    'relative lock',
    'sequence',
    (plan) => {
      for (const each of plan.inputs) each.sequence = 10
    },
  ],
  [
    'coin left out',
    'missing_input',
    (plan) => {
      plan.inputs.pop()
      plan.outputs.splice(0, 2)
    },
  ],
  [
    'anchor left out',
    'anchor_missing',
    (plan) => {
      plan.inputs.shift()
      plan.outputs.splice(0, 2)
    },
  ],
  [
    'coin of ours that was not leased',
    'foreign_input',
    (plan) => {
      const [first] = plan.inputs
      if (first) plan.inputs.push({ ...first, coin: { ...first.coin, vout: first.coin.vout + 1 } })
    },
  ],
  [
    'payment to another script',
    'payment_missing',
    (plan) => {
      plan.outputs[0] = { amount: plan.outputs[0]?.amount ?? 0n, script: payee(90) }
    },
  ],
  [
    'payment one satoshi short',
    'payment_missing',
    (plan) => {
      if (plan.outputs[0]) plan.outputs[0].amount -= 1n
    },
  ],
  [
    'payment left out',
    'payment_missing',
    (plan) => {
      plan.outputs.shift()
    },
  ],
  [
    'payment twice',
    'unknown_output',
    (plan) => {
      const [first] = plan.outputs
      if (first) plan.outputs.splice(1, 1, first)
    },
  ],
  [
    'output of a stranger',
    'unknown_output',
    (plan) => {
      plan.outputs.push({ script: payee(91), amount: 600n })
    },
  ],
  [
    'change of a stranger',
    'change_missing',
    (plan) => {
      if (plan.outputs[2]) plan.outputs[2].script = payee(92)
    },
  ],
  [
    'change on branch 0',
    'change_missing',
    (plan, kind) => {
      if (plan.outputs[2]) plan.outputs[2].script = scriptAt(descriptorOf(kind), 0, 32)
    },
  ],
  [
    'change further on',
    'change_missing',
    (plan, kind) => {
      if (plan.outputs[2]) plan.outputs[2].script = scriptAt(descriptorOf(kind), 1, 33)
    },
  ],
  [
    'change left to the miners',
    'fee_too_high',
    (plan) => {
      plan.outputs.pop()
    },
  ],
  [
    'dust',
    'dust',
    (plan) => {
      plan.outputs.push({ script: payee(90), amount: 100n })
    },
  ],
]

describe('corrupt plans that were signed', () => {
  test.each(SIGNED)('%s', (_, reason, corrupt) => {
    for (const kind of ['wpkh', 'tr'] as const) {
      const { bytes, expectation } = honest(shape(kind), (plan) => corrupt(plan, kind))
      const limits = { ...expectation.limits, maxFee: sat(15_000n) }
      const found = reasons(bytes, { kind, bytes, expectation: { ...expectation, limits } })
      expect(found).toContain(reason)
      expect(found).not.toContain('signature')
    }
  })

  const plan = (kind: Kind): Plan => {
    let kept: Plan | undefined
    honest(shape(kind), (given) => {
      kept = given
    })
    return kept ?? expect.unreachable(kind)
  }
  const KINDS_OF_SIGHASH = [
    ...[0x02, 0x03, 0x81, 0x82, 0x83].flatMap((type) => KINDS.map((kind) => [type, kind] as const)),
  ]
  test.each(KINDS_OF_SIGHASH)('sighash %i of %s', (type, kind) => {
    const found = reasons(signed(kind, plan(kind), type), sample(kind))
    expect(new Set(found)).toEqual(new Set(['sighash']))
  })
  test('taproot may say ALL in a 65th byte, and nothing else', () => {
    const bytes = signed('tr', plan('tr'), 1)
    expect(reasons(bytes, sample('tr'))).toEqual([])
    const zero = witness((items) => items.map((item) => Uint8Array.of(...item, 0)))
    const appended = encodeTransaction(zero(decoded(sample('tr').bytes)))
    expect(reasons(appended, sample('tr'))).toEqual(['sighash'])
  })
})

describe('random mutations', () => {
  test(`${RUNS} of them, none passes`, () => {
    const kind = fc.constantFrom(...KINDS)
    const step = fc.record({
      how: fc.constantFrom('flip', 'set', 'insert', 'remove', 'swap', 'copy'),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      to: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    const mutate = (
      bytes: Uint8Array,
      steps: readonly { how: string; at: number; to: number; byte: number }[],
    ) => {
      const list = [...bytes]
      for (const { how, at: where, to, byte } of steps) {
        const at = Math.floor(where * list.length)
        const other = Math.floor(to * list.length)
        if (how === 'flip') list[at] = (list[at] ?? 0) ^ (1 << (byte % 8))
        if (how === 'set') list[at] = byte
        if (how === 'insert') list.splice(at, 0, byte)
        if (how === 'remove') list.splice(at, 1)
        if (how === 'swap') [list[at], list[other]] = [list[other] ?? 0, list[at] ?? 0]
        if (how === 'copy')
          list.splice(other, Math.min(33, list.length - at), ...list.slice(at, at + 33))
      }
      return Uint8Array.from(list)
    }
    fc.assert(
      fc.property(kind, fc.array(step, { minLength: 1, maxLength: 3 }), (of, steps) => {
        const from = sample(of)
        const bytes = mutate(from.bytes, steps)
        fc.pre(Buffer.compare(bytes, from.bytes) !== 0)
        expect(reasons(bytes, from)).not.toEqual([])
      }),
      { numRuns: RUNS },
    )
  })
})
