import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { SCHEMA_VERSION } from '@kaccy/bitcoin/adapters/sql'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import { isPostgres } from '../config/value.ts'
import { databaseExists, openDatabase, schemaOf } from '../host/database.ts'
import { type Finding, failed, fine, warning, wrong } from './finding.ts'

const GIB = 2 ** 30
/** A busy year of orders is a few hundred megabytes; a migration copies tables. */
const LITTLE_BYTES = 2 * GIB
const NOTHING_BYTES = GIB / 10

/** The database, its schema, and where it lies whether there is room for it. Looking makes nothing. */
export async function examineDatabase(config: Config): Promise<Finding[]> {
  const url = config['database.url']
  if (!databaseExists(config))
    return [warning('database', `${url} is not there`, 'nothing: the first use makes it')]
  const room = isPostgres(url) || url === ':memory:' ? [] : [examineRoom(dirname(url))]
  try {
    const database = await openDatabase(config, 'unchecked')
    try {
      return [fine('database', database.name), schemaFinding(await schemaOf(database)), ...room]
    } finally {
      await database.close()
    }
  } catch (error) {
    return [failed('database', error), ...room]
  }
}

function schemaFinding(schema: number): Finding {
  if (schema === SCHEMA_VERSION) return fine('schema', `${schema}, up to date`)
  if (schema === 0) return warning('schema', 'empty', 'nothing: the first use makes the tables')
  const says = `${schema}, this program needs ${SCHEMA_VERSION}`
  return failed('schema', new EngineError('STORE_SCHEMA_OLDER', says))
}

/** Free space where the database lies. @param free bytes, in place of what the file system says */
export function examineRoom(folder: string, free: number = freeBytes(folder)): Finding {
  const says = `${(free / GIB).toFixed(1)} GiB free in ${folder}`
  if (free < NOTHING_BYTES)
    return wrong('disk', says, 'make room now: without it nothing can be committed')
  if (free < LITTLE_BYTES) return warning('disk', says, 'make room before it runs out')
  return fine('disk', says)
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
