import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { assert, type OrderId, sat, type Txid } from '@kaccy/bitcoin/kernel'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import type { Transaction } from '@kaccy/bitcoin/protocol/transaction'
import type { RegtestChain } from '../regtest/chain.ts'
import type { Coin, SignedTransaction, Spender, Strangers } from '../regtest/strangers.ts'
import type { EngineUnderTest } from './engine.ts'
import { type FaultBench, PayoutRun, strangerNamed } from './payouts.ts'
import type { Expectation, Final, Schedule, ScheduleFile, Step, TxStep } from './schedule.ts'

const DEFAULT_FEE = 1000n

/** Runs one schedule against a chain and an engine, and says what differs. */
export class ScheduleRun {
  readonly #schedule: Schedule
  readonly #defaults: ScheduleFile['defaults']
  readonly #chain: RegtestChain
  readonly #strangers: Strangers
  readonly #engine: EngineUnderTest
  readonly #bench: FaultBench | undefined
  readonly #payouts: PayoutRun
  readonly #transactions = new Map<string, SignedTransaction>()
  readonly #versions = new Map<string, number>()
  readonly #orders = new Map<string, OrderId>()
  readonly #scripts = new Map<string, Uint8Array>()
  #blind = false
  readonly faults: string[] = []

  constructor(parts: {
    schedule: Schedule
    defaults: ScheduleFile['defaults']
    chain: RegtestChain
    strangers: Strangers
    engine: EngineUnderTest
    /** Where faults of the node are armed. */
    bench?: FaultBench
  }) {
    this.#schedule = parts.schedule
    this.#defaults = parts.defaults
    this.#chain = parts.chain
    this.#strangers = parts.strangers
    this.#engine = parts.engine
    this.#bench = parts.bench
    const scriptOf = (symbol: string) => this.#script(symbol)
    this.#payouts = new PayoutRun({ ...parts, scriptOf, faults: this.faults })
  }

