import type { EntryFilter } from '@kaccy/bitcoin/ledger'
import type { OrderId, PaymentId } from '@kaccy/bitcoin/kernel'
import { aloneAtATime } from '../alone.ts'
import type { AppParts } from '../parts.ts'
import { accountJson, booksVerdictJson, entryJson, reconciliationJson } from '../present/ledger.ts'
import { answer, page } from '../reply.ts'
import { type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  AccountList,
  AccountQuery,
  AccountSchema,
  BooksVerdictSchema,
  EntryList,
  EntryQuery,
  EntrySchema,
  ReconciliationSchema,
} from '../schemas/ledger.ts'
import { WalletPath } from '../schemas/wallets.ts'
import { needsEverything, seenWallet, walletOf } from '../seen.ts'

const tag = 'Ledger'

export const ledgerResource = (parts: AppParts): Resource => ({
  routes: [listAccounts(parts), listEntries(parts), verifyLedger(parts), reconcileWallet(parts)],
  named: [AccountSchema, EntrySchema, BooksVerdictSchema, ReconciliationSchema],
})

const listAccounts = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/ledger/accounts',
    id: 'listAccounts',
    tag,
    summary: 'Accounts with both sides, by name',
    description: 'All balances add up to zero. Not for keys that are limited to wallets.',
    scope: 'audit:read',
    schemas: { query: AccountQuery, answers: { 200: AccountList } },
    async handle({ query, principal }) {
      needsEverything(principal)
      const { prefix = '', after } = query
      const rows = await engine.ledger.accounts(prefix, after, limitOf(query) + 1)
      return answer(
        200,
        page(rows, limitOf(query), accountJson, ({ account }) => account),
      )
    },
  })

const listEntries = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/ledger/entries',
    id: 'listEntries',
    tag,
    summary: 'What was booked, oldest first',
    description: 'A key that is limited to wallets names one of them.',
    scope: 'audit:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { query: EntryQuery, answers: { 200: EntryList } },
    async handle({ query, principal }) {
      const { account, wallet, order, payment, after } = query
      if (wallet === undefined) needsEverything(principal)
      const filter: EntryFilter = {
        ...(account === undefined ? {} : { account }),
        ...(wallet === undefined ? {} : { wallet: seenWallet(principal, wallet) }),
        ...(order === undefined ? {} : { order: order as OrderId }),
        ...(payment === undefined ? {} : { payment: payment as PaymentId }),
        ...(after === undefined ? {} : { after: Number(after) }),
        limit: limitOf(query) + 1,
      }
      const rows = await engine.ledger.entries(filter)
      return answer(
        200,
        page(rows, limitOf(query), entryJson, ({ number }) => String(number)),
      )
    },
  })

function verifyLedger({ engine }: AppParts): Route {
  const alone = aloneAtATime()
  return route({
    method: 'GET',
    url: '/v1/ledger/verify',
    id: 'verifyLedger',
    tag,
    summary: 'Count every account again from its entries',
    description:
      'Reads all of it, for one caller at a time: for the night. Not for keys that are limited to wallets.',
    scope: 'audit:read',
    schemas: { answers: { 200: ref(BooksVerdictSchema) } },
    async handle({ principal }) {
      needsEverything(principal)
      return answer(200, booksVerdictJson(await alone(() => engine.ledger.verify())))
    },
  })
}

const reconcileWallet = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/wallets/:wallet/reconcile',
    id: 'reconcileWallet',
    tag,
    summary: 'Hold our coins against the node, and the ledger against the coins',
    description: 'A difference is named and raises an alert; nothing repairs itself.',
    scope: 'audit:read',
    once: 'around',
    refuses: ['WALLET_NOT_FOUND', 'CHAIN_MOVED', 'NODE_UNREACHABLE'],
    schemas: { path: WalletPath, answers: { 200: ref(ReconciliationSchema) } },
    async handle({ path, principal }) {
      const { id } = await walletOf(engine, principal, path.wallet)
      return answer(200, reconciliationJson(await engine.reconcile(id)))
    },
  })
