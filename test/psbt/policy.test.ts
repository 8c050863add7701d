import { MAX_SAT, type Sat, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { parseDescriptor } from '@kaccy/bitcoin/protocol/descriptor'
import {
  checkPsbt,
  combinePsbts,
  createPsbt,
  finalizePsbt,
  judgePsbt,
  type Psbt,
  type PsbtFaultReason,
  type PsbtPolicy,
} from '@kaccy/bitcoin/protocol/psbt'
import { type Transaction, vsizeOf } from '@kaccy/bitcoin/protocol/transaction'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plans, SCALE } from './plans.ts'
import { fundingOf, MASTERS, must, TIP, WALLETS, type Wallet, withdrawalOf } from './wallets.ts'

const RUNS = SCALE >= 1 ? 2_000 : 20
const at = <T>(list: readonly T[], index: number, change: (item: T) => T): T[] =>
  list.map((item, i) => (i === index ? change(item) : item))

interface Attack {
  readonly name: string
  readonly reason: PsbtFaultReason
  readonly on?: (wallet: Wallet) => boolean
  change(psbt: Psbt, policy: PsbtPolicy): { psbt: Psbt; policy?: PsbtPolicy }
}
const onInput =
  (change: (input: Psbt['inputs'][number]) => Psbt['inputs'][number]) => (psbt: Psbt) => ({
    psbt: { ...psbt, inputs: at(psbt.inputs, 0, change) },
  })
const onTransaction = (change: (transaction: Transaction) => Transaction) => (psbt: Psbt) => ({
  psbt: { ...psbt, transaction: change(psbt.transaction) },
})
const isNotTaproot = ({ name }: Wallet) => name !== 'tr'
const hasWitness = ({ name }: Wallet) => name !== 'pkh'

const ATTACKS: readonly Attack[] = [
  {
    name: 'the coin is described by nothing',
    reason: 'utxo_missing',
    change: onInput(({ previous: _, witnessUtxo: __, ...input }) => input),
  },
  {
    name: 'the witness output says another amount',
    reason: 'utxo_mismatch',
    on: (wallet) => hasWitness(wallet) && isNotTaproot(wallet),
    change: onInput((input) => {
      const { witnessUtxo } = input
      return witnessUtxo
        ? { ...input, witnessUtxo: { ...witnessUtxo, amount: (witnessUtxo.amount - 1n) as Sat } }
        : input
    }),
  },
  {
    name: 'a coin without witness is described by a witness output',
    reason: 'utxo_kind',
    on: ({ name }) => name === 'pkh',
    change: (psbt) => {
      const coin = psbt.inputs[0]?.previous?.outputs[psbt.transaction.inputs[0]?.vout ?? 0]
      return onInput((input) => ({ ...input, ...(coin ? { witnessUtxo: coin } : {}) }))(psbt)
    },
  },
  {
    name: 'the previous transaction is left out',
    reason: 'previous_tx_required',
    on: isNotTaproot,
    change: onInput(({ previous: _, ...input }) => input),
  },
  {
    name: 'the previous transaction is another one',
    reason: 'previous_tx_mismatch',
    on: isNotTaproot,
    change: onInput((input) => {
      return { ...input, previous: fundingOf(new Uint8Array([0x51]), sat(5n), 7, 1234) }
    }),
  },
  {
    name: 'a script that does not belong there',
    reason: 'script_mismatch',
    change: onInput((input) => ({ ...input, witnessScript: new Uint8Array([0x51]) })),
  },
  {
    name: 'another internal key',
    reason: 'script_mismatch',
    on: ({ name }) => name === 'tr',
    change: onInput((input) => ({ ...input, tapMerkleRoot: new Uint8Array(32) })),
  },
  {
    name: 'nothing that proves the coin to be ours',
    reason: 'foreign_input',
    change: onInput((input) => ({ ...input, origins: [], tapOrigins: [] })),
  },
  {
    name: 'SINGLE is asked for',
    reason: 'sighash',
    change: onInput((input) => ({ ...input, sighash: 3 })),
  },
  {
    name: 'a lock time in the next block but one',
    reason: 'locktime',
    change: onTransaction((transaction) => ({ ...transaction, lockTime: TIP + 1 })),
  },
  {
    name: 'a lock time in seconds that nobody has vouched for',
    reason: 'locktime',
    change: onTransaction((transaction) => ({ ...transaction, lockTime: 1_600_000_000 })),
  },
  {
    name: 'a coin that may move after ten blocks only',
    reason: 'locktime',
    change: onTransaction((transaction) => ({
      ...transaction,
      inputs: at(transaction.inputs, 0, (input) => ({ ...input, sequence: 10 })),
    })),
  },
  {
    name: 'one satoshi more to the first payment',
    reason: 'request_mismatch',
    change: onTransaction((transaction) => ({
      ...transaction,
      outputs: at(transaction.outputs, 0, (out) => ({ ...out, amount: (out.amount + 1n) as Sat })),
    })),
  },
  {
    name: 'more paid than the coins are worth',
    reason: 'negative_fee',
    change: onTransaction((transaction) => ({
      ...transaction,
      outputs: at(transaction.outputs, 0, (out) => ({ ...out, amount: sat(MAX_SAT / 2n) })),
    })),
  },
  {
    name: 'more paid than there are bitcoins',
    reason: 'amount_range',
    change: onTransaction((transaction) => ({
      ...transaction,
      outputs: [...transaction.outputs, ...transaction.outputs].map((out) => {
        return { ...out, amount: sat(MAX_SAT) }
      }),
    })),
  },
  {
    name: 'a coin twice',
    reason: 'duplicate_input',
    change: (psbt) => ({
      psbt: {
        ...psbt,
        inputs: [...psbt.inputs, ...psbt.inputs.slice(0, 1)],
        transaction: {
          ...psbt.transaction,
          inputs: [...psbt.transaction.inputs, ...psbt.transaction.inputs.slice(0, 1)],
        },
      },
    }),
  },
  {
    name: 'the extended key of a stranger',
    reason: 'foreign_xpub',
    change: (psbt) => ({
      psbt: {
        ...psbt,
        xpubs: [{ extendedKey: new Uint8Array(78), fingerprint: 'ffffffff', path: [] }],
      },
    }),
  },
  {
    name: 'a payment that is dust',
    reason: 'dust',
    change: (psbt, policy) => ({ psbt, policy: { ...policy, dustRate: satPerKvB(10n ** 13n) } }),
  },
]

