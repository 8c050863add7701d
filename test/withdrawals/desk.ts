import type { StoreTx } from '@kaccy/bitcoin'
import { type FundsLayers, layersOf, type Means, meansOf } from '@kaccy/bitcoin/coins'
import {
  assert,
  outPointKey,
  parseOutPointKey,
  type SpendId,
  sat,
  satPerKvB,
  type WithdrawalId,
  ZERO,
} from '@kaccy/bitcoin/kernel'
import {
  HOUSE,
  heldAccount,
  NETWORK_FEES,
  owedAccount,
  spentAccount,
  unassignedAccount,
  verifyBooks,
} from '@kaccy/bitcoin/ledger'
import { approvalState, approve, type Decision } from '@kaccy/bitcoin/policy'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { dropUnseen, type SpendOwner } from '@kaccy/bitcoin/spending'
import {
  createOwner,
  createWithdrawals,
  DEFAULT_RHYTHM,
  DEFAULT_RULES,
  isHeld,
  isQueued,
  planDue,
  type PlannerDeps,
  type PolicyDoors,
  type WithdrawalInput,
  type WithdrawalRecord,
  type Withdrawals,
  type WithdrawalStatus,
} from '@kaccy/bitcoin/withdrawals'
import { expect } from 'vitest'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { recipient } from '../spending/keys.ts'
import { MINUTE, World, type WorldOptions } from '../spending/world.ts'

export const ANN = 'operator:ann'
export const BOB = 'operator:bob'
export const CLIENT = 'api:key_1'

/** A policy that a story can foresee: above these amounts people decide, or nobody may. */
export interface DeskPolicy {
  readonly holdFrom?: number
  readonly denyFrom?: number
  readonly approvals?: number
}
/** What the policy was told, in order. */
export type Told = readonly string[]

const policyOf = (rules: DeskPolicy, told: string[]): PolicyDoors => ({
  async judge(tx, { withdrawal, amount, initiator, at }) {
    await tx.policy.lockHead()
    const from = (limit: number | undefined) => limit !== undefined && amount >= BigInt(limit)
    const decision: Decision = from(rules.denyFrom)
      ? 'deny'
      : from(rules.holdFrom)
        ? 'hold'
        : 'allow'
    const needed = decision === 'hold' ? (rules.approvals ?? 1) : 0
    const digest = 'ab'.repeat(32)
    if (decision === 'hold')
      await tx.policy.insertTask({
        subject: { kind: 'withdrawal', id: withdrawal },
        hash: digest,
        requirements: [{ needed }],
        initiators: [initiator],
        at,
      })
    const reasons = [
      { code: 'rule/desk', effect: decision, message: `desk says ${decision}`, details: {} },
    ]
    return {
      decision,
      reasons: decision === 'allow' ? [] : reasons,
      score: 0,
      policyVersion: 1,
      approvals: { needed },
      transactionApprovals: 0,
      digest,
    }
  },
  reserve: async (_, { withdrawal }) => void told.push(`reserve ${withdrawal}`),
  release: async (_, withdrawal) => void told.push(`release ${withdrawal}`),
  settle: async (_, withdrawal) => void told.push(`settle ${withdrawal}`),
  approve,
  approvalState,
  requireTransactionApprovals: async () => ({ have: 0, need: 0, complete: true }),
})

export interface DeskOptions extends WorldOptions {
  readonly policy?: DeskPolicy
  readonly planner?: Partial<PlannerDeps>
}
export type Ask = Partial<Omit<WithdrawalInput, 'amount'>> & { readonly amount?: number }

/** Withdrawals over a devnet with keys that sign, on virtual time: what a story needs in one line each. */
export class Desk {
  readonly world: World
  readonly withdrawals: Withdrawals
  readonly told: string[]
  readonly #planner: PlannerDeps
  #asked = 0

  private constructor(world: World, told: string[], policy: PolicyDoors, options: DeskOptions) {
    this.world = world
    this.told = told
    const { store, source, quotes, spending } = world
    const clock = { now: () => world.now }
    const owners = { payout: createOwner({ policy, rules: DEFAULT_RULES }) }
    const shared = {
      store,
      clock,
      entropy: seededEntropy(77),
      network: 'regtest',
      policy,
      rules: DEFAULT_RULES,
      rhythm: DEFAULT_RHYTHM,
      spendPolicy: { ownChange: true, chainLimit: 10 },
      spends: {
        drop: (tx: StoreTx, id: SpendId, actor: string) =>
          dropUnseen<StoreTx>({ clock, owners }, tx, id, actor),
        bump: spending.bump,
        cancel: spending.cancel,
      },
    } as const
    this.withdrawals = createWithdrawals(shared)
    this.#planner = { ...shared, source, quotes, ...options.planner }
  }
  static async open(options: DeskOptions = {}): Promise<Desk> {
    const told: string[] = []
    const policy = policyOf(options.policy ?? {}, told)
    const owner: SpendOwner<StoreTx> = createOwner({ policy, rules: DEFAULT_RULES })
    const world = await World.open({ ...options, owner })
    return new Desk(world, told, policy, options)
  }
  close(): Promise<void> {
    return this.world.close()
  }

