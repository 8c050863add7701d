import type { Command } from 'commander'
import { type ShownSetting, showConfig } from '../config/show.ts'
import { EXIT } from '../shell.ts'
import { addClientOptions, addNodeFlags, type Bind, examples } from './context.ts'

const shown = ({ value }: ShownSetting): string =>
  value === null ? '' : Array.isArray(value) ? value.join(', ') : String(value)

/** `kaccy config` */
export function addConfig(program: Command, bind: Bind): void {
  const config = addClientOptions(addNodeFlags(program.command('config'))).description(
    'the configuration in effect, with secrets masked',
  )
  examples(config, ['kaccy config', 'kaccy config --json', 'KACCY_NETWORK=signet kaccy config'])
  bind(config, async (context) => {
    const loaded = context.load()
    const settings = showConfig(loaded)
    if (!context.json && loaded.file !== undefined) context.line(`file ${loaded.file}`)
    context.list(
      settings,
      [
        { title: 'setting', cell: (row) => row.key },
        {
          title: 'value',
          cell: shown,
          meaning: (row) => (row.value === null ? 'quiet' : 'strong'),
        },
        { title: 'from', cell: (row) => row.source ?? '' },
        { title: 'environment', cell: (row) => row.environment },
      ],
      (row) => row,
    )
    return EXIT.ok
  })
}
