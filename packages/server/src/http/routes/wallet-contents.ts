import { transactionCursor } from '@kaccy/bitcoin/deposits'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import { readTransactionCursor } from '../cursor.ts'
import type { AppParts } from '../parts.ts'
import { addressJson, transactionJson } from '../present/wallets.ts'
import { accept, answer, page } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  AddressChange,
  AddressList,
  AddressPath,
  AddressQuery,
  AddressSchema,
  TransactionList,
  TransactionQuery,
  WalletPath,
} from '../schemas/wallets.ts'
import { walletOf } from '../seen.ts'
import { walletCoins } from './coins.ts'

const tag = 'Wallets'

/** What a wallet holds: addresses, coins, transactions. */
export const walletContents = (parts: AppParts): readonly Route[] => [
  listAddresses(parts),
  labelAddress(parts),
  ...walletCoins(parts),
  listTransactions(parts),
]

const placeAfter = (wallet: WalletId, cursor: string) => {
  const [branch, index] = cursor.split('.').map(Number)
  return { wallet, branch: branch ?? 0, index: index ?? 0 }
}

const listAddresses = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/addresses',
    id: 'listAddresses',
    tag,
    summary: 'Addresses of a wallet, in the order of its branches',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, query: AddressQuery, answers: { 200: AddressList } },
    async handle({ path, query, principal }) {
      const { id: wallet } = await walletOf(engine, principal, path.wallet)
      const { state = 'revealed', branch, after } = query
      const rows = await engine.wallets.addresses({
        wallet,
        state,
        ...(branch === undefined ? {} : { branch }),
        ...(after === undefined ? {} : { after: placeAfter(wallet, after) }),
        limit: limitOf(query) + 1,
      })
      const cursorOf = (row: (typeof rows)[number]) => `${row.branch}.${row.index}`
      return answer(200, page(rows, limitOf(query), addressJson, cursorOf))
    },
  })

const labelAddress = ({ engine }: AppParts): Route =>
  route({
    method: 'PATCH',
    url: '/v1/wallets/:wallet/addresses/:branch/:index',
    id: 'labelAddress',
    tag,
    summary: 'Label an address, for the address book',
    scope: 'wallets:write',
    refuses: ['WALLET_NOT_FOUND', 'WALLET_ADDRESS_UNKNOWN', 'WALLET_LABEL_INVALID'],
    schemas: { path: AddressPath, body: AddressChange, answers: { 200: ref(AddressSchema) } },
    async handle({ path, body, principal }) {
      const { id: wallet } = await walletOf(engine, principal, path.wallet)
      const { branch, index } = path
      const labelled = await engine.wallets.labelAddress({ wallet, branch, index }, body.label)
      return answer(200, addressJson(accept(labelled)))
    },
  })

const listTransactions = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/transactions',
    id: 'listTransactions',
    tag,
    summary: 'What paid a wallet or spent of it, newest first',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, query: TransactionQuery, answers: { 200: TransactionList } },
    async handle({ path, query, principal }) {
      const { id } = await walletOf(engine, principal, path.wallet)
      const { after } = query
      const rows = await engine.wallets.transactions(id, {
        ...(after === undefined ? {} : { before: readTransactionCursor(after) }),
        limit: limitOf(query) + 1,
      })
      const cursorOf = (row: (typeof rows)[number]) => {
        const { firstSeenAt, txid } = transactionCursor(row)
        return `${firstSeenAt}.${txid}`
      }
      return answer(200, page(rows, limitOf(query), transactionJson, cursorOf))
    },
  })
