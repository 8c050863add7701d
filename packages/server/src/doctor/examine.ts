import { systemClock } from '@kaccy/bitcoin/adapters/system'
import type { ApiClient } from '../cli/client/client.ts'
import type { Context } from '../cli/context.ts'
import { asksServer } from '../cli/client/open.ts'
import type { Loaded } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { networkOf } from '../host/host.ts'
import { httpSettings, listenOn } from '../serve/settings.ts'
import { examineDatabase } from './database.ts'
import { type Finding, failed, fine } from './finding.ts'
import { examineNode } from './node.ts'
import { examinePublicUrl, examineServer } from './reach.ts'
import { examineSigner } from './signer.ts'
import { examineTls } from './tls.ts'
import { examineWebhooks } from './webhooks.ts'

/** Looks at everything that the configuration names, in the order in which things depend on each other. */
export async function examine(
  context: Context,
  now: () => number = systemClock.now,
): Promise<Finding[]> {
  let loaded: Loaded
  try {
    loaded = context.load()
    const says = loaded.file ?? 'no file; environment and flags only'
    if (asksServer(loaded))
      return [fine('configuration', says), ...(await overThere(context, loaded, now))]
    const findings = [fine('configuration', says), fine('network', networkOf(loaded.config))]
    return [...findings, ...(await here(context, loaded.config, now))]
  } catch (error) {
    return [failed('configuration', error)]
  }
}

/** A server that runs elsewhere: what it stands on is its own doctor's work. */
const overThere = (context: Context, { config }: Loaded, now: () => number): Promise<Finding[]> =>
  asking(context, 'api', async (client) => [
    ...(await examineServer(client, config, now)),
    ...(await examineWebhooks(client)),
  ])

async function here(context: Context, config: Config, now: () => number): Promise<Finding[]> {
  const database = await examineDatabase(config)
  const usable = database.some(
    ({ check, says }) => check === 'schema' && says.includes('up to date'),
  )
  const logger = context.logger({ ...config, 'log.level': 'error' })
  return [
    ...database,
    ...(await examineNode(config, logger, now)),
    ...(await examineSigner(config)),
    ...examineInterface(config),
    ...examineTls(config, now()),
    ...(await examinePublicUrl(config)),
    ...(usable ? await asking(context, 'webhooks', examineWebhooks) : []),
  ]
}

const asking = (
  context: Context,
  check: string,
  work: (client: ApiClient) => Promise<Finding[]>,
): Promise<Finding[]> => context.withClient(work).catch((error: unknown) => [failed(check, error)])

/** What `kaccy serve` would refuse to start with. */
function examineInterface(config: Config): Finding[] {
  try {
    const { host, port } = listenOn(config)
    const { tls } = httpSettings(config)
    return [fine('interface', `${tls ? 'https' : 'http'} on ${host}:${port}`)]
  } catch (error) {
    return [failed('interface', error)]
  }
}
