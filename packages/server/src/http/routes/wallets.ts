import type { WalletRecord } from '@kaccy/bitcoin/wallet'
import type { AppParts } from '../parts.ts'
import { balanceJson, gapsJson, walletJson } from '../present/wallets.ts'
import { maySee } from '../principal.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import { CoinSchema, FrozenSchema } from '../schemas/coins.ts'
import {
  AddressSchema,
  BalanceSchema,
  GapsSchema,
  LabelsSchema,
  RescanRequest,
  TransactionSchema,
  WalletChange,
  WalletList,
  WalletPath,
  WalletQuery,
  WalletSchema,
} from '../schemas/wallets.ts'
import { seenWallet, walletOf } from '../seen.ts'
import { walletContents } from './wallet-contents.ts'
import { walletFiles } from './wallet-files.ts'
import { registerWallet } from './wallet-register.ts'

const tag = 'Wallets'

export const walletResource = (parts: AppParts): Resource => ({
  routes: [
    registerWallet(parts),
    ...reading(parts),
    ...changing(parts),
    ...walletContents(parts),
    ...walletFiles(parts),
  ],
  named: [
    WalletSchema,
    BalanceSchema,
    AddressSchema,
    CoinSchema,
    FrozenSchema,
    TransactionSchema,
    GapsSchema,
    LabelsSchema,
  ],
})

const reading = ({ engine }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/wallets',
    id: 'listWallets',
    tag,
    summary: 'Wallets, oldest first',
    scope: 'wallets:read',
    schemas: { query: WalletQuery, answers: { 200: WalletList } },
    async handle({ query, principal }) {
      const { after = '', status } = query
      // There are few: the engine has them in one piece.
      const rows = (await engine.wallets.wallets())
        .filter((wallet) => maySee(principal, wallet.id))
        .filter((wallet) => status === undefined || wallet.status === status)
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
      return answer(
        200,
        page(rows, limitOf(query), walletJson, ({ id }) => id),
      )
    },
  }),
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet',
    id: 'getWallet',
    tag,
    summary: 'One wallet, with the progress of its rescan',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, answers: { 200: ref(WalletSchema) } },
    handle: async ({ path, principal }) =>
      answer(200, walletJson(await walletOf(engine, principal, path.wallet))),
  }),
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/balance',
    id: 'getBalance',
    tag,
    summary: 'What a wallet has, layer by layer',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, answers: { 200: ref(BalanceSchema) } },
    async handle({ path, principal }) {
      const { id } = await walletOf(engine, principal, path.wallet)
      const layers = await engine.wallets.layers(id)
      return answer(200, balanceJson(id, layers, await engine.wallets.balance(id)))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/gaps',
    id: 'getGaps',
    tag,
    summary: 'How far other wallets with the same keys see',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, answers: { 200: ref(GapsSchema) } },
    async handle({ path, principal }) {
      const id = seenWallet(principal, path.wallet)
      return answer(200, gapsJson(id, accept(await engine.wallets.gaps(id))))
    },
  }),
]

const changing = ({ engine }: AppParts): readonly Route[] => [
  route({
    method: 'PATCH',
    url: '/v1/wallets/:wallet',
    id: 'renameWallet',
    tag,
    summary: 'Give a wallet another name',
    scope: 'wallets:write',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, body: WalletChange, answers: { 200: ref(WalletSchema) } },
    handle: async ({ path, body, principal }) =>
      shown(
        accept(
          await engine.wallets.rename(
            seenWallet(principal, path.wallet),
            body.name,
            principal.actor,
          ),
        ),
      ),
  }),
  route({
    method: 'POST',
    url: '/v1/wallets/:wallet/retire',
    id: 'retireWallet',
    tag,
    summary: 'Hand out no address any more',
    description: 'It stays watched for ever: people pay to old addresses years later.',
    scope: 'wallets:write',
    once: 'around',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, answers: { 200: ref(WalletSchema) } },
    handle: async ({ path, principal }) =>
      shown(
        accept(await engine.wallets.retire(seenWallet(principal, path.wallet), principal.actor)),
      ),
  }),
  route({
    method: 'POST',
    url: '/v1/wallets/:wallet/rescan',
    id: 'rescanWallet',
    tag,
    summary: 'Read old blocks again for a wallet',
    description:
      'The running server reads them; `rescan` of the wallet tells how far it is. A request while a rescan runs begins again at the lower of both heights.',
    scope: 'wallets:write',
    once: 'around',
    refuses: ['WALLET_NOT_FOUND', 'WALLET_BIRTHDAY_ABOVE_TIP', 'WALLET_CHAIN_UNKNOWN'],
    schemas: { path: WalletPath, body: RescanRequest, answers: { 202: ref(WalletSchema) } },
    async handle({ path, body, principal }) {
      const id = seenWallet(principal, path.wallet)
      const { from_height: from } = body
      const asked = await engine.wallets.requestRescan(id, from, principal.actor)
      return answer(202, walletJson(accept(asked)))
    },
  }),
]

const shown = (wallet: WalletRecord): Answer => answer(200, walletJson(wallet))
