import { readFile } from 'node:fs/promises'
import { type Clock, EngineError, Secret } from '../../kernel/index.ts'
import { errorName } from './connection.ts'
import type { BitcoindAuth } from './options.ts'

/** Gives the `Authorization` header, and finds out whether there is a newer one after the node refused it. */
export interface Credentials {
  /** @throws NODE_UNREACHABLE without cookie file (the node is not running), NODE_UNAUTHORIZED when it cannot be read. */
  header(): Promise<Secret<string>>
  /** True when another header is to be had than the one the node just refused. */
  refresh(refused: Secret<string>): Promise<boolean>
}

/** A cookie older than this is read again before use, so that a restarted node is met with its new cookie. */
const FRESH_MS = 1_000

export function createCredentials(auth: BitcoindAuth, clock: Clock): Credentials {
  if ('cookieFile' in auth) return cookieCredentials(auth.cookieFile, clock)
  const header = basic(`${auth.user}:${auth.password.reveal()}`)
  return { header: async () => header, refresh: async () => false }
}

const basic = (pair: string): Secret<string> =>
  new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`)

function cookieCredentials(path: string, clock: Clock): Credentials {
  let known: { readonly header: Secret<string>; readonly at: number } | undefined
  const read = async (): Promise<Secret<string>> => {
    const header = basic(await readCookie(path))
    known = { header, at: clock.now() }
    return header
  }
  return {
    header: async () =>
      known && Math.abs(clock.now() - known.at) < FRESH_MS ? known.header : read(),
    refresh: async (refused) => (await read()).reveal() !== refused.reveal(),
  }
}

async function readCookie(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    // The node removes its cookie when it stops: a missing one is a node that is away, not a wrong password.
    const missing = errorName(error) === 'ENOENT'
    throw new EngineError(
      missing ? 'NODE_UNREACHABLE' : 'NODE_UNAUTHORIZED',
      missing
        ? `there is no cookie file ${path}: the node is not running, or keeps it elsewhere`
        : `the cookie file ${path} cannot be read`,
      { details: { reason: errorName(error), path } },
    )
  }
  const cookie = text.replace(/\r?\n$/, '')
  if (!/^[^:\s]+:\S+$/.test(cookie)) {
    throw new EngineError('NODE_UNREACHABLE', 'the cookie file is not complete')
  }
  return cookie
}
