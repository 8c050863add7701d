import { asError, EngineError, refuse } from '@kaccy/bitcoin/kernel'
import type { OrderJson, SelfJson, WalletJson, WithdrawalJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'

/** Wallets are few; more than this has nobody. */
const MOST_WALLETS = 10_000

export const listWallets = (client: ApiClient): Promise<WalletJson[]> =>
  client.list<WalletJson>('/v1/wallets', {}, MOST_WALLETS)

/** Finds a wallet by id or by name; without a word the only one there is. @throws EngineError WALLET_NOT_FOUND, USAGE_INVALID */
export async function findWallet(client: ApiClient, word: string | undefined): Promise<WalletJson> {
  const wallets = await listWallets(client)
  const named = wallets.filter(({ id, name }) => word === undefined || id === word || name === word)
  const [found, second] = named
  if (found && !second) return found
  if (found)
    throw new EngineError(
      'USAGE_INVALID',
      `several wallets fit: name one by its id (${named.map(({ id }) => id).join(', ')})`,
    )
  const message = word === undefined ? 'no wallet is registered' : `no wallet ${word}`
  throw asError(refuse('WALLET_NOT_FOUND', message, { param: 'wallet' }).error)
}

const WALLET_ID = /^wal_[\w-]{1,160}$/

/**
 * The id of a wallet, for what needs no more of it: a key that may make orders and read no wallets names it by its id, or is
 * limited to one.
 * @throws EngineError WALLET_NOT_FOUND, USAGE_INVALID, SCOPE_MISSING
 */
export async function findWalletId(client: ApiClient, word: string | undefined): Promise<string> {
  if (word !== undefined && WALLET_ID.test(word)) return word
  try {
    return (await findWallet(client, word)).id
  } catch (error) {
    if (!(error instanceof EngineError && error.code === 'SCOPE_MISSING')) throw error
    const { wallets } = await client.get<SelfJson>('/v1/self')
    const [only, second] = wallets ?? []
    if (word === undefined && only !== undefined && second === undefined) return only
    throw error
  }
}

const ORDER_ID = /^ord_[\w-]{1,160}$/
const LONGEST = { external_id: 255, address: 120 } as const

/** By its own id, by the caller's, or by its address. @throws EngineError ORDER_NOT_FOUND */
export async function findOrder(client: ApiClient, word: string): Promise<OrderJson> {
  if (ORDER_ID.test(word)) {
    const order = await orNone(client.get<OrderJson>(`/v1/orders/${word}`))
    if (order) return order
  }
  for (const name of ['external_id', 'address'] as const) {
    if (word === '' || word.length > LONGEST[name]) continue
    const found = await orNone(client.list<OrderJson>('/v1/orders', { [name]: word }, 1))
    if (found?.[0]) return found[0]
  }
  throw asError(refuse('ORDER_NOT_FOUND', `no order ${word}`, { param: 'order' }).error)
}

const WITHDRAWAL_ID = /^wdr_[\w-]{1,160}$/
/** By its own id, or by the caller's. @throws EngineError WITHDRAWAL_NOT_FOUND */
export async function findWithdrawal(client: ApiClient, word: string): Promise<WithdrawalJson> {
  if (WITHDRAWAL_ID.test(word)) {
    const found = await orNone(client.get<WithdrawalJson>(`/v1/withdrawals/${word}`))
    if (found) return found
  }
  const isWord = word !== '' && word.length <= LONGEST.external_id
  const query = { external_id: word }
  const [found] = isWord ? await client.list<WithdrawalJson>('/v1/withdrawals', query, 1) : []
  if (found) return found
  throw asError(refuse('NOT_FOUND', `no withdrawal ${word}`, { param: 'withdrawal' }).error)
}

/** No order, or a word that is no address: then no order has it either. */
const NONE = /^(NOT_FOUND|ORDER_NOT_FOUND|WITHDRAWAL_NOT_FOUND|ADDRESS_(?!FORBIDDEN))/

/** Undefined where the answer is that there is none. */
async function orNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof EngineError && NONE.test(error.code)) return undefined
    throw error
  }
}
