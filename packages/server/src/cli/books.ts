import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { renderAccounts } from '../view/books.ts'
import type {
  AccountJson,
  BooksVerdictJson,
  ReconciliationJson,
  WalletJson,
} from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import {
  addClientFlags,
  addClientOptions,
  addNodeFlags,
  type Bind,
  type Context,
  examples,
} from './context.ts'
import { findWallet, listWallets } from './find.ts'
import { withProgress } from './progress.ts'

/** `kaccy reconcile`, `kaccy books` */
export function addBooks(program: Command, bind: Bind): void {
  const reconcile = addClientOptions(
    addNodeFlags(program.command('reconcile [wallet]')),
  ).description('hold our coins against the node, and the ledger against the coins')
  bind(examples(reconcile, ['kaccy reconcile', 'kaccy reconcile shop']), runReconcile)
  const books = addClientFlags(program.command('books')).description(
    'every account with both sides, counted again from the entries',
  )
  bind(examples(books, ['kaccy books', 'kaccy books --json']), runBooks)
}

async function runBooks(context: Context) {
  return context.withClient(async (client) => {
    const rows = await client.list<AccountJson>('/v1/ledger/accounts', {}, Number.MAX_SAFE_INTEGER)
    if (context.json) for (const row of rows) context.object(row)
    else {
      const accounts = rows.map((row) => ({
        account: row.account,
        debits: BigInt(row.debits_sat),
        credits: BigInt(row.credits_sat),
      }))
      for (const line of renderAccounts(accounts, context.paint)) context.line(line)
    }
    const verdict = await client.get<BooksVerdictJson>('/v1/ledger/verify')
    if (verdict.ok) return EXIT.ok
    const [first] = verdict.differences
    throw new EngineError(
      'SERVER_BOOKS_BROKEN',
      `the totals are not what the entries add up to: ${first?.message ?? 'they differ'}`,
      { details: { differences: verdict.differences.length } },
    )
  })
}

async function runReconcile(context: Context, [word]: readonly string[]) {
  const work = async (client: ApiClient) => {
    const wallets =
      word === undefined ? await listWallets(client) : [await findWallet(client, word)]
    // Two different blocks cannot be compared: first be where the node is. A server is there.
    const { host } = client
    if (host) await withProgress(context, (progress) => host.engine.sync(progress))
    let drifting = 0
    for (const wallet of wallets) {
      const path = `/v1/wallets/${wallet.id}/reconcile`
      const result = await client.post<ReconciliationJson>(path)
      if (!result.ok) drifting += 1
      showReconciliation(context, wallet, result)
    }
    if (drifting > 0)
      throw new EngineError('SERVER_DRIFT', `${drifting} of ${wallets.length} wallets drift`, {
        details: { wallets: drifting },
      })
    if (!context.json) context.line(context.paint('good', 'drift 0 sat'))
    return EXIT.ok
  }
  return context.withClient(work, { needsNode: true })
}

function showReconciliation(
  context: Context,
  { id, name }: WalletJson,
  result: ReconciliationJson,
): void {
  const drifts = result.drifts.map((drift) => ({ output: `${drift.txid}:${drift.vout}`, ...drift }))
  const { booked_sat: booked, bookable_sat: bookable } = result
  context.facts(
    [
      ['wallet', `${name} (${id})`],
      ['block', `${result.height}`],
      ['our coins', `${result.coins}, ${satText(result.ours_sat)}`],
      ["the node's", satText(result.node_sat)],
      ['ledger', `${satText(booked)} booked, ${satText(bookable)} by the coins`],
      ...drifts.map(({ output, ours_sat: ours, node_sat: node }): [string, string] => [
        'drift',
        `${output} ours ${satText(ours)}, node ${satText(node)}`,
      ]),
    ],
    { ...result, drifts },
  )
}
