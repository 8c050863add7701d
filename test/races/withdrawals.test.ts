import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, Store } from '@kaccy/bitcoin'
import { assert, outPointKey, sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { addressOf, createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, afterEach, expect, test } from 'vitest'
import { ChainBook } from '../../tools/kills/payouts-chain.ts'
import { Signers, twoOfTwo } from '../../tools/kills/payouts-signers.ts'
import { unsoundPayouts } from '../../tools/kills/payouts-sound.ts'
import { postgresForTests } from '../store/homes.ts'
import { type Meeting, type OpenMeeting, openMeeting } from './store.ts'
import { type Answered, askFor, type Errand, openPayer, type Wish } from './withdrawer.ts'

/** 1,000 requests in all; a tenth where `npm run night` has not asked for everything. */
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const TOTAL = Math.max(100, Math.round(1000 * SCALE))
const PROCESSES = 2
/** One in five is asked for a second time, through the other process; a few of those differ from the first. */
const DIFFERENT = Math.round(TOTAL * 0.8)
/** What there is reaches for so many of them. */
const ENOUGH_FOR = Math.floor(DIFFERENT / 4)
const AMOUNT = 100_000
/** What a request keeps for its fee, see `DEFAULT_RULES`. */
const ALLOWANCE = 20_000

const server = await postgresForTests()
const running = new Set<ChildProcess>()
const folder = mkdtempSync(join(tmpdir(), 'kaccy-race-'))
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  await server?.stop()
})

/** Starts one process; `begin` lets it go and resolves with what it was answered. */
async function start(errand: Errand): Promise<{ readonly begin: () => Promise<Answered[]> }> {
  const program = new URL('./withdrawer.ts', import.meta.url).pathname
  const child = spawn(
    process.execPath,
    ['--conditions=@kaccy/source', program, JSON.stringify(errand)],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
    },
  )
  running.add(child)
  let output = ''
  let faults = ''
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      if (output.startsWith('ready\n')) resolve()
    })
  })
  child.stderr.on('data', (chunk: Buffer) => {
    faults += chunk.toString('utf8')
  })
  await Promise.race([ready, ended.then(() => expect(faults).toBe(''))])
  return {
    begin: async () => {
      child.stdin.write('go\n')
      expect([await ended, faults]).toEqual([0, ''])
      return JSON.parse(output.slice('ready\n'.length))
    },
  }
}

/** What they race for. */
interface Stake {
  readonly name: string
  readonly customer?: string
  /** Coins that are paid to the customer, or to nobody in particular, satoshi. */
  readonly coins: readonly number[]
  readonly limit?: number
  /** Both processes plan, sign, send and follow beside the requests. */
  readonly pays: boolean
  /** How many requests get what they ask for; with planners beside them the means grow when a fee was less than its allowance. */
  readonly fits: (accepted: number) => void
}
const exactly = (accepted: number) => expect(accepted).toBe(ENOUGH_FOR)
const rich = (amount: number) => [amount, ...Array.from({ length: 4 }, () => DIFFERENT * AMOUNT)]
const STAKES: readonly Stake[] = [
  {
    name: 'one coin',
    coins: [ENOUGH_FOR * (AMOUNT + ALLOWANCE)],
    pays: false,
    fits: exactly,
  },
  {
    name: 'one coin that is being spent meanwhile',
    coins: [ENOUGH_FOR * (AMOUNT + ALLOWANCE)],
    pays: true,
    fits: (accepted) => {
      // Until its change is seen, a coin that is being spent is no means at all: how many are refused meanwhile depends on the moment.
      expect(accepted).toBeGreaterThan(0)
      expect(accepted).toBeLessThanOrEqual(Math.floor(ENOUGH_FOR * (1 + ALLOWANCE / AMOUNT)))
    },
  },
  {
    name: 'the account of one customer',
    customer: 'ann',
    coins: rich(ENOUGH_FOR * AMOUNT),
    pays: true,
    fits: exactly,
  },
  {
    name: 'one limit',
    coins: rich(AMOUNT),
    limit: ENOUGH_FOR * AMOUNT,
    pays: true,
    fits: exactly,
  },
]

interface Parts {
  readonly devnet: Devnet
  readonly signers: Signers
  readonly opened: OpenMeeting
}

/** Node, signers and store of one race, and an engine beside the processes. */
class Track {
  readonly #parts: Parts
  readonly place: Pick<Errand, 'meeting' | 'node' | 'signers'>
  readonly book: ChainBook
  readonly engine: Engine
  ahead: { ms: number }