describe.each(WALLETS)('attacks on honest withdrawals of $name', (wallet) => {
  it.each(ATTACKS.filter(({ on }) => on?.(wallet) ?? true))(
    '$reason: $name',
    ({ change, reason }) => {
      fc.assert(
        fc.property(plans(), (plan) => {
          const { psbt, policy } = withdrawalOf(wallet, plan)
          const attacked = change(psbt, policy)
          const faults = checkPsbt(attacked.psbt, attacked.policy ?? policy)
          expect(faults.map((fault) => fault.reason)).toContain(reason)
        }),
        { numRuns: Math.ceil(RUNS / 10) },
      )
    },
  )

  it('change on any other branch or index, or of any other wallet, is not change', () => {
    const other = WALLETS.find(({ name }) => name !== wallet.name) ?? wallet
    fc.assert(
      fc.property(plans(), (drawn) => {
        const { psbt, policy } = withdrawalOf(wallet, { ...drawn, changeIndex: 50 })
        const reasons = (more: Partial<PsbtPolicy>) =>
          checkPsbt(psbt, { ...policy, ...more }).map(({ reason }) => reason)
        expect(reasons({ changeIndexMax: 50 })).toEqual([])
        expect(reasons({ changeIndexMax: 49 })).toEqual(['change_path'])
        expect(reasons({ changeBranch: 0 })).toEqual(['change_path'])
        const stranger = reasons({ wallet: [other.descriptor] })
        expect(stranger).toContain('foreign_input')
        const last = psbt.outputs.length - 1
        const swapped = {
          ...psbt,
          transaction: {
            ...psbt.transaction,
            outputs: at(psbt.transaction.outputs, last, (out) => {
              return { ...out, script: Uint8Array.of(0, 20, ...new Array<number>(20).fill(3)) }
            }),
          },
        }
        expect(checkPsbt(swapped, policy).map(({ reason }) => reason)).toEqual(['change_not_ours'])
        const silent = {
          ...psbt,
          outputs: psbt.outputs.map((out) => ({ ...out, origins: [], tapOrigins: [] })),
        }
        expect(checkPsbt(silent, policy).map(({ reason }) => reason)).toEqual(['unknown_output'])
      }),
      { numRuns: Math.ceil(RUNS / 8) },
    )
  })

  it('the ceilings and the floor of the fee hold to the satoshi', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt, policy, fee } = withdrawalOf(wallet, plan)
        const reasons = (more: Partial<PsbtPolicy>) =>
          checkPsbt(psbt, { ...policy, ...more }).map(({ reason }) => reason)
        expect(reasons({ maxFee: sat(fee) })).toEqual([])
        expect(reasons({ maxFee: sat(fee - 1n) })).toEqual(['fee_too_high'])
        const signed = MASTERS.slice(0, wallet.threshold).reduce(
          (sum, master) => signPsbt(sum, secretsFor(sum, master)),
          psbt,
        )
        const size = BigInt(vsizeOf(must(finalizePsbt(signed)).transaction))
        // A rate that the signed transaction pays is never refused, one that it misses by a tenth always is.
        const paid = (fee * 1000n) / size
        expect(reasons({ maxFeeRate: satPerKvB(paid + 1n) })).toEqual([])
        expect(reasons({ maxFeeRate: satPerKvB((paid * 9n) / 10n) })).toEqual(['fee_too_high'])
        expect(reasons({ minFeeRate: satPerKvB((paid * 98n) / 100n) })).toEqual([])
        expect(reasons({ minFeeRate: satPerKvB((paid * 11n) / 10n) })).toEqual(['fee_too_low'])
      }),
      { numRuns: Math.ceil(RUNS / 20) },
    )
  })
})

