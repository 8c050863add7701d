import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { type Meeting, openMeeting } from '../../test/races/store.ts'
import { readOptions } from '../options.ts'
import { Random } from '../simulate/random.ts'
import { World } from '../simulate/world.ts'
import { type Command, Obedient } from './commands.ts'
import { dump } from './dump.ts'
import { Handler } from './handler.ts'
import { killPayouts } from './payouts.ts'
import { killAtWrites } from './payouts-writes.ts'
import { liveTogether, type TogetherOptions } from './together.ts'

export interface KillsReport {
  readonly seed: number
  readonly kills: number
  readonly commands: number
  readonly records: number
  /** First lines that differ from the twin's; empty when nothing does. */
  readonly differences: readonly string[]
}

/** Kill points lie this far behind the command, so that the start of the process is one as well as the end of the look. */
const LATEST_KILL_MS = 120
const ORDERS = 6

/**
 * Lives one random life twice: in a process with a real database that is killed again and again, and undisturbed in
 * memory. Both hear the same commands and see the same node. In the end both must hold the same, to the last event.
 */
export async function killAgainAndAgain(
  seed: number,
  kills: number,
  meeting: Meeting,
): Promise<KillsReport> {
  const random = new Random(seed)
  const world = new World(random, () => Date.now())
  await world.devnet.listen()
  const node = { url: world.devnet.rpcUrl, cookieFile: world.devnet.cookiePath }
  const sourceOf = () =>
    createBitcoindSource({ url: node.url, auth: { cookieFile: node.cookieFile } })
  const twinSource = sourceOf()
  const twinStore = createMemoryStore()
  const twin = await Obedient.open(twinStore, twinSource)
  const victim = new Handler<Command>(meeting, node)
  let now = Date.now()
  let commands = 0
  const both = async (command: Command, kill: boolean) => {
    commands += 1
    await twin.obey(command)
    // Twice: killed in the middle, and again to the end. What is done already is not done a second time.
    if (kill) await victim.obeyAndDie(command, random.between(0, LATEST_KILL_MS))
    await victim.obey(command)
  }
  const stamp = () => {
    now += random.between(1000, 60_000)
    return { now, seed: random.next() }
  }
  try {
    await both({ do: 'look', ...stamp() }, false)
    await both({ do: 'register', ...stamp() }, true)
    for (let i = 1; i <= ORDERS; i++)
      await both(orderCommand(i, random, stamp()), random.chance(30))
    const orders = await twinStore.read((tx) => tx.deposits.listOrders({ limit: 100 }))
    while (victim.kills < kills) {
      for (let i = random.between(1, 5); i > 0; i--) happen(world, random, orders)
      await both({ do: 'look', ...stamp() }, random.chance(80))
      if (random.chance(3)) await both({ do: 'settle', externalId: 'order 1', ...stamp() }, true)
    }
    await victim.kill()
    const opened = await openMeeting(meeting)
    const [ours, theirs] = [await dump(opened.store), await dump(twinStore)]
    await opened.close()
    return { seed, kills, commands, records: theirs.length, differences: compare(ours, theirs) }
  } finally {
    await victim.kill()
    await twinSource.close()
    await world.devnet.close()
  }
}

const orderCommand = (number: number, random: Random, stamp: { now: number; seed: number }) =>
  ({
    do: 'order',
    externalId: `order ${number}`,
    amount: random.between(1000, 1_000_000),
    expiresInMs: 3_600_000 * random.between(1, 100),
    ...stamp,
  }) as const

function happen(world: World, random: Random, orders: Parameters<World['pay']>[0]): void {
  const action = random.weighted({ pay: 8, mine: 10, replace: 2, evict: 1, resend: 1, reorg: 3 })
  if (action === 'pay') world.pay(orders)
  else if (action === 'reorg') world.reorg(6)
  else world[action]()
}

function compare(ours: readonly string[], theirs: readonly string[]): string[] {
  const differences: string[] = []
  for (let i = 0; i < Math.max(ours.length, theirs.length) && differences.length < 20; i++)
    if (ours[i] !== theirs[i]) differences.push(`killed: ${ours[i]}\n  twin: ${theirs[i]}`)
  return differences
}

async function main(): Promise<void> {
  const values = readOptions({
    seed: { type: 'string' },
    kills: { type: 'string', default: '20' },
    engines: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '10' },
    /** Kills of a process that pays out. */
    payouts: { type: 'string' },
    /** How often at every named write of it. */
    writes: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) : Number(values.seed)
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-kills-'))
  const meeting: Meeting = { kind: 'sqlite', file: join(folder, 'kills.db') }
  const [processes, rounds] = [Number(values.engines), Number(values.rounds)]
  if (values.payouts !== undefined || values.writes !== undefined) {
    const report =
      values.payouts === undefined
        ? await killAtWrites(seed, Number(values.writes), meeting)
        : await killPayouts(seed, Number(values.payouts), meeting)
    return tell(report, values.json, folder)
  }
  if (processes > 1) return together({ seed, rounds, processes, meeting }, values.json, folder)
  const report = await killAgainAndAgain(seed, Number(values.kills), meeting)
  await rm(folder, { recursive: true, force: true })
  const passed = report.differences.length === 0
  if (values.json) process.stdout.write(`${JSON.stringify({ ...report, passed })}\n`)
  else {
    const { kills, commands, records } = report
    process.stdout.write(
      `seed ${seed}: ${kills} kills in ${commands} commands, ${records} records, ${passed ? 'identical to the twin' : 'DIFFERENT from the twin'}\n`,
    )
    for (const difference of report.differences) process.stdout.write(`${difference}\n`)
  }
  process.exitCode = passed ? 0 : 1
}

async function tell(
  report: { readonly seed: number; readonly kills: number; readonly faults: readonly string[] },
  json: boolean,
  folder: string,
): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const { seed, kills, faults } = report
  const passed = faults.length === 0
  const text = `seed ${seed}: ${kills} kills of payouts, ${passed ? 'everyone has what was asked for, once' : 'NOT as asked for'}`
  const lines = json ? [JSON.stringify({ ...report, passed })] : [text, ...faults]
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = passed ? 0 : 1
}

async function together(options: TogetherOptions, json: boolean, folder: string): Promise<void> {
  const report = await liveTogether(options)
  await rm(folder, { recursive: true, force: true })
  const { seed, rounds, kills, subjects, faults } = report
  const passed = faults.length === 0
  const text = `seed ${seed}: ${options.processes} engines, ${rounds} rounds, ${kills} kills, ${subjects} subjects, ${passed ? 'as one engine alone' : 'NOT as one engine alone'}`
  const lines = json ? [JSON.stringify({ ...report, passed })] : [text, ...faults]
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = passed ? 0 : 1
}

if (import.meta.main) await main()
