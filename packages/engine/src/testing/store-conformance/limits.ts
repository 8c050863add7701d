import type { DayRecord } from '../../capabilities/analytics/index.ts'
import type { Reservation } from '../../capabilities/limits/index.ts'
import { sat } from '../../kernel/index.ts'
import type { Store } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { scriptOf, walletIdOf } from './samples.ts'
import { dayRecordOf, profileOf, reservationOf, requestIdOf } from './samples-policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const T0 = 1_700_000_000_000

const insert = (store: Store, ...reservations: readonly Reservation[]) =>
  store.transact(async (tx) => {
    for (const one of reservations) await tx.limits.insert(one)
  })
const sum = async (store: Store, subject: string, from: number) => {
  const [answer] = await store.read((tx) => tx.limits.sums([{ subject, from }]))
  return answer && [answer.amount, answer.count, answer.oldestAt]
}
const hex = (number: number) =>
  [...scriptOf(number)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** What is counted, and what is known of who asks. */
export const LIMITS: Chapter = {
  'sums are exact to the millisecond over minutes, hours and days': async ({ store }) => {
    const ages = [0, 1, 59_999, MINUTE, HOUR - 1, HOUR, 3 * HOUR + 5, DAY, DAY + 1, 40 * DAY]
    await insert(
      store,
      ...ages.map((age, i) => reservationOf(i, { at: T0 - age, amount: sat(1n << BigInt(i)) })),
    )
    for (const from of ages.flatMap((age) => [T0 - age - 1, T0 - age, T0 - age + 1])) {
      const inside = ages.flatMap((age, i) => (T0 - age >= from ? [{ age, i }] : []))
      const amount = inside.reduce((total, { i }) => total + (1n << BigInt(i)), 0n)
      const oldest = inside.length > 0 ? T0 - Math.max(...inside.map(({ age }) => age)) : undefined
      same(await sum(store, 'user/1', from), [amount, inside.length, oldest], `from ${from - T0}`)
    }
  },

  'each subject is summed up by itself, and answers are in the order of the questions': async ({
    store,
  }) => {
    await insert(
      store,
      reservationOf(1, { subjects: ['platform', 'user/1', 'user/10'] }),
      reservationOf(2, { subjects: ['platform', 'user/2'], amount: sat(7n) }),
    )
    await store.read(async (tx) => {
      const ask = (...subjects: string[]) =>
        tx.limits.sums(subjects.map((subject) => ({ subject, from: T0 })))
      const amounts = (await ask('user/2', 'nobody', 'platform', 'user/1', 'user/2')).map(
        ({ amount }) => amount,
      )
      same(amounts, [7n, 0n, 107n, 100n, 7n], 'amounts')
      same(await ask(), [], 'no question')
      same(await ask('nobody'), [{ amount: 0n, count: 0 }], 'nothing')
    })
  },

  'what is counted is counted once, and taken out of every sum': async ({ store }) => {
    await insert(store, reservationOf(1), reservationOf(2, { at: T0 + 5, amount: sat(3n) }))
    await fails(() => insert(store, reservationOf(1)), 'STORE_CONFLICT', 'the withdrawal again')
    same(await sum(store, 'platform', T0), [103n, 2, T0 + 1], 'counted once')
    const remove = (number: number) => store.transact((tx) => tx.limits.remove(requestIdOf(number)))
    same(await remove(1), true, 'removed')
    same(await remove(1), false, 'removed already')
    same(await remove(9), false, 'never counted')
    for (const subject of ['platform', 'user/1']) {
      same(await sum(store, subject, T0), [3n, 1, T0 + 5], `${subject}: the other one`)
      same(await sum(store, subject, T0 - 40 * DAY), [3n, 1, T0 + 5], `${subject}: from long ago`)
    }
    same(await remove(2), true, 'the last')
    same(await sum(store, 'platform', 0), [0n, 0, undefined], 'nothing is left')
    await insert(store, reservationOf(1))
    same(await sum(store, 'platform', 0), [100n, 1, T0 + 1], 'and once more')
  },

  'a rollback counts nothing': async ({ store }) => {
    const dies = () =>
      store.transact(async (tx) => {
        await tx.limits.insert(reservationOf(1))
        throw new TypeError('no')
      })
    await fails(dies, 'any', 'the work throws')
    same(await sum(store, 'platform', 0), [0n, 0, undefined], 'nothing')
  },

  'old entries are forgotten in steps, and newer sums stay': async ({ store }) => {
    const days = [0, 1, 2, 3, 4]
    await insert(store, ...days.map((day) => reservationOf(day, { at: T0 + day * DAY })))
    const prune = (before: number, limit: number) =>
      store.transact((tx) => tx.limits.prune(before, limit))
    same(await prune(T0, 9), 0, 'nothing is older')
    same(await prune(T0 + 3 * DAY, 4), 4, 'a step')
    same(await prune(T0 + 3 * DAY, 99), 2, 'the rest')
    same(await prune(T0 + 3 * DAY, 99), 0, 'once')
    same(await sum(store, 'user/1', T0 + 3 * DAY), [200n, 2, T0 + 3 * DAY], 'newer ones')
    same(await sum(store, 'user/1', T0 + 3 * DAY + 1), [100n, 1, T0 + 4 * DAY], 'the newest')
    same(await store.transact((tx) => tx.limits.remove(requestIdOf(0))), false, 'forgotten')
  },

  'a profile comes back as it went in': async ({ store }) => {
    const { firstPaidAt: _, ...habit } = profileOf(2).habit
    const [full, fresh] = [profileOf(1), profileOf(2, { recent: [], habit })]
    await store.transact(async (tx) => {
      await tx.risk.saveProfile(profileOf(1, { recent: [] }))
      await tx.risk.saveProfile(full)
      await tx.risk.saveProfile(fresh)
    })
    await store.read(async (tx) => {
      same(await tx.risk.profile(full.subject), full, 'replaced')
      same(await tx.risk.profile(fresh.subject), fresh, 'another')
      same(await tx.risk.profile('user/9'), undefined, 'none')
    })
  },

  'destinations that were paid are counted for each subject': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.risk.addPaid('user/1', hex(1))
      await tx.risk.addPaid('user/1', hex(1))
      await tx.risk.addPaid('user/2', hex(1))
    })
    await store.read(async (tx) => {
      same(await tx.risk.paidTo('user/1', hex(1)), 2, 'twice')
      same(await tx.risk.paidTo('user/2', hex(1)), 1, 'of another')
      same(await tx.risk.paidTo('user/1', hex(2)), 0, 'elsewhere')
    })
  },

  'readers count nothing': async ({ store }) => {
    await fails(() => store.read((tx) => tx.limits.insert(reservationOf(1))), 'assertion', 'insert')
    await fails(() => store.read((tx) => tx.limits.remove(requestIdOf(1))), 'assertion', 'remove')
    await fails(() => store.read((tx) => tx.limits.prune(1, 1)), 'assertion', 'prune')
    await fails(() => store.read((tx) => tx.risk.saveProfile(profileOf(1))), 'assertion', 'profile')
    await fails(() => store.read((tx) => tx.risk.addPaid('user/1', hex(1))), 'assertion', 'paid')
    await fails(() => store.read((tx) => tx.analytics.add([])), 'assertion', 'days')
  },
}

