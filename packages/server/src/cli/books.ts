import type { Reconciliation } from '@kaccy/bitcoin/deposits'
import { EngineError, outPointKey } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { renderAccounts } from '../view/books.ts'
import { addConfigFlags, addNodeFlags, type Bind, type Context } from './context.ts'
import { withProgress } from './progress.ts'
import { findWallet } from './wallet.ts'

/** `kaccy reconcile`, `kaccy books` */
export function addBooks(program: Command, bind: Bind): void {
  const reconcile = addNodeFlags(program.command('reconcile [wallet]')).description(
    'hold our coins against the node, and the ledger against the coins',
  )
  bind(reconcile, runReconcile)
  const books = addConfigFlags(program.command('books')).description(
    'every account with both sides, counted again from the entries',
  )
  bind(books, async (context) =>
    context.withHost('database', async ({ engine }) => {
      const { readBooks } = await import('../host/snapshot.ts')
      const { accounts, verified, entries } = await readBooks(engine, 'books only')
      if (context.json)
        for (const { account, debits, credits } of accounts)
          context.object({
            account,
            debits_sat: Number(debits),
            credits_sat: Number(credits),
            balance_sat: Number(debits - credits),
          })
      else for (const line of renderAccounts(accounts, context.paint)) context.line(line)
      if (!verified)
        throw new EngineError(
          'SERVER_BOOKS_BROKEN',
          'the totals are not what the entries add up to',
          {
            details: { entries: entries.length },
          },
        )
      return EXIT.ok
    }),
  )
}

const reconciliationJson = (result: Reconciliation) => ({
  wallet: result.wallet,
  height: result.height,
  coins: result.coins,
  ours_sat: Number(result.ours),
  node_sat: Number(result.node),
  booked_sat: Number(result.booked),
  bookable_sat: Number(result.bookable),
  drifts: result.drifts.map(({ point, ours, node }) => ({
    output: outPointKey(point),
    ours_sat: Number(ours),
    node_sat: Number(node),
  })),
})

async function runReconcile(context: Context, [word]: readonly string[]) {
  return context.withHost('node', async (host) => {
    const { engine } = host
    const wallets =
      word === undefined ? await engine.wallets.wallets() : [await findWallet(host, word)]
    // Two different blocks cannot be compared: first be where the node is.
    await withProgress(context, (progress) => engine.sync(progress))
    let drifting = 0
    for (const { id, name } of wallets) {
      const result = await engine.reconcile(id)
      if (result.drifts.length > 0 || result.booked !== result.bookable) drifting += 1
      context.facts(
        [
          ['wallet', `${name} (${id})`],
          ['block', `${result.height}`],
          ['our coins', `${result.coins}, ${satText(result.ours)}`],
          ["the node's", satText(result.node)],
          ['ledger', `${satText(result.booked)} booked, ${satText(result.bookable)} by the coins`],
          ...result.drifts.map(({ point, ours, node }): [string, string] => [
            'drift',
            `${outPointKey(point)} ours ${satText(ours)}, node ${satText(node)}`,
          ]),
        ],
        reconciliationJson(result),
      )
    }
    if (drifting > 0)
      throw new EngineError('SERVER_DRIFT', `${drifting} of ${wallets.length} wallets drift`, {
        details: { wallets: drifting },
      })
    if (!context.json) context.line(context.paint('good', 'drift 0 sat'))
    return EXIT.ok
  })
}
