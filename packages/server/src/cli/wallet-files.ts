import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import type { LabelsJson, WalletJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'
import { findWallet } from './find.ts'
import { emit, readInput } from './output.ts'

const output = (command: Command) =>
  addClientFlags(command).option('--output <file>', 'write there instead of standard output')

/** `kaccy wallet export-recovery`, `restore`, `labels` */
export function addWalletFiles(wallet: Command, bind: Bind): void {
  const recovery = output(wallet.command('export-recovery [wallet]')).description(
    'a file that finds all coins again; it holds no private key',
  )
  bind(
    examples(recovery, ['kaccy wallet export-recovery shop --output shop.recovery']),
    (context, [word]) =>
      context.withClient(async (client) => {
        const { id } = await findWallet(client, word)
        await emit(context, client.text(`/v1/wallets/${id}/recovery`))
        return EXIT.ok
      }),
  )
  const restore = addClientFlags(wallet.command('restore <file>')).description(
    'take up a recovery file (- for standard input)',
  )
  bind(examples(restore, ['kaccy wallet restore shop.recovery']), (context, [file = '']) =>
    context.withClient(
      async (client) => {
        const body = { recovery: await readInput(context, file) }
        const { made, created } = await client.create<WalletJson>('/v1/wallets/restore', { body })
        context.facts(
          [
            ['wallet', made.id],
            ['name', made.name],
            ['', created ? 'restored' : 'was there and took up what the file knew more'],
          ],
          { ...made, created },
        )
        return EXIT.ok
      },
      { mayCreate: true },
    ),
  )
  addLabels(wallet, bind)
}

function addLabels(wallet: Command, bind: Bind): void {
  const labels = wallet.command('labels').description('the address book, as BIP 329 files')
  const exported = output(labels.command('export [wallet]')).description('write all labels')
  bind(
    examples(exported, ['kaccy wallet labels export shop --output labels.jsonl']),
    (context, [word]) =>
      context.withClient(async (client) => {
        const { id } = await findWallet(client, word)
        await emit(context, client.text(`/v1/wallets/${id}/labels`))
        return EXIT.ok
      }),
  )
  const imported = addClientFlags(labels.command('import <file> [wallet]')).description(
    'take labels of another wallet (- for standard input)',
  )
  bind(
    examples(imported, ['kaccy wallet labels import labels.jsonl shop']),
    (context, [file = '', word]) =>
      context.withClient(async (client) => {
        const { id } = await findWallet(client, word)
        const body = { labels: await readInput(context, file) }
        const result = await client.post<LabelsJson>(`/v1/wallets/${id}/labels`, { body })
        context.facts(
          [
            ['imported', `${result.imported}`],
            ...result.skipped.map(({ line, reason }): [string, string] => [`line ${line}`, reason]),
          ],
          { wallet: id, ...result },
        )
        return EXIT.ok
      }),
  )
}