/** Day sums of withdrawals. */
export const DAYS: Chapter = {
  'changes of a day add up, also downwards': async ({ store }) => {
    const day = dayRecordOf('2027-03-28')
    const less: DayRecord = { ...day, requested: 0, requestedSat: 0n, settled: -1, settledSat: -7n }
    await store.transact((tx) => tx.analytics.add([day, dayRecordOf('2027-03-28', 2)]))
    await store.transact((tx) => tx.analytics.add([{ ...less, confirmed: 0, confirmMs: 0 }]))
    await store.transact((tx) => tx.analytics.add([]))
    const [two, one] = await store.read((tx) => tx.analytics.days({ limit: 9 }))
    same(two, dayRecordOf('2027-03-28', 2), 'another wallet')
    const sums = { settled: 1, settledSat: 13n, reversed: 2, reversedSat: 20n, feesSat: 10n }
    same(one, { ...day, ...sums }, 'added')
  },

  'days are listed in pages, newest first, by wallet, customer and time': async ({ store }) => {
    const names = ['2027-03-27', '2027-03-28', '2027-04-01']
    const rows = names.flatMap((day) =>
      [1, 2].flatMap((wallet) =>
        ['', 'cus_1'].map((customer) => ({ ...dayRecordOf(day, wallet), customer })),
      ),
    )
    await store.transact((tx) => tx.analytics.add(rows.toReversed()))
    const newest = rows.toReversed()
    await store.read(async (tx) => {
      const first = await tx.analytics.days({ limit: 5 })
      same(first, newest.slice(0, 5), 'the first page')
      const before = first.at(-1)
      const rest = await tx.analytics.days({ limit: 99, ...(before ? { before } : {}) })
      same(rest, newest.slice(5), 'the rest')
      const wallet = walletIdOf(2)
      const ofWallet = newest.filter((row) => row.wallet === wallet)
      same(await tx.analytics.days({ wallet, limit: 99 }), ofWallet, 'of a wallet')
      const customer = 'cus_1'
      const ofCustomer = newest.filter((row) => row.customer === customer)
      same(await tx.analytics.days({ customer, limit: 99 }), ofCustomer, 'of a customer')
      const both = ofCustomer.filter((row) => row.wallet === wallet)
      same(await tx.analytics.days({ wallet, customer, limit: 2 }), both.slice(0, 2), 'of both')
      const inTime = newest.filter((row) => row.day === '2027-03-28')
      const time = { from: '2027-03-28', until: '2027-03-31' }
      same(await tx.analytics.days({ ...time, limit: 99 }), inTime, 'in a time')
    })
  },
}