  private constructor(parts: Parts, place: Track['place'], engine: Engine, ahead: Track['ahead']) {
    this.#parts = parts
    this.place = place
    this.book = new ChainBook(parts.devnet)
    this.engine = engine
    this.ahead = ahead
  }
  static async open(meeting: Meeting): Promise<Track> {
    const devnet = await createDevnet({ seed: 'races' })
    const signers = await Signers.listen()
    const opened = await openMeeting(meeting)
    const node = { url: devnet.rpcUrl, cookieFile: devnet.cookiePath }
    const place = { meeting, node, signers: signers.url }
    const ahead = { ms: 0 }
    const engine = await openPayer(opened.store, place, () => Date.now() + ahead.ms)
    await engine.sync()
    return new Track({ devnet, signers, opened }, place, engine, ahead)
  }
  get store(): Store {
    return this.#parts.opened.store
  }
  async close(): Promise<void> {
    const { devnet, signers, opened } = this.#parts
    await opened.close()
    await signers.close()
    await devnet.close()
  }
  async register(): Promise<WalletId> {
    const input = { name: 'race', descriptor: twoOfTwo(), lookahead: 60 }
    const made = await this.engine.wallets.register(input, 'operator:test')
    assert(made.ok, made.ok ? '' : made.error.message)
    return made.value.wallet.id
  }
  async fund(wallet: WalletId, { coins, customer }: Stake): Promise<void> {
    const { devnet } = this.#parts
    for (const [i, coin] of coins.entries()) {
      const amount = sat(BigInt(coin))
      const whose = i === 0 && customer !== undefined ? { customer } : {}
      const order = await this.engine.orders.create({ wallet, amount, ...whose }, 'operator:test')
      assert(order.ok, order.ok ? '' : order.error.message)
      await this.engine.sync()
      devnet.pay(order.value.order.address, amount)
    }
    devnet.mine(3)
    await this.engine.sync()
  }
  async limit(amount: number): Promise<void> {
    const { policies } = this.engine
    const proposed = await policies.propose(
      {
        name: 'race',
        zone: 'UTC',
        limits: [
          {
            name: 'day',
            per: 'platform',
            window: { rolling_minutes: 1440 },
            amount_sat: amount,
          },
        ],
        rules: [{ name: 'all', decision: 'allow' }],
        otherwise: 'deny',
        tests: [
          { name: 'small', request: { amount_sat: 1000 }, expect: { decision: 'allow' } },
          { name: 'all of it', request: { amount_sat: amount + 1 }, expect: { decision: 'deny' } },
        ],
      },
      'operator:ann',
    )
    assert(proposed.ok, proposed.ok ? '' : proposed.error.message)
    const { version } = proposed.value.policy
    await policies.test(version, 'operator:ann')
    const enabled = await policies.enable(version, 'operator:bob')
    assert(enabled.ok, enabled.ok ? '' : `${enabled.error.code} ${enabled.error.message}`)
  }
  /** Time, blocks and turns until everything is paid and buried. */
  async finish(): Promise<void> {
    for (let round = 0; round < 40; round++) {
      for (const step of ['plan', 'sign', 'send', 'bump'] as const)
        await this.engine.payouts[step]()
      this.#parts.devnet.mine(3)
      await this.engine.sync()
      const under = await this.engine.withdrawals.list({ limit: 10_000 })
      const live = await this.store.read((tx) => tx.spending.liveSpends(undefined, 1))
      if (live.length === 0 && under.every(({ status }) => status !== 'approved')) return
      this.ahead.ms += 2 * 60_000
    }
    assert(false, 'paying out never came to its end')
  }
}

