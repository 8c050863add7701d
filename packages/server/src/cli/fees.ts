import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { rateText } from './arguments.ts'
import type { FeesJson } from './client/answers.ts'
import { addClientOptions, addNodeFlags, type Bind, examples } from './context.ts'

type Estimate = FeesJson['estimates'][number]

/** `kaccy fees` */
export function addFees(program: Command, bind: Bind): void {
  const fees = addClientOptions(addNodeFlags(program.command('fees'))).description(
    'what transactions have to pay now, as the node says',
  )
  bind(examples(fees, ['kaccy fees', 'kaccy fees --json']), (context) =>
    context.withClient(
      async (client) => {
        const found = await client.get<FeesJson>('/v1/fees')
        if (context.json) {
          context.object(found)
          return EXIT.ok
        }
        context.list(
          found.estimates,
          [
            { title: 'blocks', align: 'right', cell: (row: Estimate) => `${row.target}` },
            { title: 'rate', align: 'right', cell: (row) => rateText(row.fee_rate_sat_kvb) },
            { title: 'mode', cell: (row) => row.mode },
            { title: 'source', cell: (row) => row.source },
          ],
          (row) => row,
        )
        const floor = found.mempool_minimum
        if (floor !== null) context.line(`mempool minimum ${rateText(floor.rate_sat_kvb)}`)
        return EXIT.ok
      },
      { needsNode: true },
    ),
  )
}
