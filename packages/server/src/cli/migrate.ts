import { MIGRATIONS, SCHEMA_VERSION } from '@kaccy/bitcoin/adapters/sql'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { databaseExists, type OpenDatabase, openDatabase } from '../host/database.ts'
import { EXIT } from '../shell.ts'
import { addConfigFlags, type Bind } from './context.ts'

/** The schema that the database has; 0 when it is empty. @throws EngineError STORE_SCHEMA_NEWER */
export async function schemaOf({ store }: OpenDatabase): Promise<number> {
  try {
    await store.check()
    return SCHEMA_VERSION
  } catch (error) {
    if (error instanceof EngineError && error.code === 'STORE_SCHEMA_OLDER')
      return Number(error.details['found'])
    throw error
  }
}

/** `kaccy migrate` */
export function addMigrate(program: Command, bind: Bind): void {
  const migrate = addConfigFlags(program.command('migrate'))
    .description('bring the database up to date')
    .option('--dry-run', 'only say what would be done')
  bind(migrate, async (context) => {
    const { config } = context.load()
    const dryRun = context.options['dryRun'] === true
    if (dryRun && !databaseExists(config))
      throw new EngineError('SERVER_DATABASE_UNUSABLE', `${config['database.url']} is not there`)
    const database = await openDatabase(config, 'unchecked')
    try {
      const from = await schemaOf(database)
      const steps = MIGRATIONS.slice(from).map(({ version, name }) => ({ version, name }))
      if (!dryRun) await database.store.migrate()
      const word = dryRun ? 'to do' : 'done'
      context.facts(
        [
          ['database', database.name],
          [
            'schema',
            from === SCHEMA_VERSION ? `${from}, up to date` : `${from} to ${SCHEMA_VERSION}`,
          ],
          ...steps.map(({ version, name }): [string, string] => [word, `${version} ${name}`]),
        ],
        { database: database.name, from, to: SCHEMA_VERSION, steps, dry_run: dryRun },
      )
      return EXIT.ok
    } finally {
      await database.close()
    }
  })
}
