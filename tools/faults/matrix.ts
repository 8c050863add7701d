import { assert, EngineError, satPerKvB } from '@kaccy/bitcoin/kernel'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { Desk, MINUTE, ROOT } from '../../test/payouts/desk.ts'
import { softSigner } from '../../test/payouts/soft-signer.ts'
import { type Cell, cellsOf, METHODS, type Stage } from './cells.ts'
import { FaultySigner } from './faulty-signer.ts'

const COIN = 1_000_000
const AMOUNT = 60_000
const MOST_TURNS = 80
const ATTEMPTS = 5
/** A desk with a short history is a quick one. */
const STORIES_PER_DESK = 40

export interface CellReport {
  readonly stage: Stage
  readonly name: string
  readonly times: number
  /** Stories in which the fault was met. */
  readonly met: number
  /** Satoshi that reached the recipients, and how often the chain paid one of them. */
  readonly wrong: readonly string[]
}
export interface MatrixReport {
  readonly cells: number
  readonly stories: number
  readonly met: number
  readonly paid: number
  readonly cancelled: number
  readonly wrong: readonly string[]
}

/** Pays out with one thing going wrong at a time, at every stage, and looks at the chain for who was paid what in the end. */
export class Matrix {
  readonly #times: number
  #desk: Desk | undefined
  #signer = new FaultySigner(softSigner(ROOT))
  #stories = 0
  #met = 0
  #paid = 0
  #cancelled = 0
  readonly #wrong: string[] = []

  constructor(times: number) {
    this.#times = times
  }

  async run(stages: readonly Stage[], onCell: (name: string) => void): Promise<MatrixReport> {
    let cells = 0
    try {
      for (const stage of stages)
        for (const cell of cellsOf(stage, await this.#asked(stage))) {
          cells += 1
          for (let i = 0; i < this.#times; i++) await this.#untilMet(cell)
          onCell(`${cell.stage}: ${cell.name}`)
        }
    } finally {
      await this.#desk?.close()
    }
    return {
      cells,
      stories: this.#stories,
      met: this.#met,
      paid: this.#paid,
      cancelled: this.#cancelled,
      wrong: this.#wrong,
    }
  }

  async #open(): Promise<Desk> {
    if (this.#desk && this.#stories % STORIES_PER_DESK !== 0) return this.#desk
    await this.#desk?.close()
    this.#signer = new FaultySigner(softSigner(ROOT))
    this.#desk = await Desk.open({ signer: this.#signer })
    await this.#desk.fund(...new Array<number>(4).fill(COIN))
    return this.#desk
  }

  /** The calls that a stage makes when nothing goes wrong. */
  async #asked(stage: Stage): Promise<readonly string[]> {
    const desk = await this.#open()
    const withdrawal = await this.#until(desk, stage)
    for (const method of METHODS) desk.devnet.faults.arm({ method, kind: 'delay', ms: 0 })
    await this.#during(desk, stage, withdrawal)
    const unasked = new Set(desk.devnet.faults.pending().map(({ method }) => method))
    desk.devnet.faults.clear()
    await this.#finish(desk, withdrawal, `${stage}: nothing`)
    return METHODS.filter((method) => !unasked.has(method))
  }

  /** A busy machine may let another call of the stage fail before ours is made: such a story counts as none. */
  async #untilMet(cell: Cell): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (await this.#story(cell)) return
    this.#wrong.push(`${cell.stage}: ${cell.name} was never met`)
  }

  async #story(cell: Cell): Promise<boolean> {
    const desk = await this.#open()
    this.#stories += 1
    const { faults } = desk.devnet
    const withdrawal = await this.#until(desk, cell.stage)
    if ('node' in cell) faults.arm(cell.node)
    if ('signer' in cell) this.#signer.next = cell.signer
    desk.isHurried = 'node' in cell && cell.node.kind.startsWith('timeout')
    await this.#during(desk, cell.stage, withdrawal)
    desk.isHurried = false
    const isMet = faults.pending().length === 0 && this.#signer.next === undefined
    if (isMet) this.#met += 1
    faults.clear()
    this.#signer.next = undefined
    await this.#finish(desk, withdrawal, `${cell.stage}: ${cell.name}`)
    return isMet
  }

  /** Brings a fresh request to just before a stage. */
  async #until(desk: Desk, stage: Stage): Promise<WithdrawalRecord> {
    const withdrawal = await desk.ask({ amount: AMOUNT })
    const { payouts } = desk.engine
    const reach = async (step: () => Promise<unknown>, isReached: () => Promise<boolean>) => {
      for (let turn = 0; turn < MOST_TURNS && !(await isReached()); turn++) {
        await survive(step)
        if (!(await isReached())) desk.now += MINUTE
      }
      assert(await isReached(), `a request that never comes to ${stage}`)
    }
    const is = (status: string) => async () => (await desk.status(withdrawal.id)) === status
    if (stage === 'plan') return withdrawal
    await reach(() => payouts.plan(), is('batched'))
    if (stage === 'sign') return withdrawal
    await reach(() => payouts.sign(), is('sending'))
    if (stage === 'send') return withdrawal
    await reach(
      () => payouts.send(),
      async () => desk.inMempool((await desk.get(withdrawal.id)).txid),
    )
    await survive(() => desk.look())
    if (stage === 'follow') desk.devnet.mine(1)
    return withdrawal
  }
  async #during(desk: Desk, stage: Stage, { id }: WithdrawalRecord): Promise<void> {
    const { payouts, withdrawals } = desk.engine
    const rate = { speed: { kind: 'rate', rate: satPerKvB(20_000n) } } as const
    await survive(async () => {
      if (stage === 'follow') await desk.look()
      else if (stage === 'bump') await withdrawals.bump(id, rate, 'operator:test')
      else if (stage === 'cancel') await withdrawals.cancel(id, 'a test', 'operator:test')
      else await payouts[stage]()
    })
  }

  /** Everything works again: the story has to come to its one end. */
  async #finish(desk: Desk, { id, script, amount }: WithdrawalRecord, name: string): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      desk.now += 6 * MINUTE
      await survive(() => desk.work())
      desk.devnet.mine(1)
      await survive(() => desk.look())
      const { status } = await desk.get(id)
      if (status === 'settled' || status === 'cancelled') break
    }
    const { status } = await desk.get(id)
    const paid = desk.paidTo(script)
    const right = status === 'settled' ? { times: 1, amount } : { times: 0, amount: 0n }
    const isOver = status === 'settled' || status === 'cancelled'
    if (!isOver || paid.times !== right.times || paid.amount !== right.amount)
      this.#wrong.push(`${name}: ${status}, paid ${paid.times} times, ${paid.amount} sat`)
    if (status === 'settled') this.#paid += 1
    if (status === 'cancelled') this.#cancelled += 1
    await desk.expectSound()
  }
}

/** The world may fail; we may not. */
async function survive(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    assert(error instanceof EngineError, String(error))
  }
}
