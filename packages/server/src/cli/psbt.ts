import { resolve } from 'node:path'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readChoice, readNumber } from './arguments.ts'
import type { PsbtJson, SignablePsbtJson, TakenJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { emit, emitBytes, readInputBytes, writableOrThrow } from './output.ts'
import { PSBT_COLUMNS, showPsbt } from './psbt-output.ts'

const STATUSES: readonly PsbtJson['status'][] = [
  'created',
  'partially_signed',
  'signed',
  'finalized',
  'broadcast',
  'rejected',
  'replaced',
  'evicted',
  'confirmed',
]
const pathOf = (id: string): string => `/v1/psbts/${encodeURIComponent(id)}`

/** `kaccy psbt …` */
export function addPsbt(program: Command, bind: Bind): void {
  const psbt = program.command('psbt').description('transactions to be signed elsewhere')
  const list = addClientFlags(psbt.command('list'))
    .description('newest first')
    .option('--status <status>', STATUSES.join(', '))
    .option('--wallet <id|name>', 'of one wallet')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy psbt list --status created']), runList)
  const show = addClientFlags(psbt.command('show <psbt>')).description(
    'inputs, outputs, fee and status; nothing is given out by that',
  )
  bind(examples(show, ['kaccy psbt show psb_…']), (context, [id = '']) =>
    context.withClient(async (client) => {
      showPsbt(context, await client.get<SignablePsbtJson>(pathOf(id), { peek: true }))
      return EXIT.ok
    }),
  )
  addExport(psbt, bind)
  addImport(psbt, bind)
  addDecisions(psbt, bind)
}

async function runList(context: Context) {
  const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
  const text = context.text('status')
  const status = text === undefined ? undefined : readChoice(text, STATUSES, '--status')
  const word = context.text('wallet')
  return context.withClient(async (client) => {
    const wallet = word === undefined ? undefined : await findWalletId(client, word)
    const rows = await client.list<PsbtJson>('/v1/psbts', { status, wallet }, limit)
    context.list(rows, PSBT_COLUMNS, (row) => row)
    return EXIT.ok
  })
}

const FORMS = ['binary', 'base64'] as const

function addExport(psbt: Command, bind: Bind): void {
  const command = addClientFlags(psbt.command('export <psbt>'))
    .description('give it to a signer: from then on only a conflicting transaction undoes it')
    .option('--output <file>', 'write there, as bytes, instead of base64 on standard output')
    .option('--form <form>', 'binary or base64')
    .option(
      '--receipt <file>',
      'write the policy receipt there: a signer without a network wants both',
    )
  examples(command, [
    'kaccy psbt export psb_… --output payout.psbt --receipt payout.receipt',
    'kaccy psbt export psb_… > payout.base64',
  ])
  bind(command, async (context, [id = '']) => {
    const file = context.text('output')
    const fallback = file === undefined ? 'base64' : 'binary'
    const form = readChoice(context.text('form') ?? fallback, FORMS, '--form')
    if (form === 'binary' && file === undefined)
      throw new EngineError('USAGE_INVALID', 'bytes go to a file: give --output', {
        details: { param: '--output' },
      })
    // Said before it counts as shown.
    const receiptFile = context.text('receipt')
    for (const path of [file, receiptFile])
      if (path !== undefined) writableOrThrow(resolve(context.shell.folder, path))
    return context.withClient(async (client) => {
      const { psbt: text, receipt } = await client.get<SignablePsbtJson>(pathOf(id))
      if (text === null)
        throw new EngineError(
          'USAGE_INVALID',
          `${id} is not to be signed: kaccy psbt show tells what it waits for`,
        )
      if (receiptFile !== undefined) {
        if (receipt === null)
          throw new EngineError(
            'USAGE_INVALID',
            'the server has no receipt key: signer.receipt_key',
          )
        emitBytes(context, receiptFile, Buffer.from(`${receipt}\n`))
      }
      if (form === 'base64') await emit(context, oneLine(text))
      else emitBytes(context, file ?? '', Buffer.from(text, 'base64'))
      return EXIT.ok
    })
  })
}

async function* oneLine(text: string): AsyncGenerator<string> {
  yield `${text}\n`
}

/** `psbt` and the byte 0xff (BIP 174). */
const MAGIC = Buffer.from('70736274ff', 'hex')

function addImport(psbt: Command, bind: Bind): void {
  const command = addClientFlags(psbt.command('import <psbt> <file>')).description(
    'bring signatures back, as bytes or base64 (- for standard input)',
  )
  examples(command, ['kaccy psbt import psb_… payout-signed.psbt'])
  bind(command, async (context, [id = '', file = '']) => {
    const bytes = Buffer.from(await readInputBytes(context, file))
    const isBinary = bytes.subarray(0, MAGIC.length).equals(MAGIC)
    const text = isBinary ? bytes.toString('base64') : bytes.toString('latin1').trim()
    return context.withClient(async (client) => {
      const body = { psbt: text }
      showPsbt(context, await client.post<TakenJson>(`${pathOf(id)}/signatures`, { body }))
      return EXIT.ok
    })
  })
}

function addDecisions(psbt: Command, bind: Bind): void {
  const approve = addClientFlags(psbt.command('approve <psbt>'))
    .description('say yes to exactly this transaction')
    .option('--hash <hex>', 'only if this is its hash (default: what it is now)')
    .option('--yes', 'do not ask')
  bind(examples(approve, ['kaccy psbt approve psb_… --yes']), (context, [id = '']) =>
    context.withClient(async (client) => {
      const shown = await client.get<SignablePsbtJson>(pathOf(id), { peek: true })
      if (!context.json) showPsbt(context, shown)
      await context.confirm('Approve this transaction?')
      const body = { hash: context.text('hash') ?? shown.hash }
      const approved = await client.post<PsbtJson>(`${pathOf(id)}/approve`, { body })
      if (context.json) context.object(approved)
      else context.line(`approved ${approved.hash}`)
      return EXIT.ok
    }),
  )
  const reject = addClientFlags(psbt.command('reject <psbt>'))
    .description('nobody is asked to sign it any more')
    .requiredOption('--reason <text>', 'why: it stands in the audit trail')
    .option('--yes', 'do not ask')
  bind(
    examples(reject, ["kaccy psbt reject psb_… --reason 'wrong fee' --yes"]),
    async (context, [id = '']) => {
      await context.confirm(`Turn down ${id}?`)
      return context.withClient(async (client) => {
        const body = { reason: context.text('reason') ?? '' }
        showPsbt(context, await client.post<PsbtJson>(`${pathOf(id)}/reject`, { body }))
        return EXIT.ok
      })
    },
  )
}
