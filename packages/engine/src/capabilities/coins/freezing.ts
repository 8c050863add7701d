import {
  isPrintable,
  ok,
  type OutPoint,
  outPointKey,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import { appendAudit } from '../audit/index.ts'
import { appendEvents } from '../events/index.ts'
import type { FreezeRecord } from './ports.ts'
import type { CoinsDeps, CoinsTx, FreezeRefusal } from './transaction.ts'

/** Coins that one request names at most. */
const MOST_NAMED = 1000

/** Keeps coins out of every selection, under the lock that orders all promises of the wallet. */
export function freezeCoins(
  deps: CoinsDeps,
  wallet: WalletId,
  points: readonly OutPoint[],
  reason: string,
  actor: string,
): Promise<Result<readonly FreezeRecord[], FreezeRefusal>> {
  if (!isPrintable(reason, 500))
    return Promise.resolve(
      refuse('COIN_REASON_INVALID', 'a coin is frozen for a reason of 1 to 500 characters', {
        param: 'reason',
      }),
    )
  return change(deps, wallet, points, async (tx, named, at) => {
    const coins = await tx.coins.coins(named)
    const unknown = named.find((_, i) => coins[i]?.wallet !== wallet)
    if (unknown)
      return refuse('COIN_UNKNOWN', `the wallet has no unspent coin ${outPointKey(unknown)}`, {
        param: 'coins',
        details: { wallet, coin: outPointKey(unknown) },
      })
    const before = new Map(
      (await tx.coins.frozen(named)).map((old) => [outPointKey(old.point), old]),
    )
    const records = coins.flatMap((coin): FreezeRecord[] => {
      if (!coin) return []
      const old = before.get(outPointKey(coin.point))
      if (old?.reason === reason) return [old]
      return [{ point: coin.point, wallet, amount: coin.amount, reason, by: actor, at }]
    })
    const changed = records.filter((record) => record !== before.get(outPointKey(record.point)))
    if (changed.length > 0) await tx.coins.freeze(changed)
    await tell(tx, at, actor, wallet, 'freeze', changed, reason)
    return ok(records)
  })
}

/** Lets coins be selected again. */
export function unfreezeCoins(
  deps: CoinsDeps,
  wallet: WalletId,
  points: readonly OutPoint[],
  actor: string,
): Promise<Result<readonly FreezeRecord[], FreezeRefusal>> {
  return change(deps, wallet, points, async (tx, named, at) => {
    const records = await tx.coins.frozen(named)
    const foreign = records.find((record) => record.wallet !== wallet)
    if (foreign)
      return refuse('COIN_UNKNOWN', `the wallet has no coin ${outPointKey(foreign.point)}`, {
        param: 'coins',
        details: { wallet, coin: outPointKey(foreign.point) },
      })
    if (records.length > 0) await tx.coins.unfreeze(records.map((record) => record.point))
    await tell(tx, at, actor, wallet, 'unfreeze', records)
    return ok(records)
  })
}

type Work = (
  tx: CoinsTx,
  points: readonly OutPoint[],
  at: number,
) => Promise<Result<readonly FreezeRecord[], FreezeRefusal>>

async function change(
  { store, clock }: CoinsDeps,
  wallet: WalletId,
  points: readonly OutPoint[],
  work: Work,
): Promise<Result<readonly FreezeRecord[], FreezeRefusal>> {
  const named = [...new Map(points.map((point) => [outPointKey(point), point])).values()]
  if (named.length === 0 || named.length > MOST_NAMED) return tooMany()
  return store.transact(async (tx) => {
    if (!(await tx.wallet.wallet(wallet)))
      return refuse('WALLET_NOT_FOUND', 'no wallet has this id', {
        param: 'wallet',
        details: { wallet },
      })
    await tx.coins.lockFunds(wallet)
    return work(tx, named, clock.now())
  })
}
const tooMany = (): { readonly ok: false; readonly error: Refusal<'COINS_TOO_MANY'> } =>
  refuse('COINS_TOO_MANY', `a request names 1 to ${MOST_NAMED} coins`, { param: 'coins' })

async function tell(
  tx: CoinsTx,
  at: number,
  actor: string,
  wallet: WalletId,
  verb: 'freeze' | 'unfreeze',
  records: readonly FreezeRecord[],
  reason?: string,
): Promise<void> {
  if (records.length === 0) return
  const data = {
    wallet,
    coins: records.map((record) => outPointKey(record.point)),
    amount_sat: Number(records.reduce((sum, record) => sum + record.amount, 0n)),
    ...(reason === undefined ? {} : { reason }),
  }
  await appendAudit(tx, at, [{ actor, action: `coin.${verb}`, subject: wallet, details: data }])
  const type = verb === 'freeze' ? 'coin.frozen' : 'coin.unfrozen'
  await appendEvents(tx, at, [{ type, subject: wallet, data }])
}
