import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { addConfigFlags, type Bind, examples } from './context.ts'

/** `kaccy migrate` */
export function addMigrate(program: Command, bind: Bind): void {
  const migrate = addConfigFlags(program.command('migrate'))
    .description('bring the database up to date')
    .option('--dry-run', 'only say what would be done')
  examples(migrate, ['kaccy migrate --dry-run', 'kaccy migrate'])
  bind(migrate, async (context) => {
    const { config } = context.load()
    const [{ databaseExists, openDatabase, schemaOf }, { MIGRATIONS, SCHEMA_VERSION }] =
      await Promise.all([import('../host/database.ts'), import('@kaccy/bitcoin/adapters/sql')])
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
