import { EngineError, type Logger } from '@kaccy/bitcoin/kernel'
import { type Loaded, SOURCES } from '../../config/load.ts'
import { ApiClient } from './client.ts'

/** What a command needs of its own process, where that is what it asks. */
export interface ClientNeeds {
  readonly needsNode?: boolean
  readonly mayCreate?: boolean
}

/**
 * Whether a server is asked. The stronger source decides between an API and a database: `--database` is meant even where
 * KACCY_API_URL is set. Of one strength, the API is asked; two flags contradict each other.
 * @throws EngineError CONFIG_CONFLICT
 */
export function asksServer({ config, sources }: Loaded): boolean {
  if (config['api.url'] === undefined) return false
  const strength = (key: 'api.url' | 'database.url') =>
    SOURCES.indexOf(sources.get(key) ?? 'default')
  const lead = strength('api.url') - strength('database.url')
  if (lead === 0 && sources.get('api.url') === 'flag')
    throw new EngineError('CONFIG_CONFLICT', '--api and --database are both given', {
      details: { param: '--api' },
    })
  return lead >= 0
}

/** Opens what a command asks. @throws EngineError what the configuration, the database or the server is refused with */
export async function openClient(
  loaded: Loaded,
  { logger, needsNode = false, mayCreate = false }: ClientNeeds & { readonly logger: Logger },
): Promise<ApiClient> {
  const { config } = loaded
  const url = config['api.url']
  if (url !== undefined && asksServer(loaded)) {
    const { httpTransport } = await import('./http.ts')
    return new ApiClient(
      httpTransport({
        url,
        key: config['api.key'],
        caFile: config['api.ca_file'],
        allowPlainHttp: config['api.allow_plain_http'],
      }),
    )
  }
  const { openHost } = await import('../../host/host.ts')
  const host = await openHost({ config, logger, needsNode, mayCreate })
  try {
    const { processTransport } = await import('./process.ts')
    return new ApiClient(processTransport(host, config['http.public_url']), host)
  } catch (error) {
    await host.close()
    throw error
  }
}
