import type { FreezeRecord } from '@kaccy/bitcoin/coins'
import { type OutPoint, txid, type WalletId } from '@kaccy/bitcoin/kernel'
import { paymentCursor } from '@kaccy/bitcoin/deposits'
import { readPaymentCursor, writePaymentCursor } from '../cursor.ts'
import type { AppParts } from '../parts.ts'
import { coinJson, frozenJson } from '../present/coins.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import { CoinList, FreezeRequest, FrozenSchema, UnfreezeRequest } from '../schemas/coins.ts'
import { CoinQuery, WalletPath } from '../schemas/wallets.ts'
import { walletOf } from '../seen.ts'

const tag = 'Wallets'

/** The coins of a wallet, and which of them people keep out of payouts. */
export const walletCoins = (parts: AppParts): readonly Route[] => [
  listCoins(parts),
  ...freezing(parts),
]

const listCoins = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/coins',
    id: 'listCoins',
    tag,
    summary: 'Unspent payments of a wallet in mempool and best chain, newest first',
    description:
      'With what keeps each from being spent: people (`frozen`), or a spend that has it.',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, query: CoinQuery, answers: { 200: CoinList } },
    async handle({ path, query, principal }) {
      const { id } = await walletOf(engine, principal, path.wallet)
      const { after } = query
      const rows = await engine.wallets.coins(id, {
        ...(after === undefined ? {} : { before: readPaymentCursor(after) }),
        limit: limitOf(query) + 1,
      })
      const holds = await engine.coins.holds(rows.map(({ payment }) => payment.point))
      const cursorOf = (row: (typeof rows)[number]) => writePaymentCursor(paymentCursor(row))
      return answer(200, page(rows, limitOf(query), coinJson(holds), cursorOf))
    },
  })

/** `pay_<txid>_<vout>`: the form has been checked by the schema. */
const pointOf = (id: string): OutPoint => {
  const [, hash = '', vout] = id.split('_')
  return { txid: txid(hash), vout: Number(vout) }
}

function freezing({ engine }: AppParts): readonly Route[] {
  const shown =
    (wallet: WalletId) =>
    (records: readonly FreezeRecord[]): Answer =>
      answer(200, frozenJson(wallet, records))
  return [
    route({
      method: 'POST',
      url: '/v1/wallets/:wallet/coins/freeze',
      id: 'freezeCoins',
      tag,
      summary: 'Keep coins out of every payout',
      description: 'Until they are let go again. A coin that a spend has already stays with it.',
      scope: 'wallets:write',
      once: 'around',
      refuses: ['WALLET_NOT_FOUND', 'COIN_UNKNOWN', 'COINS_TOO_MANY'],
      schemas: { path: WalletPath, body: FreezeRequest, answers: { 200: ref(FrozenSchema) } },
      async handle({ path, body, principal }) {
        const { id } = await walletOf(engine, principal, path.wallet)
        const points = body.coins.map(pointOf)
        return shown(id)(
          accept(await engine.coins.freeze(id, points, body.reason, principal.actor)),
        )
      },
    }),
    route({
      method: 'POST',
      url: '/v1/wallets/:wallet/coins/unfreeze',
      id: 'unfreezeCoins',
      tag,
      summary: 'Let frozen coins be spent again',
      description: 'Answers those that were frozen until now.',
      scope: 'wallets:write',
      once: 'around',
      refuses: ['WALLET_NOT_FOUND', 'COIN_UNKNOWN', 'COINS_TOO_MANY'],
      schemas: { path: WalletPath, body: UnfreezeRequest, answers: { 200: ref(FrozenSchema) } },
      async handle({ path, body, principal }) {
        const { id } = await walletOf(engine, principal, path.wallet)
        const points = body.coins.map(pointOf)
        return shown(id)(accept(await engine.coins.unfreeze(id, points, principal.actor)))
      },
    }),
  ]
}