  /** The address of a stranger. */
  address(n: number): string {
    const found = addressOf(recipient(n), 'regtest')
    assert(found.ok, 'an address')
    return found.value
  }
  input({ amount = 100_000, ...more }: Ask = {}): WithdrawalInput {
    this.#asked += 1
    return {
      wallet: this.world.wallet,
      externalId: `x-${this.#asked}`,
      address: this.address(this.#asked % 250),
      amount: sat(BigInt(amount)),
      ...more,
    }
  }
  async ask(more: Ask = {}): Promise<WithdrawalId> {
    const asked = await this.withdrawals.request(this.input(more), CLIENT)
    assert(asked.ok, asked.ok ? '' : asked.error.message)
    return asked.value.withdrawal.id
  }
  async refused(more: Ask = {}): Promise<string> {
    const asked = await this.withdrawals.request(this.input(more), CLIENT)
    return asked.ok ? 'taken' : `${asked.error.code} ${asked.error.param ?? ''}`.trim()
  }
  /** Plans what is due now, after the usual wait for company. */
  async plan() {
    this.world.now += DEFAULT_RHYTHM.batchWaitMs
    return planDue(this.#planner)
  }
  planNow() {
    return planDue(this.#planner)
  }
  async get(id: WithdrawalId): Promise<WithdrawalRecord> {
    const found = await this.withdrawals.get(id)
    assert(found, 'the withdrawal is there')
    return found
  }
  async status(id: WithdrawalId): Promise<WithdrawalStatus> {
    return (await this.get(id)).status
  }
  async spendOf(id: WithdrawalId): Promise<SpendId> {
    const { spend } = await this.get(id)
    assert(spend, 'it has a spend')
    return spend
  }
  /** Shows the current version to a signer, who has not answered yet. */
  async expose(id: SpendId): Promise<void> {
    await this.world.tamper(id, (version) => ({ ...version, exposedAt: this.world.now }))
  }
  /** Gives a customer money, as an order of his that was paid would. */
  async credit(customer: string, amount: number): Promise<void> {
    const { wallet } = this.world
    this.#asked += 1
    await this.world.store.transact((tx) =>
      tx.ledger.post(this.world.now, [
        {
          key: `desk/${this.#asked}`,
          kind: 'credit',
          debit: unassignedAccount(wallet),
          credit: owedAccount(customer),
          amount: sat(BigInt(amount)),
          wallet,
        },
      ]),
    )
  }
  means(): Promise<Means> {
    return this.world.store.read((tx) => meansOf(tx, this.world.wallet))
  }
  layers(): Promise<FundsLayers> {
    return this.world.store.read((tx) => layersOf(tx, this.world.wallet))
  }
  /** Credits less debits. */
  async balance(account: string): Promise<bigint> {
    const [totals] = await this.world.store.read((tx) => tx.ledger.totals([account]))
    return totals ? totals.credits - totals.debits : 0n
  }
  owed = (customer: string): Promise<bigint> => this.balance(owedAccount(customer))
  house = (): Promise<bigint> => this.balance(HOUSE)
  async fees(): Promise<bigint> {
    return -(await this.balance(NETWORK_FEES))
  }
  spent = (): Promise<bigint> => this.balance(spentAccount(this.world.wallet))
  held = (id: WithdrawalId): Promise<bigint> => this.balance(heldAccount(id))
  async events(id?: string): Promise<readonly string[]> {
    const events = await this.world.store.read((tx) => tx.events.list({ after: 0, limit: 100_000 }))
    return events
      .filter(({ type, subject }) => type.startsWith('withdrawal.') && (id ?? subject) === subject)
      .map(({ type }) => type.slice('withdrawal.'.length))
  }
  scriptOf(address: string): Uint8Array {
    const parsed = parseAddress(address, 'regtest')
    assert(parsed.ok, 'an address')
    return parsed.value.script
  }

  /**
   * What holds after every step: the books add up; what is held is held by live withdrawals and no others; the queue of the
   * wallet is what its waiting withdrawals reserve; what waits has no spend, and what has one is paid by it once.
   */
  async expectSound(): Promise<void> {
    const { store, wallet } = this.world
    const verdict = await verifyBooks(store)
    expect(verdict.differences).toEqual([])
    const all = await this.withdrawals.list({ limit: 100_000 })
    let queued = 0n
    for (const record of all) {
      const { status, amount, feePayer, maxFee, id, spend, reserved } = record
      const hold = feePayer === 'customer' ? amount + maxFee : amount
      expect(await this.held(id), `${id} ${status}`).toBe(isHeld(status) ? hold : 0n)
      expect(reserved > 0n).toBe(isQueued(status))
      if (isQueued(status)) queued += reserved
      if (isQueued(status)) expect(spend).toBeUndefined()
    }
    const funds = await store.read((tx) => tx.coins.funds(wallet))
    expect(funds.queued).toBe(queued)
    const { spendable, missing } = await this.means()
    expect(spendable === ZERO || missing === ZERO).toBe(true)
    await this.#expectPaidOnce(all)
  }
  /** The output that a withdrawal names gives its withdrawals, all together, what it has. */
  async #expectPaidOnce(all: readonly WithdrawalRecord[]): Promise<void> {
    const sums = new Map<string, bigint>()
    for (const { status, output, paid, amount, feeShare = 0n, feePayer } of all) {
      if (status !== 'mined' && status !== 'settled') continue
      assert(output && paid !== undefined, 'what is mined has an output')
      const key = outPointKey(output)
      sums.set(key, (sums.get(key) ?? 0n) + paid)
      expect(paid).toBe(feePayer === 'recipient' ? amount - feeShare : amount)
    }
    for (const [key, sum] of sums) {
      const { txid, vout } = parseOutPointKey(key)
      const version = await this.world.store.read((tx) => tx.spending.versionByTxid(txid))
      expect(version?.transaction.outputs[vout]?.amount).toBe(sum)
    }
  }
}
export { MINUTE, satPerKvB }
