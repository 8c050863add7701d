import { SCHEMA_VERSION } from '@kaccy/bitcoin/adapters/sql'
import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { degradationOf } from '@kaccy/bitcoin/chain'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import type { Config } from '../config/settings.ts'
import { ADVICE, failureOf } from '../failure.ts'
import { databaseExists, openDatabase } from '../host/database.ts'
import { networkOf } from '../host/host.ts'
import { inspectNode, nodeOf } from '../host/node.ts'
import { EXIT } from '../shell.ts'
import { addNodeFlags, type Bind, type Context } from './context.ts'
import { schemaOf } from './migrate.ts'

interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly says: string
  /** What to do; empty when nothing is to be done. */
  readonly todo: string
  readonly code?: string
}
/** The machine's clock and the chain's may differ by hours and all is well; by days something is wrong. */
const CLOCK_SLACK_MS = 3 * 60 * 60 * 1000

const fine = (check: string, says: string): Finding => ({ check, state: 'ok', says, todo: '' })
const warning = (check: string, says: string, todo: string): Finding => ({
  check,
  state: 'warning',
  says,
  todo,
})
/** What to do where a code says more than its remedy. */
const TODO: Readonly<Record<string, string>> = {
  NODE_UNAUTHORIZED:
    "compare user and password with the node's rpcuser/rpcauth, or point --cookie at the file of the node that runs now",
  NODE_UNREACHABLE:
    'start the node, and compare address, port and cookie file with its configuration',
  NODE_CERTIFICATE_REFUSED: "give the node's own certificate by --ca, or its fingerprint by --pin",
  CHAIN_WRONG_NETWORK: 'point --node at a node of this network, or correct the network',
}
const failed = (check: string, error: unknown): Finding => {
  const { code, message, remedy } = failureOf(error)
  const todo = `${code}: ${TODO[code] ?? ADVICE[remedy]}`
  return { check, state: 'failed', says: message, todo, code }
}

/** `kaccy doctor` */
export function addDoctor(program: Command, bind: Bind): void {
  const doctor = addNodeFlags(program.command('doctor')).description(
    'check node, database, clock and configuration, and say what to do',
  )
  bind(doctor, async (context) => {
    const findings = await examine(context)
    for (const finding of findings) {
      if (context.json) context.object(finding)
      else for (const line of linesOf(context, finding)) context.line(line)
    }
    const bad = findings.filter(({ state }) => state === 'failed')
    const first = bad[0]?.code
    if (first !== undefined)
      throw new EngineError(
        'SERVER_CHECK_FAILED',
        `${bad.length} of ${findings.length} checks failed`,
        { details: { first } },
      )
    return EXIT.ok
  })
}

const MARKS = { ok: ['good', '✓'], warning: ['wait', '!'], failed: ['bad', '✗'] } as const

function linesOf({ paint }: Context, { check, state, says, todo }: Finding): string[] {
  const [meaning, mark] = MARKS[state]
  const line = ` ${paint(meaning, mark)} ${check.padEnd(14)} ${says}`
  return todo === '' ? [line] : [line, `   ${' '.repeat(14)} ${paint('quiet', `→ ${todo}`)}`]
}

async function examine(context: Context): Promise<Finding[]> {
  let config: Config
  const findings: Finding[] = []
  try {
    const loaded = context.load()
    config = loaded.config
    findings.push(fine('configuration', loaded.file ?? 'no file; environment and flags only'))
    findings.push(fine('network', networkOf(config)))
  } catch (error) {
    return [...findings, failed('configuration', error)]
  }
  return [...findings, ...(await examineDatabase(config)), ...(await examineNode(context, config))]
}

async function examineDatabase(config: Config): Promise<Finding[]> {
  const url = config['database.url']
  // Looking must not make anything.
  if (!databaseExists(config))
    return [warning('database', `${url} is not there`, 'nothing: the first use makes it')]
  try {
    const database = await openDatabase(config, 'unchecked')
    try {
      const schema = await schemaOf(database)
      const opened = fine('database', database.name)
      if (schema === SCHEMA_VERSION) return [opened, fine('schema', `${schema}, up to date`)]
      if (schema === 0)
        return [opened, warning('schema', 'empty', 'nothing: the first use makes the tables')]
      const says = `${schema}, this program needs ${SCHEMA_VERSION}`
      const old = new EngineError('STORE_SCHEMA_OLDER', says)
      return [opened, { ...failed('schema', old), todo: 'make a backup, then run kaccy migrate' }]
    } finally {
      await database.close()
    }
  } catch (error) {
    return [failed('database', error)]
  }
}

async function examineNode(context: Context, config: Config): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const source = nodeOf(config, context.logger({ ...config, 'log.level': 'error' }))
    try {
      const now = systemClock.now()
      const { info } = await inspectNode(source, networkOf(config), now)
      findings.push(fine('node', `${info.network}, block ${info.tip.height}`))
      if (info.pruneHeight !== undefined)
        findings.push(
          warning(
            'pruning',
            `blocks below ${info.pruneHeight} are gone`,
            'catching up and rescans reach no further back; keep downtime short',
          ),
        )
      const degraded = degradationOf(info, now)
      if (degraded !== undefined)
        findings.push(warning('following', degraded, 'wait, then look at the node and its peers'))
      findings.push(clockFinding(info.tipTime, now))
    } finally {
      await source.close()
    }
  } catch (error) {
    findings.push(failed('node', error))
  }
  return findings
}

function clockFinding(tipTime: number | undefined, now: number): Finding {
  const says = new Date(now).toISOString()
  if (tipTime === undefined || tipTime * 1000 - now < CLOCK_SLACK_MS) return fine('clock', says)
  return warning('clock', `${says}, hours behind the newest block`, 'set the clock of this machine')
}