describe('files', () => {
  const [, wallet] = WALLETS
  if (!wallet) throw new TypeError('no wallet')
  const { policy, psbt } = withdrawalOf(wallet, {
    coins: [{ branch: 0, index: 1, vout: 0 }],
    payments: [{ seed: 1, amount: 50_000 }],
    rate: 3,
    version: 0,
    lockTime: 0,
    xpubs: true,
    hasPrevious: true,
  })

  it('that cannot be read are one fault each', () => {
    const reasons = (file: string | Uint8Array) =>
      judgePsbt(file, policy).map(({ reason }) => reason)
    expect(reasons('no base64!')).toEqual(['malformed'])
    expect(reasons(new Uint8Array(20_000_000))).toEqual(['too_large'])
    expect(reasons(new Uint8Array(5))).toEqual(['malformed'])
  })

  it('with a lock time in seconds are taken when the chain has passed it', () => {
    const timed = { ...psbt, transaction: { ...psbt.transaction, lockTime: 1_600_000_000 } }
    const late = { ...policy, tipTime: 1_600_000_000 }
    expect(checkPsbt(timed, late)).toEqual([])
    expect(checkPsbt(timed, { ...policy, tipTime: 1_599_999_999 })).toMatchObject([
      { reason: 'locktime' },
    ])
  })

  it('do without previous transactions only where the policy says so', () => {
    const bare = { ...psbt, inputs: psbt.inputs.map(({ previous: _, ...input }) => input) }
    expect(checkPsbt(bare, policy)).toMatchObject([{ reason: 'previous_tx_required', input: 0 }])
    expect(checkPsbt(bare, { ...policy, requirePrevious: false })).toEqual([])
  })

  it('of one transaction that contradict each other are not combined', () => {
    const other = { ...psbt, inputs: psbt.inputs.map((input) => ({ ...input, sighash: 2 })) }
    expect(combinePsbts(psbt, other)).toMatchObject({
      error: { code: 'PSBT_CONFLICT', details: { map: 'input 0', field: 'sighash_type' } },
    })
    const later = { ...psbt, transaction: { ...psbt.transaction, lockTime: 7 } }
    expect(combinePsbts(psbt, later)).toMatchObject({
      error: { code: 'PSBT_DIFFERENT_TRANSACTION' },
    })
  })

  it('are not made of a draft that contradicts itself', () => {
    const script = new Uint8Array([0, 20, ...new Array<number>(20).fill(1)])
    const descriptor = must(parseDescriptor(`raw(0014${'01'.repeat(20)})`))
    const draft = (input: object) => () =>
      createPsbt({
        transaction: psbt.transaction,
        inputs: [
          { descriptor: wallet.descriptor, branch: 0, index: 1, amount: sat(1n), script, ...input },
        ],
        outputs: psbt.transaction.outputs.map(() => ({})),
      })
    expect(draft({})).toThrow('the coin of input 0 is not where the draft says')
    expect(draft({ descriptor, branch: 0, index: 0 })).toThrow('no keys')
    const right = psbt.inputs[0]?.witnessUtxo?.script
    expect(draft({ script: right, previous: new Uint8Array(3) })).toThrow('cannot be read')
  })
})
