/**
 * `npm run contract -- --node URL --cookie FILE | --user U --password P [--ca FILE] [--json]`: holds the contract of a
 * chain source against a running regtest node. Mines and spends there. The password may also stand in
 * KACCY_NODE_PASSWORD, where no list of processes shows it. Exit code 0 when every check passed.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { BitcoindAuth } from '@kaccy/bitcoin/adapters/bitcoind'
import { EngineError, Secret } from '@kaccy/bitcoin/kernel'
import { type CheckResult, runNodeContract } from '../../test/counterparts/contract/index.ts'

const USAGE =
  'npm run contract -- --node URL (--cookie FILE | --user U --password P) [--ca FILE] [--json]\n'

interface Given {
  readonly node?: string | undefined
  readonly cookie?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly ca?: string | undefined
  readonly json?: boolean | undefined
}

function read(): Given | undefined {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      options: {
        node: text,
        cookie: text,
        user: text,
        password: text,
        ca: text,
        json: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return undefined
  }
}

function authOf({ cookie, user, password }: Given): BitcoindAuth | undefined {
  if (cookie !== undefined) return { cookieFile: cookie }
  const secret = password ?? process.env['KACCY_NODE_PASSWORD']
  if (user === undefined || secret === undefined) return undefined
  return { user, password: new Secret(secret) }
}

const line = (result: CheckResult): string => {
  if (!result.passed) return `FAILED  ${result.name}: ${result.reason}`
  return 'skipped' in result
    ? `skipped ${result.name}: ${result.skipped}`
    : `passed  ${result.name}`
}

async function main(): Promise<number> {
  const given = read()
  const auth = given && authOf(given)
  if (!given?.node || !auth) {
    process.stderr.write(USAGE)
    return 2
  }
  const report = (result: CheckResult) =>
    process.stdout.write(`${given.json ? JSON.stringify(result) : line(result)}\n`)
  try {
    const tls = given.ca === undefined ? {} : { tls: { ca: readFileSync(given.ca, 'utf8') } }
    const results = await runNodeContract({ url: given.node, auth, ...tls }, report)
    return results.every(({ passed }) => passed) ? 0 : 1
  } catch (error) {
    const code = error instanceof EngineError ? `${error.code}: ` : ''
    process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

process.exitCode = await main()