/** Looks again and again, as long as something lasts, whether a coin is held twice. */
async function watchedUntil<T>(lasting: Promise<T>, store: Store): Promise<T> {
  let isOver = false
  const ended = lasting.finally(() => {
    isOver = true
  })
  const watching = (async () => {
    while (!isOver) {
      expect(await heldTwice(store)).toEqual([])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const [value] = await Promise.all([ended, watching])
  return value
}

/** Coins that two live spends hold at this moment. */
const heldTwice = (store: Store): Promise<readonly string[]> =>
  store.read(async (tx) => {
    const spends = await tx.spending.liveSpends(undefined, 10_000)
    const holders = new Map<string, string>()
    const twice: string[] = []
    for (const { transaction, spend } of await tx.spending.versionsOf(spends.map(({ id }) => id)))
      for (const input of transaction.inputs) {
        const other = holders.get(outPointKey(input)) ?? spend
        if (other !== spend) twice.push(outPointKey(input))
        holders.set(outPointKey(input), spend)
      }
    return twice
  })

function wishesFor({ customer }: Stake): readonly Wish[] {
  return Array.from({ length: TOTAL }, (_, i) => {
    const n = i % DIFFERENT
    const address = addressOf(Uint8Array.of(0, 20, ...new Uint8Array(18).fill(9), n >> 8, n & 255))
    assert(address, 'an address')
    const isOther = i >= DIFFERENT && i % 5 === 0
    return {
      externalId: `payout ${n}`,
      address,
      amount: isOther ? AMOUNT - 1000 : AMOUNT,
      ...(customer === undefined ? {} : { customer }),
      ...(n % 2 === 0 ? { key: `key ${n}` } : {}),
    }
  })
}
/** What is asked for twice comes first and at the same moment through both processes; the rest in turn. */
const shareOf = (wishes: readonly Wish[], process: number): readonly Wish[] => {
  const twice = wishes.slice(0, TOTAL - DIFFERENT)
  const again = wishes.slice(DIFFERENT)
  const rest = wishes.slice(TOTAL - DIFFERENT, DIFFERENT)
  return [...(process === 0 ? twice : again), ...rest.filter((_, i) => i % PROCESSES === process)]
}

let track: Track | undefined
afterEach(async () => {
  await track?.close()
  track = undefined
})

async function race(meeting: Meeting, stake: Stake): Promise<void> {
  track = await Track.open(meeting)
  const { engine, place, store } = track
  const wallet = await track.register()
  await track.fund(wallet, stake)
  if (stake.limit !== undefined) await track.limit(stake.limit)
  const wishes = wishesFor(stake)
  const { pays } = stake
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, (_, n) =>
      start({ ...place, wallet, wishes: shareOf(wishes, n), pays }),
    ),
  )
  const begun = performance.now()
  const race = Promise.all(processes.map((one) => one.begin()))
  const answered = (await watchedUntil(race, store)).flat()
  const seconds = (performance.now() - begun) / 1000
  const records = await engine.withdrawals.list({ limit: 10_000 })
  const accepted = records.filter(({ status }) => status !== 'rejected')
  stake.fits(accepted.length)
  const spends = await engine.spends.list({ limit: 10_000 })
  expect(spends.length > 0).toBe(pays)
  console.log(
    `${meeting.kind}, ${stake.name}: ${TOTAL} requests, ${accepted.length} accepted, ${spends.length} planned meanwhile, ${Math.round(TOTAL / seconds)} a second`,
  )
  await expectOneResultEach(engine, wallet, answered)
  await track.finish()
  const asked = accepted.map(({ externalId, address, amount }) => ({
    externalId,
    address,
    amount: Number(amount),
  }))
  expect(await unsoundPayouts(store, track.book, asked)).toEqual([])
  const settled = (await engine.withdrawals.list({ limit: 10_000 })).filter(
    ({ status }) => status === 'settled',
  )
  expect(settled).toHaveLength(accepted.length)
  if (stake.customer !== undefined) {
    const [owed] = await engine.ledger.accounts(`owed/${stake.customer}`, undefined, 1)
    const paid = accepted.reduce((sum, { amount }) => sum + amount, 0n)
    expect([owed?.credits, owed?.debits]).toEqual([BigInt(ENOUGH_FOR * AMOUNT), paid])
  }
}

/** An external id and a key are answered by one result, now and for ever. */
async function expectOneResultEach(
  engine: Engine,
  wallet: WalletId,
  answered: readonly Answered[],
): Promise<void> {
  const records = await engine.withdrawals.list({ limit: 10_000 })
  const byId = new Map(records.map((record) => [record.id as string, record]))
  expect(answered).toHaveLength(TOTAL)
  for (const [externalId, ofOne] of Map.groupBy(answered, ({ wish }) => wish.externalId)) {
    const given = ofOne.filter(({ answer }) => answer.startsWith('wdr_'))
    expect(new Set(given.map(({ answer }) => answer)).size, externalId).toBeLessThan(2)
    for (const { wish, answer } of given) {
      const record = byId.get(answer)
      expect([record?.externalId, record?.amount]).toEqual([externalId, BigInt(wish.amount)])
    }
    // Who was given one gets it again; who was not is refused, and never by another one's withdrawal.
    const mine = records.filter((record) => record.externalId === externalId)
    expect(mine.map(({ id }) => id)).toEqual([...new Set(given.map(({ answer }) => answer))])
    for (const { wish, answer } of ofOne)
      if (mine.length > 0) {
        const isSame = mine[0]?.amount === BigInt(wish.amount)
        const conflict = wish.key === undefined ? 'WITHDRAWAL_CONFLICT' : 'IDEMPOTENCY_CONFLICT'
        expect(await askFor(engine, wallet, wish)).toBe(isSame ? mine[0]?.id : conflict)
        if (!isSame) expect(answer).not.toMatch(/^wdr_/)
      }
  }
}

test.for(STAKES)(
  `${PROCESSES} processes on one SQLite file, ${TOTAL} requests for $name`,
  { timeout: 600_000 },
  async (stake) => {
    const file = join(folder, `${STAKES.indexOf(stake)}.db`)
    await race({ kind: 'sqlite', file }, stake)
  },
)

test.for(STAKES)(
  `${PROCESSES} processes on one PostgreSQL, ${TOTAL} requests for $name`,
  { timeout: 600_000 },
  async (stake, context) => {
    if (!server) return context.skip('SKIPPED: there is no PostgreSQL')
    const url = await server.createDatabase()
    await race({ kind: 'postgres', url, schema: 'kaccy' }, stake)
  },
)