  async run(): Promise<readonly string[]> {
    await this.#engine.look()
    const { orders, steps, wallet = [] } = this.#schedule
    await this.#payouts.fund(wallet)
    for (const order of orders) await this.#createOrder(order)
    this.#arm(steps[0])
    for (const [index, step] of steps.entries()) {
      this.#arm(steps[index + 1])
      await this.#step(step)
      const expecting = step.expect !== undefined
      if (!this.#blind && !expecting) await this.#engine.look()
      if (!this.#blind) await this.#always(`step ${index}`)
    }
    await this.#engine.look()
    await this.#always('the end')
    await this.#final(this.#schedule.final ?? {})
    for (const fault of this.#bench?.pending() ?? []) this.faults.push(`nothing hit ${fault}`)
    return this.faults
  }
  /** A fault belongs to the call that the step before it causes, so it is armed one step ahead. */
  #arm(step: Step | undefined): void {
    if (!step?.fault) return
    if (this.#bench) this.#bench.arm(step.fault)
    else this.faults.push(`there is no node here that can fail at ${step.fault.rpc}`)
  }

  async #createOrder({ id, amount, address }: Schedule['orders'][number]): Promise<void> {
    const created = await this.#engine.createOrder({
      externalId: id,
      amount: amount === undefined ? undefined : sat(BigInt(amount)),
      expiresInMs: amount === undefined ? undefined : this.#defaults.expiry_s * 1000,
      tolerance: sat(BigInt(this.#defaults.tolerance_sat)),
      thresholds: {
        confirmed: 1,
        fullConfirmed: this.#defaults.credit_at,
        finalized: this.#defaults.finalize_at,
      },
    })
    this.#orders.set(id, created.id)
    this.#scripts.set(address, created.script)
  }

  #script(symbol: string): Uint8Array {
    const known = this.#scripts.get(symbol)
    if (known) return known
    // A stranger's address: another key for each name.
    const script = symbol.startsWith('bcrt1') ? addressScript(symbol) : strangerNamed(symbol).script
    this.#scripts.set(symbol, script)
    return script
  }

  async #step(step: Step): Promise<void> {
    if (step.blind !== undefined) this.#blind = step.blind
    if (step.tx) await this.#send(step.tx)
    if (step.mine) await this.#chain.mine(await this.#toMine(step.mine))
    for (let i = 0; i < (step.mine_empty ?? 0); i++) await this.#chain.mine([])
    if (step.mine_coinbase_to !== undefined)
      await this.#chain.mine([], this.#script(step.mine_coinbase_to))
    if (step.reorg)
      await this.#chain.reorg(
        step.reorg.drop,
        step.reorg.blocks.map((block) => this.#named(block)),
        (step.reorg.lose ?? []).map((id) => this.#txid(id)),
      )
    for (const id of step.evict ?? []) this.#chain.evict(this.#txid(id))
    if (step.clock !== undefined) this.#engine.passSeconds(step.clock)
    if (step.down !== undefined) await this.#engine.nodeDown(step.down)
    if (step.restart !== undefined) {
      await this.#engine.restart()
      await this.#engine.sendAgain()
      this.#blind = false
    }
    if (step.poll !== undefined) this.#blind = false
    if (step.parallel) await Promise.all(step.parallel.map((inner) => this.#step(inner)))
    if (step.withdraw) await this.#payouts.withdraw(step.withdraw)
    if (step.expect) await this.#expect(step.expect)
  }

  /** A transaction the node does not take now is kept: a later block may contain it. */
  async #send(step: TxStep): Promise<void> {
    const known = this.#transactions.get(step.id)
    const signed = known ?? (await this.#sign(step))
    this.#transactions.set(step.id, signed)
    await this.#chain.send(signed)
  }
  async #sign({ ins, outs, rbf }: TxStep): Promise<SignedTransaction> {
    const coins: Coin[] = []
    for (const name of ins) coins.push(await this.#coin(name))
    // A later version of the same stranger's coin pays more than the one before it.
    const version = Math.max(0, ...ins.map((name) => this.#versions.get(name) ?? 0))
    for (const name of ins) this.#versions.set(name, version + 1)
    const outputs = outs.map(([address, amount]) => ({
      script: this.#script(address),
      amount: sat(BigInt(amount)),
    }))
    const fee = ins.some((name) => name.startsWith('ext:'))
      ? DEFAULT_FEE * BigInt(5 ** version)
      : 500n
    const signer = this.#signerOf(ins)
    return signer.spend(coins, outputs, { fee: sat(fee), rbf, change: this.#strangers.script })
  }
  #signerOf(ins: readonly string[]): Spender {
    if (ins.every((name) => name.startsWith('ext:'))) return this.#strangers
    const [payee] = ins.flatMap((name) => this.#payouts.payeeOf(name) ?? [])
    return payee ?? this.#engine.owner
  }
  async #coin(name: string): Promise<Coin> {
    const paid = await this.#payouts.coin(name)
    if (paid) return paid
    if (name.startsWith('ext:')) return this.#strangers.named(name)
    const [id = '', vout = ''] = name.split(':')
    const transaction = this.#transactions.get(id)
    assert(transaction, `unknown transaction ${id}`)
    return this.#strangers.coinOf(transaction, Number(vout))
  }
  #txid(id: string): Txid {
    const transaction = this.#transactions.get(id)
    assert(transaction, `unknown transaction ${id}`)
    return transaction.txid
  }
  /** `*` is the whole mempool. */
  #toMine(ids: readonly string[]): Promise<readonly Transaction[]> {
    return ids.includes('*') ? this.#chain.mempool() : Promise.resolve(this.#named(ids))
  }
  #named(ids: readonly string[]): Transaction[] {
    return ids.map((id) => {
      const transaction = this.#transactions.get(id)
      assert(transaction, `unknown transaction ${id}`)
      return transaction.transaction
    })
  }

  async #order(id: string): Promise<OrderRecord> {
    const order = await this.#engine.order(this.#orders.get(id) ?? ('' as OrderId))
    assert(order, `no order ${id}`)
    return order
  }
  async #expect(expected: Readonly<Record<string, Expectation>>): Promise<void> {
    for (const [id, wanted] of Object.entries(expected)) {
      const { state } = await this.#order(id)
      const actual: Expectation = {
        state: state.status.toUpperCase(),
        match: state.verdict.toUpperCase(),
        late: state.late,
        seen: Number(state.received),
        credited: Number(state.credited),
      }
      for (const [name, given] of Object.entries(wanted)) {
        // Lateness is a mark of its own, also where it is written as a match.
        const isLate = name === 'match' && given === 'LATE'
        const [field, value] = isLate ? ['late', true] : [name, given]
        if (actual[field as keyof Expectation] !== value)
          this.faults.push(
            `${id}.${field} is ${String(actual[field as keyof Expectation])}, not ${String(value)}`,
          )
      }
    }
  }

  async #always(where: string): Promise<void> {
    for (const fault of await this.#engine.brokenInvariants())
      this.faults.push(`${where}: ${fault}`)
  }

  async #final(final: Final): Promise<void> {
    const { credited, reversals, alerts } = final
    await this.#payouts.final(final)
    for (const [id, wanted] of Object.entries(credited ?? {})) {
      const actual =
        id === 'unassigned'
          ? await this.#engine.unassigned()
          : (await this.#order(id)).state.credited
      if (actual !== BigInt(wanted))
        this.faults.push(`final credit of ${id} is ${actual}, not ${wanted}`)
    }
    if (reversals !== undefined) {
      const actual = await this.#engine.reversals()
      if (actual !== reversals) this.faults.push(`${actual} reversals, not ${reversals}`)
    }
    const raised = await this.#engine.alertKinds()
    for (const kind of alerts ?? [])
      if (!raised.has(kind))
        this.faults.push(`alert ${kind} was not raised (${[...raised].join(' ')})`)
  }
}

function addressScript(text: string): Uint8Array {
  const parsed = parseAddress(text, 'regtest')
  assert(parsed.ok, `bad address ${text}`)
  return parsed.value.script
}
