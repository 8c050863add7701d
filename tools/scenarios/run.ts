import { parseArgs } from 'node:util'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { createDevnet, createDevnetInProcess, type Devnet } from '@kaccy/devnet'
import { RegtestChain } from '../regtest/chain.ts'
import { devnetSource } from '../regtest/devnet-source.ts'
import { Strangers } from '../regtest/strangers.ts'
import { switchable } from '../regtest/switchable.ts'
import { EngineUnderTest, type UnderTestOptions } from './engine.ts'
import { type FaultBench, payoutsOver, SEND_PATIENCE_MS } from './payouts.ts'
import { ScheduleRun } from './runner.ts'
import {
  paysOut,
  reasonToSkip,
  type Schedule,
  type ScheduleFile,
  unknownWords,
} from './schedule.ts'
import { sharedSchedules } from './schedule-file.ts'

/** Noon of a day in 2026: schedules run on virtual time. */
const START = 1_780_000_000

/** Runs one schedule on a devnet and a memory store; answers what differs from its expectations. */
export async function runOnDevnet(
  schedule: Schedule,
  defaults: ScheduleFile['defaults'],
): Promise<readonly string[]> {
  let engine: EngineUnderTest | undefined
  const now = () => engine?.nowSeconds ?? START
  const options = { start: 'genesis', clock: () => now() * 1000 } as const
  const pays = paysOut(schedule)
  const devnet = pays ? await createDevnet(options) : createDevnetInProcess(options)
  const link = pays ? linkOver(devnet) : { parts: { source: devnetSource(devnet) } }
  const strangers = new Strangers('scenarios')
  const chain = new RegtestChain({
    // Past the faults: they are meant for the engine.
    rpc: async (method, params) => devnet.call(method, params),
    strangers,
    now,
    evict: (txid) => void devnet.evict(txid),
  })
  try {
    await chain.prepare(20)
    engine = new EngineUnderTest({ store: createMemoryStore(), start: START, ...link.parts })
    await engine.open()
    await engine.look()
    await engine.registerWallet()
    const bench = faultsOf(devnet)
    return await new ScheduleRun({ schedule, defaults, chain, strangers, engine, bench }).run()
  } finally {
    await link.close?.()
    await devnet.close()
  }
}

interface Link {
  readonly parts: Pick<UnderTestOptions, 'source' | 'payouts'>
  close?(): Promise<void>
}
/** Over HTTP: what is lost on the way belongs to the test. */
function linkOver(devnet: Devnet): Link {
  const source = createBitcoindSource({
    url: devnet.rpcUrl,
    auth: { cookieFile: devnet.cookiePath },
    retry: { attempts: 1 },
    deadlines: { send: SEND_PATIENCE_MS },
  })
  const parts = { source: switchable(source), payouts: payoutsOver(source) }
  return { parts, close: () => source.close() }
}
const faultsOf = ({ faults }: Devnet): FaultBench => ({
  arm: ({ rpc, ...fault }) => void faults.arm({ method: rpc, ...fault }),
  pending: () => faults.pending().map(({ kind, method }) => `${kind} of ${String(method)}`),
})

/** The command line and its file; or what is wrong with them, in a line. */
async function read() {
  try {
    const { values } = parseArgs({
      options: { file: { type: 'string' }, json: { type: 'boolean' }, only: { type: 'string' } },
    })
    return { values, ...(await sharedSchedules(values.file)) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function main(): Promise<void> {
  const given = await read()
  if (typeof given === 'string') {
    process.stderr.write(`${given}\nnpm run scenarios -- [--file FILE] [--only NAME] [--json]\n`)
    process.exitCode = 2
    return
  }
  const { values, defaults, schedules } = given
  let failed = 0
  for (const schedule of schedules) {
    if (values.only !== undefined && schedule.name !== values.only) continue
    const reason = reasonToSkip(schedule)
    const faults = reason === undefined ? await runGuarded(schedule, defaults) : []
    if (faults.length > 0) failed += 1
    report(schedule.name, reason, faults, values.json === true)
  }
  process.exitCode = failed === 0 ? 0 : 1
}

/** A schedule that throws has failed; the others still run. */
async function runGuarded(schedule: Schedule, defaults: ScheduleFile['defaults']) {
  const unknown = unknownWords(schedule)
  if (unknown.length > 0) return unknown
  try {
    return await runOnDevnet(schedule, defaults)
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}

function report(
  name: string,
  skipped: string | undefined,
  faults: readonly string[],
  json: boolean,
): void {
  const passed = faults.length === 0
  if (json)
    process.stdout.write(
      `${JSON.stringify(skipped === undefined ? { name, passed, ...(passed ? {} : { faults }) } : { name, skipped })}\n`,
    )
  else {
    const mark = skipped !== undefined ? 'skipped' : passed ? 'passed ' : 'FAILED '
    process.stdout.write(`${mark}  ${name}${skipped === undefined ? '' : `: ${skipped}`}\n`)
    for (const fault of faults) process.stdout.write(`         ${fault}\n`)
  }
}

if (import.meta.main) await main()
