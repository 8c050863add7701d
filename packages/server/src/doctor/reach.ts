import { readFileSync } from 'node:fs'
import type { SelfJson } from '../cli/client/answers.ts'
import type { ApiClient } from '../cli/client/client.ts'
import type { Config } from '../config/settings.ts'
import { examineClock } from './clock.ts'
import { type Finding, failed, fine, warning } from './finding.ts'
import { peek } from './peek.ts'

const LIVE = '/health/live'
const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error))

/** Whether the address that customers know leads to a running server. */
export async function examinePublicUrl(config: Config): Promise<Finding[]> {
  const url = config['http.public_url']
  if (url === undefined || !URL.canParse(url)) return []
  const todo = 'start kaccy serve; then look at DNS, the proxy in front of it, and the firewall'
  try {
    const { status } = await peek(new URL(LIVE, url).href)
    if (status === 200) return [fine('public url', url)]
    return [warning('public url', `${url}${LIVE} answers ${status}`, todo)]
  } catch (error) {
    return [warning('public url', `${url} cannot be reached: ${reasonOf(error)}`, todo)]
  }
}

/** The server that commands ask: whether it answers, takes the key, and has the same time. */
export async function examineServer(
  client: ApiClient,
  config: Config,
  now: () => number,
): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const { actor, network, mode } = await client.get<SelfJson>('/v1/self')
    findings.push(fine('api', client.name), fine('network', network))
    findings.push(fine('key', `${mode}, ${actor}`))
  } catch (error) {
    return [failed('api', error)]
  }
  const caFile = config['api.ca_file']
  try {
    const ca = caFile === undefined ? undefined : readFileSync(caFile)
    const ready = await peek(new URL('/health/ready', client.name).href, ca)
    findings.push(readyFinding(ready.status, ready.text))
    findings.push(examineClock('the server', now(), { theirs: ready.time }))
  } catch (error) {
    findings.push(warning('readiness', reasonOf(error), 'look at the log of kaccy serve'))
  }
  return findings
}

function readyFinding(status: number, text: string): Finding {
  if (status === 200) return fine('readiness', 'ready')
  const todo = 'look at /health/ready and at the log of kaccy serve'
  return warning('readiness', `not ready (${status}): ${text.slice(0, 200)}`, todo)
}
