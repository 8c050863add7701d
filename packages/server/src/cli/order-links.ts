import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findOrder } from './find.ts'

/** `kaccy order pay-url`, `kaccy order qr` */
export function addOrderLinks(order: Command, bind: Bind): void {
  const payUrl = addClientFlags(order.command('pay-url <order>'))
    .description('the address of its checkout page, to hand to a customer')
    .option('--qr', 'also as a code')
  examples(payUrl, ['kaccy order pay-url coffee-1', 'kaccy order pay-url coffee-1 --qr'])
  bind(payUrl, (context, [word = '']) =>
    context.withClient(async (client) => {
      const { id, pay_url: url } = await findOrder(client, word)
      if (url === null)
        throw new EngineError(
          'CONFIG_VALUE_MISSING',
          'nobody knows the address of the server: set http.public_url',
          { details: { param: 'http.public_url' } },
        )
      if (context.json) context.object({ order: id, pay_url: url })
      else context.line(url)
      if (context.options['qr'] === true && !context.json) await showCode(context, url)
      return EXIT.ok
    }),
  )
  const qr = addClientFlags(order.command('qr <order>')).description(
    'the code that a wallet scans, in the terminal',
  )
  examples(qr, ['kaccy order qr coffee-1'])
  bind(qr, (context, [word = '']) =>
    context.withClient(async (client) => {
      const { id, bip21 } = await findOrder(client, word)
      if (context.json) context.object({ order: id, bip21 })
      else {
        await showCode(context, bip21)
        context.line(bip21)
      }
      return EXIT.ok
    }),
  )
}

/** A QR code of half blocks: two rows of the code in one line of the terminal, with the quiet border that cameras need. */
export async function showCode(context: Context, text: string): Promise<void> {
  const { renderUnicodeCompact } = await import('uqr')
  for (const line of renderUnicodeCompact(text, { border: 2 }).split('\n')) context.line(line)
}
